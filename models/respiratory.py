"""Breath sounds, normal or adventitious, in a second at 8 kHz: a CRNN teaches (Acharya and Basu 2020), a DS-CNN ships.

Crackles last 5 to 15 ms and wheezes more than 80 (Bohadana, Izbicki and Kraman 2014), so frames are short and fields long.
"""

from collections.abc import Sequence
from typing import Any

FRAMEWORK = "keras"
TASK = "classify"
METRIC = "icbhi"

Shape = tuple[int, int]


def teacher(shape: Shape, classes: int, *, widths: Sequence[int] = (24, 48, 64), recurrent: int = 64) -> Any:
    """CRNN over a log-mel picture (frames, bands): a convolution and a pooling a width, an LSTM over the frames that are
    left, and the mean of what it says. TensorFlow Lite has one fused operator for it."""
    layers, inputs = _input(shape)
    x = layers.Reshape((*shape, 1), name="picture")(inputs)
    for number, width in enumerate(widths, 1):
        name = f"convolution{number}"
        x = _normalised(layers, layers.Conv2D(width, 3, padding="same", use_bias=False, name=name)(x), name)
        # Frames are what the LSTM counts by, so they are halved once and then kept as long as bands can be.
        x = layers.MaxPooling2D((2 if number < len(widths) else 1, 2), padding="same", name=f"pool{number}")(x)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]), name="sequence")(x)
    x = layers.LSTM(recurrent, return_sequences=True, name="recurrent")(layers.Dropout(0.3, name="forget")(x))
    return _head(layers, inputs, layers.GlobalAveragePooling1D(name="mean")(x), classes)


def student(
    shape: Shape,
    classes: int,
    *,
    width: int = 48,
    stem: int | None = None,
    strides: Sequence[int] = (2, 1, 1, 1),
    group: int = 4,
) -> Any:
    """A DS-CNN whose stem, `stem` wide (by default `width`), sees `group` neighbouring bands as channels.

    That keeps an int8 kernel's lanes busy; four bands still fill only half of them where there is no AVX-512, so a stem as
    wide as the blocks took half of the time there. Half as wide it costs nothing that validation shows; eight bands cost
    three points.
    """
    if shape[1] % group:
        raise ValueError(f"group {group} does not divide the front end's {shape[1]} bands")
    layers, inputs = _input(shape)
    x = layers.Reshape((shape[0], shape[1] // group, group), name="picture")(inputs)
    x = layers.Conv2D(stem or width, (5, 3), (2, 1), padding="same", use_bias=False, name="stem")(x)
    x = _normalised(layers, x, "stem")
    for number, stride in enumerate(strides, 1):
        depthwise = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=f"depthwise{number}")
        x = _normalised(layers, depthwise(x), f"depthwise{number}")
        pointwise = layers.Conv2D(width, 1, use_bias=False, name=f"pointwise{number}")
        x = _normalised(layers, pointwise(x), f"pointwise{number}")
    return _head(layers, inputs, layers.GlobalAveragePooling2D(name="mean")(x), classes)


def _input(shape: Shape) -> tuple[Any, Any]:
    # TensorFlow takes seconds to import: only stages that train pay.
    from tensorflow.keras import Input, layers

    return layers, Input(shape, name="features")


def _normalised(layers: Any, x: Any, name: str) -> Any:
    """Keras's momentum of 0.99 lags behind on short training; 0.9 keeps up."""
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x))


def _head(layers: Any, inputs: Any, x: Any, classes: int) -> Any:
    from tensorflow.keras import Model

    return Model(inputs, layers.Dense(classes, name="logits")(layers.Dropout(0.3, name="dropout")(x)))
