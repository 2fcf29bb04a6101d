"""Fits a post-training int8 TFLite file to its float form: channels of one loudness, weights rounded by what they multiply.

The converter gives a tensor one range and rounds each weight to its nearest step. Both waste bits: quiet channels get the steps
of the loudest, and rounding errors of weights whose inputs go together add up. The file is changed in place, so its structure
and size stay.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from frameworks.formats.rounding import Rounded, rounded
from frameworks.formats.tflite_equalize import equalize
from frameworks.formats.tflite_views import LAYERS, Views, options
from frameworks.formats.tflite_windows import windows

ROWS = 24_000  # of inputs that a layer is fitted to
# Operators that take operands of any scale; others want their own to be that of their operands.
FREE = (*LAYERS, "MEAN", "ADD", "MUL", "SUB", "SOFTMAX", "DEQUANTIZE")


class Layer(NamedTuple):
    """One layer in both files; its operands are (input, weights, bias), its result the output."""

    kind: str
    operator: Any
    float_operator: Any


def fitted(content: bytes, float_content: bytes, calibration: np.ndarray) -> bytes:
    """The int8 file `content`, fitted to the float32 file of the same network on `calibration` (n, ...).

    Layers that float computes in other operators, that share their weights, or have no bias stay as they are.
    """
    file, reference = Views(content), Views(float_content)
    layers = list(_layers(file, reference))
    for layer in layers:
        if (reader := _reader(file, reference, layer, layers)) is not None:
            equalize(reference, layer.float_operator, reader.float_operator, calibration)
        _range(file, layer, reference.held(int(layer.float_operator.Outputs(0)), calibration))
    for layer in layers:
        real = reference.held(int(layer.float_operator.Inputs(0)), calibration)
        _weights(file, reference, layer, file.held(int(layer.operator.Inputs(0)), calibration), real)
    return bytes(file.content)


def _layers(file: Views, reference: Views) -> Iterator[Layer]:
    """Layers that both files have. A file whose layers are not those of its float form has none."""
    ours, theirs = ([o for o in views.operators if views.kind(o) in LAYERS] for views in (file, reference))
    if [file.kind(o) for o in ours] != [reference.kind(o) for o in theirs]:
        return
    for operator, float_operator in zip(ours, theirs, strict=True):
        alike = file.shape(int(operator.Inputs(1))) == reference.shape(int(float_operator.Inputs(1)))
        if alike and file.is_int8(int(operator.Outputs(0))) and _alone(file, operator):
            yield Layer(file.kind(operator), operator, float_operator)


def _alone(file: Views, operator: Any) -> bool:
    """Whether an operator has weights and bias of its own: tensors and buffers that nothing else reads."""
    tensors = [int(i) for i in operator.InputsAsNumpy()[1:]]
    buffers = [file.graph.Tensors(i).Buffer() for i in range(file.graph.TensorsLength())]
    return len(tensors) == 2 and all(
        tensor >= 0 and len(file.readers(tensor)) == 1 and buffers.count(buffers[tensor]) == 1 for tensor in tensors
    )


def _reader(file: Views, reference: Views, layer: Layer, layers: list[Layer]) -> Layer | None:
    """The layer that alone reads what `layer` writes, in both files."""
    ours, theirs = int(layer.operator.Outputs(0)), int(layer.float_operator.Outputs(0))
    if len(file.readers(ours)) != 1 or len(reference.readers(theirs)) != 1:
        return None
    found = (x for x in layers if (int(x.operator.Inputs(0)), int(x.float_operator.Inputs(0))) == (ours, theirs))
    return next(found, None)


def _range(file: Views, layer: Layer, values: np.ndarray) -> None:
    """Sets the range of what a layer writes, where whoever reads it takes any."""
    tensor = int(layer.operator.Outputs(0))
    readers = [file.kind(operator) for operator in file.readers(tensor)]
    if not readers or any(reader not in FREE for reader in readers):
        return
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 1e-6)
    file.scales(tensor)[0] = (high - low) / 255
    file.zeros(tensor)[0] = np.clip(np.rint(-128 - low / file.scales(tensor)[0]), -128, 127)


def _weights(file: Views, reference: Views, layer: Layer, heard: np.ndarray, real: np.ndarray) -> None:
    """Rounds a layer's weights for what the int8 file hears, `heard`, to answer what float answers to `real`."""
    source, kernel, bias = (int(i) for i in layer.operator.InputsAsNumpy())
    exact, offset = (reference.values(int(i), np.float32) for i in layer.float_operator.InputsAsNumpy()[1:])
    scales, step = file.scales(kernel), float(file.scales(source)[0])
    heard, real = (_seen(layer, exact.shape[1:3], side) for side in (heard, real))
    if layer.kind == "DEPTHWISE_CONV_2D":
        result = _channel_by_channel(exact, offset, heard, real, step)
        integers = result.integers.T
    else:
        exact = exact.reshape(len(exact), -1)
        heard, real = (side.reshape(-1, exact.shape[1]) for side in (heard, real))
        result = rounded(exact, heard, real @ exact.T + offset, step, one_scale=len(scales) == 1)
        integers = result.integers
    file.values(kernel, np.int8)[...] = integers.reshape(file.shape(kernel))
    scales[:] = result.scales[: len(scales)]
    file.scales(bias)[:] = step * result.scales[: len(file.scales(bias))]
    file.values(bias, np.int32)[:] = result.bias


def _channel_by_channel(
    exact: np.ndarray, offset: np.ndarray, heard: np.ndarray, real: np.ndarray, step: float
) -> Rounded:
    """A depthwise layer, (1, height, width, outputs): each output has one input channel and is a layer by itself."""
    outputs, each = exact.shape[-1], exact.shape[-1] // heard.shape[-1]
    weights = exact.reshape(-1, outputs).T
    parts = []
    for output, row in enumerate(weights):
        rows, real_rows = (side[..., output // each].reshape(-1, len(row)) for side in (heard, real))
        parts.append(rounded(row[None], rows, (real_rows @ row + offset[output])[:, None], step))
    return Rounded(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _seen(layer: Layer, kernel: tuple[int, ...], values: np.ndarray) -> np.ndarray:
    """What each place of a layer sees of its input (n, ...): all of it, or windows (rows, height, width, channels)."""
    if layer.kind == "FULLY_CONNECTED":
        return values
    return windows(options(layer.operator, layer.kind), (kernel[0], kernel[1]), values, ROWS)
