"""What an ONNX file really holds: operators, and its weights by data type."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

SHAPES = ("int32", "int64", "bool")  # reshapes, axes and biases of integer kernels, not weights


@dataclass(frozen=True)
class Audit:
    """`weights` in bytes by data type, and `operators` by kind."""

    weights: dict[str, int]
    operators: dict[str, int]

    def problems(self, precision: str, _float_layers: tuple[str, ...] = (), *, micro: bool = False) -> list[str]:
        """Why the file is not what `precision` says, in words; none when it is. An int8 file keeps float scales, so what
        counts there is that matrices are whole numbers."""
        wrong = {kind: size for kind, size in self.weights.items() if kind not in (precision, *SHAPES)}
        found = [f"a {precision} file holds {kind} weights ({size:,} bytes)" for kind, size in sorted(wrong.items())]
        found += [f"a {precision} file holds no {precision} weights"] if precision not in self.weights else []
        return found + (["a micro platform takes TFLite files, not ONNX"] if micro else [])


def audit(file: Path) -> Audit:
    """Reads and checks `file`. Raises ValueError when it is no valid ONNX file."""
    try:
        model = onnx.load(file)
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise ValueError(f"{file}: not a valid ONNX file: {error}") from error
    except Exception as error:  # protobuf's DecodeError has no public name that lasts
        if type(error).__name__ != "DecodeError":
            raise
        raise ValueError(f"{file}: not an ONNX file") from error
    weights: Counter[str] = Counter()
    for tensor in model.graph.initializer:
        kind = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).name
        weights[kind] += int(np.prod(tensor.dims, dtype=int)) * np.dtype(kind).itemsize
    return Audit(dict(weights), dict(Counter(node.op_type for node in model.graph.node)))
