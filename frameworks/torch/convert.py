"""Makes the files by the scheme: one function a precision, chosen from a table."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from frameworks import FrameworkError
from frameworks.examples import Examples, Features
from frameworks.formats import onnx_quantize
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
        known = ", ".join(f"{backend} {precision}" for backend, precision in FORMS)
        device = " for a microcontroller" if micro else ""
        raise ConvertError(f"torch has no conversion to {' '.join(key)}{device}; it has: {known}")
    file.parent.mkdir(parents=True, exist_ok=True)
    FORMS[key](network, target, examples.calibration.features, file)


def int8(source: Path, target: dict[str, Any], calibration: Features, file: Path) -> None:
    """The float ONNX file `source` in int8, by the method and with the float nodes that `target` says."""
    with tempfile.TemporaryDirectory() as folder:
        static = onnx_quantize.Static(source, calibration, Path(folder))
        METHODS[target["method"]](source, static, file, target["float_layers"])


def _from_float(maker: Callable[[Path, dict[str, Any], Features, Path], None]) -> Callable[..., None]:
    """A form made from the float32 file."""

    def make(network: Any, target: dict[str, Any], calibration: Features, file: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "float32.onnx"
            export(network, source)
            maker(source, target, calibration, file)

    return make


METHODS: dict[str, Callable[[Path, onnx_quantize.Static, Path, Sequence[str]], None]] = {
    "static_minmax": lambda source, static, file, kept: static.write(file, method="minmax", float_nodes=kept),
    "static_entropy": lambda source, static, file, kept: static.write(file, method="entropy", float_nodes=kept),
    "static_percentile": lambda source, static, file, kept: static.write(file, method="percentile", float_nodes=kept),
    "dynamic": lambda source, static, file, kept: onnx_quantize.dynamic(source, file),
}
FORMS: dict[tuple[str, str], Callable[[Any, dict[str, Any], Features, Path], None]] = {
    ("onnx", "float32"): lambda network, target, calibration, file: export(network, file),
    ("onnx", "float16"): _from_float(lambda source, target, calibration, file: onnx_quantize.float16(source, file)),
    ("onnx", "int8"): _from_float(int8),
}
