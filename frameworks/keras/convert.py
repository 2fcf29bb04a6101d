"""Makes the files by the scheme: one function a backend and precision, chosen from a table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from frameworks import FrameworkError
from frameworks.examples import Examples
from frameworks.formats.chatter import quiet
from frameworks.keras import tflite
from frameworks.keras.answers import fixed
from frameworks.recipe import Variant

OPSET = 17


class ConvertError(FrameworkError):
    """A platform asks for a form Keras networks are not converted to."""


def convert(
    network: Any,
    target: dict[str, Any],
    variant: Variant,
    examples: Examples,
    file: Path,
    *,
    micro: bool = False,
) -> None:
    """Writes `network` to `file` as `variant` says. `target` is the scheme's plan, used where the precision is int8."""
    key = (variant.backend, variant.precision)
    if key not in FORMS:
        known = ", ".join(f"{backend} {precision}" for backend, precision in FORMS)
        raise ConvertError(f"keras has no conversion to {' '.join(key)}; it has: {known}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(FORMS[key](network, target, fixed(examples.calibration.features, "convert"), micro))


def _int8(network: Any, target: dict[str, Any], calibration: np.ndarray, micro: bool) -> bytes:
    if target["float_layers"]:
        return tflite.Mixed(network, calibration).keeping(target["float_layers"])
    if target["method"] == "aware":
        return tflite.aware(network, micro=micro)
    if target["method"] == "fitted":
        return tflite.fitted(network, calibration, micro=micro)
    return tflite.int8(network, calibration, micro=micro)


def _onnx(network: Any) -> bytes:
    """ONNX with a free batch axis; the runtime's cloud users send many clips at once."""
    import tf2onnx

    whole = tflite.with_scores(network)
    shape = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="features")
    answer = tf.function(lambda features: {"scores": whole(features, training=False)})
    with quiet():
        model, _ = tf2onnx.convert.from_function(answer, input_signature=[shape], opset=OPSET)
    return bytes(model.SerializeToString(deterministic=True))


FORMS: dict[tuple[str, str], Callable[[Any, dict[str, Any], np.ndarray, bool], bytes]] = {
    ("tflite", "float32"): lambda network, target, calibration, micro: tflite.float32(network),
    ("tflite", "float16"): lambda network, target, calibration, micro: tflite.float16(network),
    ("tflite", "int8"): _int8,
    ("onnx", "float32"): lambda network, target, calibration, micro: _onnx(network),
}
