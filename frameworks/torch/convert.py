"""Makes the files by the scheme: one function a precision, chosen from a table."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from frameworks import FrameworkError
from frameworks.examples import Examples, Features
from frameworks.formats import onnx_quantize, onnx_ranges
from frameworks.recipe import Variant
from frameworks.torch.export import export


class ConvertError(FrameworkError):
    """A platform asks for a form torch networks are not converted to."""


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
    if key not in FORMS or micro:
        known = ", ".join(" ".join(form) for form in FORMS)
        device = " for a microcontroller" if micro else ""
        raise ConvertError(f"torch has no conversion to {' '.join(key)}{device}; it has: {known}")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "float32.onnx"
        export(network, source)
        FORMS[key](source, target, examples.calibration.features, file)


def int8(source: Path, target: dict[str, Any], calibration: Features, file: Path) -> None:
    """The float ONNX file `source` in int8, by the method and with the float nodes that `target` says."""
    METHODS[target["method"]](source, target["float_layers"], calibration, file)


def _static(method: str, source: Path, kept: list[str], calibration: Features, file: Path) -> None:
    onnx_quantize.static(source, calibration, file, float_nodes=kept, method=method)


METHODS: dict[str, Callable[[Path, list[str], Features, Path], None]] = {
    **{method: partial(_static, method) for method in onnx_ranges.METHODS},
    "dynamic": lambda source, kept, calibration, file: onnx_quantize.dynamic(source, file),
}
FORMS: dict[tuple[str, str], Callable[[Path, dict[str, Any], Features, Path], None]] = {
    ("onnx", "float32"): lambda source, target, calibration, file: onnx_quantize.float32(source, file),
    ("onnx", "float16"): lambda source, target, calibration, file: onnx_quantize.float16(source, file),
    ("onnx", "int8"): int8,
}
