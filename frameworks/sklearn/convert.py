"""Makes the files: arrays for the runtime's backend `numpy`, ONNX by skl2onnx."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pianissimo.backends import arrays as backend

from frameworks import FrameworkError
from frameworks.examples import Examples
from frameworks.recipe import Variant
from frameworks.sklearn.predict import Network

OPSET = {"": 17, "ai.onnx.ml": 3}


class ConvertError(FrameworkError):
    """A platform asks for a form scikit-learn's networks are not converted to."""


def convert(
    network: Network,
    target: dict[str, Any],  # noqa: ARG001
    variant: Variant,
    examples: Examples,  # noqa: ARG001
    file: Path,
    *,
    micro: bool = False,
) -> None:
    """Writes `network` to `file` as `variant` says; `target` and `examples` are for frameworks that quantize."""
    key = (variant.backend, variant.precision)
    if key not in FORMS or micro:
        known = ", ".join(f"{backend} {precision}" for backend, precision in FORMS)
        raise ConvertError(f"sklearn has no conversion to {'micro ' if micro else ''}{' '.join(key)}; it has: {known}")
    file.parent.mkdir(parents=True, exist_ok=True)
    FORMS[key](network, file)


def _arrays(network: Network, file: Path, precision: type[np.floating[Any]]) -> None:
    steps, arrays = network.program()
    backend.write(file, steps, {name: array.astype(precision) for name, array in arrays.items()})


def _onnx(network: Any, file: Path) -> None:
    """One input `features` with a free batch axis, one output `vectors`."""
    if not hasattr(network, "estimator"):
        raise ConvertError("sklearn has no conversion of a classifier to onnx; it has: numpy float32, numpy float16")
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType

    dims, numbers = network.turned.shape
    model = skl2onnx.convert_sklearn(
        network.estimator,
        name="projector",  # else skl2onnx draws a random one
        initial_types=[("features", FloatTensorType([None, numbers]))],
        final_types=[("vectors", FloatTensorType([None, dims]))],
        target_opset=OPSET,
    )
    model.opset_import.sort(key=lambda entry: entry.domain)  # skl2onnx lists them in the order of a set
    file.write_bytes(model.SerializeToString(deterministic=True))


FORMS: dict[tuple[str, str], Callable[[Network, Path], None]] = {
    ("numpy", "float32"): lambda network, file: _arrays(network, file, np.float32),
    ("numpy", "float16"): lambda network, file: _arrays(network, file, np.float16),
    ("onnx", "float32"): _onnx,
}
