"""Keras to TFLite: float32, float16 and int8, with chosen layers left float; one example a call."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from frameworks.formats import tflite_fit
from frameworks.formats.chatter import quiet
from frameworks.keras.graph import Logarithm


def float32(network: Any) -> bytes:
    """Every weight as it was trained."""
    return _run(_converter(network))


def float16(network: Any) -> bytes:
    """Weights stored in half precision; arithmetic stays float32 where the device has no half."""
    converter = _converter(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return _run(converter)


def int8(network: Any, calibration: np.ndarray, *, micro: bool = False) -> bytes:
    """Post-training int8, ranges from `calibration` (n, frames, bands).

    `micro` asks for int8 at the door as well, as microcontrollers want it.
    """
    converter = _integer(network, calibration)
    if micro:
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return _run(converter)


def fitted(network: Any, calibration: np.ndarray, *, micro: bool = False) -> bytes:
    """`int8`, fitted to the float form on the same clips."""
    return tflite_fit.fitted(int8(network, calibration, micro=micro), float32(network), calibration)


class Mixed:
    """Post-training int8 in which chosen layers stay float; calibrated once, so that a choice costs little.

    A layer is named by the tensor it writes, as in the file (`frameworks.formats.tflite.layers`).
    """

    def __init__(self, network: Any, calibration: np.ndarray) -> None:
        with quiet():
            self.debugger = tf.lite.experimental.QuantizationDebugger(
                converter=_integer(network, calibration), debug_dataset=lambda: _one_by_one(calibration[:1])
            )

    def keeping(self, float_layers: Sequence[str]) -> bytes:
        """The int8 file in which `float_layers` compute in float."""
        options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=list(float_layers))
        with quiet():
            self.debugger.options = options
            return bytes(self.debugger.get_nondebug_quantized_model())


def aware(network: Any, *, micro: bool = False) -> bytes:
    """int8 of a network trained quantization-aware: its ranges are its own."""
    converter = _converter(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if micro:
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return _run(converter)


def with_scores(network: Any) -> Any:
    """The network with softmax at its end: what ships answers in probabilities. One that had them is not rounded twice."""
    last = network.output.node.layer
    if isinstance(last, Logarithm):
        return keras.Model(network.input, last.input, name="network")
    return keras.Model(network.input, keras.layers.Softmax(name="scores")(network.output), name="network")


def _converter(network: Any) -> Any:
    """A converter of one example a call. The signature's shape is fixed, since a free batch axis costs four operators;
    the names are fixed, since float tensors are chosen by name."""
    whole = with_scores(network)
    example = tf.TensorSpec((1, *network.input_shape[1:]), tf.float32, name="features")
    answer = tf.function(lambda features: {"scores": whole(features, training=False)}).get_concrete_function(example)
    return tf.lite.TFLiteConverter.from_concrete_functions([answer], _Weights(whole))


class _Weights(tf.Module):  # type: ignore[misc]
    """What the converter saves on its way: the weights. Of a Keras model it would trace and save every layer as well."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.weights = network.weights


def _integer(network: Any, calibration: np.ndarray) -> Any:
    converter = _converter(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _one_by_one(calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter


def _one_by_one(features: np.ndarray) -> Iterator[list[np.ndarray]]:
    for example in features:
        yield [example[None].astype(np.float32)]


def _run(converter: Any) -> bytes:
    with quiet():
        return bytes(converter.convert())
