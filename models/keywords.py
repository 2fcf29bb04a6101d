"""Spoken words in one-second clips: the DS-CNN of "Hello Edge" (Zhang et al. 2017), MLPerf Tiny's keyword benchmark."""

from collections.abc import Sequence
from typing import Any

FRAMEWORK = "keras"
TASK = "classify"
METRIC = "accuracy"


def teacher(shape: tuple[int, int], classes: int, *, width: int = 96, strides: Sequence[int] = (1, 2, 1, 1, 1)) -> Any:
    """DS-CNN over a log-mel picture (frames, bands): a 10 x 4 stem, then one separable block a stride."""
    layers, inputs = _input(shape)
    x = layers.Reshape((*shape, 1), name="picture")(inputs)
    x = _block(layers, layers.Conv2D(width, (10, 4), 2, padding="same", use_bias=False, name="stem")(x), "stem")
    return _head(layers, inputs, _separable(layers, x, width, strides), classes)


def student(
    shape: tuple[int, int],
    classes: int,
    *,
    width: int = 48,
    stem: int | None = None,
    strides: Sequence[int] = (2, 1, 1, 1),
    group: int = 4,
) -> Any:
    """A DS-CNN whose stem, `stem` wide (by default `width`), sees `group` neighbouring bands as channels.

    A convolution over one input channel leaves most lanes of an int8 kernel idle: with it, int8 took 81 us where float
    took 23 (LiteRT, AVX-512). Folding bands into channels moves no memory and turns that round. Four of them still fill half
    of the lanes without AVX-512, so a stem as wide as the blocks took half of the time there; eight cost 1.6 points.
    """
    if shape[1] % group:
        raise ValueError(f"group {group} does not divide the front end's {shape[1]} bands")
    layers, inputs = _input(shape)
    x = layers.Reshape((shape[0], shape[1] // group, group), name="picture")(inputs)
    x = _block(layers, layers.Conv2D(stem or width, (5, 3), (2, 1), padding="same", use_bias=False, name="stem")(x), "stem")
    return _head(layers, inputs, _separable(layers, x, width, strides), classes)


def _input(shape: tuple[int, int]) -> tuple[Any, Any]:
    # TensorFlow takes seconds to import: only stages that train pay.
    from tensorflow.keras import Input, layers

    return layers, Input(shape, name="features")


def _block(layers: Any, x: Any, name: str) -> Any:
    """Normalisation and ReLU. Keras's momentum of 0.99 lags behind on short training; 0.9 keeps up."""
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x))


def _separable(layers: Any, x: Any, width: int, strides: Sequence[int]) -> Any:
    for number, stride in enumerate(strides, 1):
        depthwise = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=f"depthwise{number}")
        pointwise = layers.Conv2D(width, 1, use_bias=False, name=f"pointwise{number}")
        x = _block(layers, depthwise(x), f"depthwise{number}")
        x = _block(layers, pointwise(x), f"pointwise{number}")
    return x


def _head(layers: Any, inputs: Any, x: Any, classes: int) -> Any:
    from tensorflow.keras import Model

    x = layers.Dropout(0.2, name="dropout")(layers.GlobalAveragePooling2D(name="pool")(x))
    return Model(inputs, layers.Dense(classes, name="logits")(x))
