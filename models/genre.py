"""Speech, rock, jazz, electronic or classical from a second of MFCC: convolutions over time alone, with the coefficients as
channels (TC-ResNet, Choi et al. 2019), since a cepstral coefficient's neighbours mean nothing to it."""

from collections.abc import Sequence
from typing import Any

FRAMEWORK = "keras"
TASK = "classify"
METRIC = "macro_f1"

Shape = tuple[int, int]


def teacher(
    shape: Shape, classes: int, *, stem: int = 48, widths: Sequence[int] = (64, 96, 128), kernel: int = 9
) -> Any:
    """TC-ResNet over (frames, coefficients): a stem of 3 frames, then a residual block a width, each halving the frames."""
    layers, inputs, x = _timeline(shape)
    x = _normalised(layers, layers.Conv2D(stem, (3, 1), padding="same", use_bias=False, name="stem")(x), "stem")
    for number, width in enumerate(widths, 1):
        x = _residual(layers, x, width, kernel, f"block{number}")
    return _head(layers, inputs, x, classes)


def student(
    shape: Shape,
    classes: int,
    *,
    width: int = 32,
    strides: Sequence[int] = (1, 2, 1),
    kernel: int = 9,
) -> Any:
    """The same over time, in separable blocks of one width: a depthwise filter of `kernel` frames and a product of channels.

    The stem reads all coefficients as channels at once, so an int8 kernel's lanes are busy from the first layer on.
    """
    layers, inputs, x = _timeline(shape)
    x = layers.Conv2D(width, (5, 1), (2, 1), padding="same", use_bias=False, name="stem")(x)
    x = _normalised(layers, x, "stem")
    for number, stride in enumerate(strides, 1):
        depthwise = layers.DepthwiseConv2D(
            (kernel, 1), stride, padding="same", use_bias=False, name=f"depthwise{number}"
        )
        x = _normalised(layers, depthwise(x), f"depthwise{number}")
        pointwise = layers.Conv2D(width, 1, use_bias=False, name=f"pointwise{number}")
        x = _normalised(layers, pointwise(x), f"pointwise{number}")
    return _head(layers, inputs, x, classes)


def _timeline(shape: Shape) -> tuple[Any, Any, Any]:
    """Keras's layers, the input, and it as (frames, 1, coefficients)."""
    # TensorFlow takes seconds to import: only stages that train pay.
    from tensorflow.keras import Input, layers

    inputs = Input(shape, name="features")
    return layers, inputs, layers.Reshape((shape[0], 1, shape[1]), name="timeline")(inputs)


def _normalised(layers: Any, x: Any, name: str, *, relu: bool = True) -> Any:
    """Keras's momentum of 0.99 lags behind on short training; 0.9 keeps up."""
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _residual(layers: Any, x: Any, width: int, kernel: int, name: str) -> Any:
    """Two convolutions over time, the first of which halves it, and a product of channels beside them."""

    def over(x: Any, frames: int, stride: int, part: str, *, relu: bool) -> Any:
        convolution = layers.Conv2D(
            width, (frames, 1), (stride, 1), padding="same", use_bias=False, name=f"{name}_{part}"
        )
        return _normalised(layers, convolution(x), f"{name}_{part}", relu=relu)

    beside = over(x, 1, 2, "beside", relu=False)
    x = over(over(x, kernel, 2, "first", relu=True), kernel, 1, "second", relu=False)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_sum")([x, beside]))


def _head(layers: Any, inputs: Any, x: Any, classes: int) -> Any:
    from tensorflow.keras import Model

    x = layers.Dropout(0.3, name="dropout")(layers.GlobalAveragePooling2D(name="pool")(x))
    return Model(inputs, layers.Dense(classes, name="logits")(x))
