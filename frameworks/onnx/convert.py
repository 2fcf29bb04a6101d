"""Makes the files by the scheme: one function a precision, chosen from a table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from frameworks import FrameworkError
from frameworks.examples import Examples, Features
from frameworks.formats import onnx_quantize
from frameworks.onnx.files import Network
from frameworks.recipe import Variant


class ConvertError(FrameworkError):
    """A platform asks for a form that ONNX files are not converted to."""


def convert(
    network: Network,
    target: dict[str, Any],
    variant: Variant,
    examples: Examples,
    file: Path,
    *,
    micro: bool = False,
) -> None:
    """Writes `network` to `file` as `variant` says. `target` is the scheme's plan, used where the precision is int8."""
    key = (variant.backend, variant.precision)
    if key not in FORMS or micro:
        known = ", ".join(" ".join(form) for form in FORMS)
        device = " for a microcontroller" if micro else ""
        raise ConvertError(f"an ONNX file is not converted to {' '.join(key)}{device}; allowed: {known}")
    file.parent.mkdir(parents=True, exist_ok=True)
    with network.as_file() as source:
        FORMS[key](source, target, examples.calibration.features, file)


FORMS: dict[tuple[str, str], Callable[[Path, dict[str, Any], Features, Path], None]] = {
    ("onnx", "float32"): lambda source, target, calibration, file: onnx_quantize.float32(source, file),
    ("onnx", "float16"): lambda source, target, calibration, file: onnx_quantize.float16(source, file),
    ("onnx", "int8"): lambda source, target, calibration, file: onnx_quantize.static(
        source, calibration, file, float_nodes=target["float_layers"], method=target["method"]
    ),
}
