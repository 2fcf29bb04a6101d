"""What a Keras network weighs and costs: parameters as they ship, and multiply-accumulates of one example."""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from tensorflow import keras

from frameworks import Size
from frameworks.keras.graph import GraphLayer

L = keras.layers


def size(network: Any) -> Size:
    """Parameters with batch normalisation folded into its convolution, and what one prediction takes, loops unrolled."""
    weights = b"".join(np.asarray(w, np.float32).tobytes() for layer in network.layers for w in layer.get_weights())
    parameters = sum(_parameters(layer) for layer in network.layers)
    macs = sum(_macs(layer) for layer in network.layers)
    return Size(parameters, macs, 4 * parameters, len(zlib.compress(weights, 9)))


def _parameters(layer: Any) -> int:
    if isinstance(layer, L.BatchNormalization):
        return int(layer.input_shape[-1])  # folding leaves one bias a channel
    if isinstance(layer, keras.Model):
        return sum(_parameters(inner) for inner in layer.layers)
    return int(layer.count_params())


def _macs(layer: Any) -> int:
    count = next((count for kind, count in MACS.items() if isinstance(layer, kind)), _kernel)
    return count(layer)


def _kernel(layer: Any) -> int:
    """A kernel's weights times the places it is applied at; a depthwise kernel is (height, width, channels, 1)."""
    kernel = getattr(layer, "depthwise_kernel", getattr(layer, "kernel", None))
    return 0 if kernel is None else _weights(kernel) * _places(layer.output_shape)


def _separable(layer: Any) -> int:
    return (_weights(layer.depthwise_kernel) + _weights(layer.pointwise_kernel)) * _places(layer.output_shape)


def _transposed(layer: Any) -> int:
    return _weights(layer.kernel) * _places(layer.input_shape)


def _steps(layer: Any) -> int:
    """Input and recurrent kernels, once a step of the sequence (n, steps, features)."""
    return (_weights(layer.cell.kernel) + _weights(layer.cell.recurrent_kernel)) * int(layer.input_shape[1])


def _both_ways(layer: Any) -> int:
    return sum((_weights(way.cell.kernel) + _weights(way.cell.recurrent_kernel)) for way in _ways(layer)) * int(
        layer.input_shape[1]
    )


def _ways(layer: Any) -> tuple[Any, Any]:
    return layer.forward_layer, layer.backward_layer


def _weights(kernel: Any) -> int:
    return int(np.prod(kernel.shape))


def _places(shape: tuple[Any, ...]) -> int:
    return int(np.prod(shape[1:-1], dtype=int))


# Kind of layer -> its multiply-accumulates, the first that fits; what is not here has a kernel, or costs nothing.
MACS: dict[Any, Callable[[Any], int]] = {
    keras.Model: lambda network: sum(_macs(layer) for layer in network.layers),
    GraphLayer: lambda layer: int(layer.macs()),
    L.Bidirectional: _both_ways,
    (L.LSTM, L.GRU, L.SimpleRNN): _steps,
    (L.SeparableConv1D, L.SeparableConv2D): _separable,
    (L.Conv1DTranspose, L.Conv2DTranspose): _transposed,
}
