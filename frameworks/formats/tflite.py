"""What a TFLite file really holds: operators, data types and layers, read from the flatbuffer itself."""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

TYPES = {value: name.lower() for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
OPERATORS = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
BORDER = ("QUANTIZE", "DEQUANTIZE")
WEIGHTED = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "TRANSPOSE_CONV",
    "BATCH_MATMUL",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
)


@dataclass(frozen=True)
class Operator:
    """One operator: what it is, the tensor it writes, that tensor's type, and the types of its constant operands."""

    kind: str
    output: str
    computes: str
    constants: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """`weights` in bytes by data type, `operators` by kind and the type they compute in, and the file's two ends."""

    weights: dict[str, int]
    operators: dict[str, int]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    floats: tuple[str, ...]

    def problems(self, precision: str, float_layers: tuple[str, ...] = (), *, micro: bool = False) -> list[str]:
        """Why the file is not what `precision` says, in words; none when it is."""
        found = []
        allowed = PRECISIONS[precision]
        wrong = {kind: size for kind, size in self.weights.items() if kind not in allowed}
        if precision == "int8":
            wrong = {} if float_layers else wrong
            strays = [name for name in self.floats if name not in float_layers]
            found += [f"an int8 file computes in float: {', '.join(strays)}"] if strays else []
        found += [f"a {precision} file holds {kind} weights ({size:,} bytes)" for kind, size in sorted(wrong.items())]
        if precision != "float32" and precision not in self.weights:
            found.append(f"a {precision} file holds no {precision} weights")
        if micro and {*self.inputs, *self.outputs} != {"int8"}:
            found.append(f"a micro file takes {self.inputs} and answers {self.outputs}; both must be int8")
        return found


# int32 and int64 hold biases of int8 kernels and shapes of reshapes.
PRECISIONS = {
    "float32": ("float32", "int32", "int64"),
    "float16": ("float16", "int32", "int64"),
    "int8": ("int8", "int32", "int64"),
}


def audit(file: Path) -> Audit:
    """Reads `file` and says what is in it. Raises ValueError when it is no TFLite file."""
    model = _model(file)
    weights: Counter[str] = Counter()
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if data is not None and len(data):
                weights[TYPES[tensor.type]] += len(data)
    operators = list(_operators(model))
    kinds = Counter(f"{operator.kind} {operator.computes}" for operator in operators)
    floats = tuple(o.output for o in operators if o.computes == "float32" and o.kind not in BORDER)
    graph = model.subgraphs[0]
    ends = [tuple(TYPES[graph.tensors[i].type] for i in side) for side in (graph.inputs, graph.outputs)]
    return Audit(dict(weights), dict(kinds), ends[0], ends[1], floats)


def layers(file: Path) -> list[str]:
    """The tensors written by operators that hold weights: the layers a mixed file may leave in float."""
    return [o.output for o in _operators(_model(file)) if o.kind in WEIGHTED]


def _model(file: Path) -> Any:
    data = file.read_bytes()
    if data[4:8] != b"TFL3":
        raise ValueError(f"{file}: not a TFLite file (its identifier is {data[4:8]!r}, expected b'TFL3')")
    try:
        return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    except (struct.error, IndexError, TypeError, ValueError) as error:  # an offset that leads out of the file
        raise ValueError(f"{file}: not a whole TFLite file ({error})") from error


def _operators(model: Any) -> Iterator[Operator]:
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            out = graph.tensors[operator.outputs[0]]
            operands = [graph.tensors[i] for i in operator.inputs if i >= 0]
            constants = tuple(TYPES[t.type] for t in operands if _constant(model, t))
            kind = OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]
            yield Operator(kind, out.name.decode(), TYPES[out.type], constants)


def _constant(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0
