"""A Keras network's own answer: the first rung of the parity ladder."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from frameworks.examples import Features
from frameworks.keras.answers import finite, fixed


def predict(network: Any, features: Features) -> np.ndarray:
    """Probabilities (n, classes) float32 of features (n, frames, bands); the network itself ends in logits.

    Raises FrameworkError where clips differ in length, or where an answer is no number.
    """
    logits = network.predict(fixed(features, "predict"), batch_size=256, verbose=0)
    return finite(np.asarray(tf.nn.softmax(logits), dtype=np.float32), "predict")


def settings(network: Any) -> dict[str, Any]:  # noqa: ARG001
    """What the runtime must know beside the file: nothing."""
    return {}


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
