"""A Keras network's own answer and size: the first rung of the parity ladder."""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from frameworks import Size


def predict(network: Any, features: np.ndarray) -> np.ndarray:
    """Probabilities (n, classes) float32 of features (n, frames, bands); the network itself ends in logits."""
    logits = network.predict(features, batch_size=256, verbose=0)
    return np.asarray(tf.nn.softmax(logits), dtype=np.float32)


def size(network: Any) -> Size:
    """Parameters as they ship (batch normalisation folded into its convolution), multiply-accumulates of one example."""
    weights = b"".join(np.asarray(w, np.float32).tobytes() for layer in network.layers for w in layer.get_weights())
    parameters = sum(_parameters(layer) for layer in network.layers)
    return Size(
        parameters,
        sum(_macs(layer) for layer in network.layers),
        4 * parameters,
        len(zlib.compress(weights, 9)),
    )


def caller(network: Any) -> Callable[[np.ndarray], Any]:
    """The fastest call Keras itself offers for one example: a traced function of fixed shape.

    One thread, like what it is compared with; TensorFlow takes that setting only before its first operator.
    """
    shape = tf.TensorSpec((1, *network.input_shape[1:]), tf.float32)
    traced = tf.function(lambda features: network(features, training=False)).get_concrete_function(shape)
    return lambda features: traced(tf.constant(features)).numpy()


def one_thread() -> None:
    """Lets TensorFlow compute on one thread. Must come before its first operator, else RuntimeError."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _parameters(layer: Any) -> int:
    if isinstance(layer, keras.layers.BatchNormalization):
        return int(layer.input_shape[-1])  # folding leaves one bias a channel
    return int(layer.count_params())


def _macs(layer: Any) -> int:
    """A kernel's weights times the places it is applied at; a depthwise kernel is (height, width, channels, 1)."""
    kernel = getattr(layer, "depthwise_kernel", getattr(layer, "kernel", None))
    if kernel is None:
        return 0
    return int(np.prod(kernel.shape)) * int(np.prod(layer.output_shape[1:-1], dtype=int))
