"""What an ONNX file really holds: operators, weights by data type, and who takes them."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

SHAPES = ("int32", "int64", "bool", "object")  # reshapes, axes, biases of integer kernels and names: no weights
INTEGERS = ("int8", "uint8", "int4", "uint4")
# Which operands of a kind are weights. The first three compute in whole numbers where both operands come out of a
# DequantizeLinear, since that is where a runtime puts its integer kernel; the others have none.
BY_SURROUNDINGS = {"Conv": (1,), "Gemm": (0, 1), "MatMul": (0, 1)}
ALWAYS_FLOAT = {"ConvTranspose": (1,), "LSTM": (1, 2), "GRU": (1, 2), "RNN": (1, 2), "FusedConv": (1,),
                "FusedGemm": (0, 1), "FusedMatMul": (0, 1)}  # fmt: skip
ALWAYS_INTEGER = {"ConvInteger": (1,), "MatMulInteger": (0, 1), "QLinearConv": (3,), "QLinearMatMul": (0, 3),
                  "QGemm": (3,), "MatMulIntegerToFloat": (1,), "DynamicQuantizeMatMul": (1,),
                  "DynamicQuantizeLSTM": (1, 2)}  # fmt: skip
OPERANDS = {**BY_SURROUNDINGS, **ALWAYS_FLOAT, **ALWAYS_INTEGER}
VIEWS = ("Cast", "Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "QuantizeLinear",
         "DequantizeLinear")  # fmt: skip  # what a constant may go through and still be that constant
SETTINGS = ("Resize", "Upsample")  # their constants are factors, not weights


@dataclass(frozen=True)
class Layer:
    """A node that holds weights: its name, their bytes by the type they are stored in, and whether it computes in whole
    numbers."""

    name: str
    weights: dict[str, int]
    integer: bool


@dataclass(frozen=True)
class Audit:
    """`weights` are constants of more than one number, in bytes by data type; `operators` are counted by kind; `layers` are
    in the order they are computed."""

    weights: dict[str, int]
    operators: dict[str, int]
    layers: tuple[Layer, ...]

    def problems(self, precision: str, float_layers: tuple[str, ...] = (), /, *, micro: bool = False) -> list[str]:
        """Why the file is not what `precision` says, in words; none when it is.

        An int8 file keeps float scales, biases and normalisations; its layers' weights, but those of `float_layers`, are
        whole numbers, and so is what they compute. In a float file every constant counts.
        """
        found = self._not_int8(float_layers) if precision == "int8" else self._not_float(precision)
        return found + (["a micro platform takes TFLite files, not ONNX"] if micro else [])

    def _not_int8(self, float_layers: tuple[str, ...]) -> list[str]:
        judged = [layer for layer in self.layers if layer.name not in float_layers]
        found = []
        for kind in sorted({kind for layer in judged for kind in layer.weights if kind not in INTEGERS}):
            holders = {layer.name: layer.weights[kind] for layer in judged if kind in layer.weights}
            found.append(f"an int8 file holds {kind} weights: {', '.join(holders)} ({sum(holders.values()):,} bytes)")
        strays = [layer.name for layer in judged if set(layer.weights) <= set(INTEGERS) and not layer.integer]
        found += [f"an int8 file computes in float: {', '.join(strays)}"] if strays else []
        whole = any(kind in INTEGERS for layer in self.layers for kind in layer.weights)
        return found + ([] if whole else ["an int8 file holds no int8 weights"])

    def _not_float(self, precision: str) -> list[str]:
        wrong = {kind: size for kind, size in self.weights.items() if kind not in (precision, *SHAPES)}
        found = [f"a {precision} file holds {kind} weights ({size:,} bytes)" for kind, size in sorted(wrong.items())]
        return found + ([f"a {precision} file holds no {precision} weights"] if precision not in self.weights else [])


def audit(file: Path) -> Audit:
    """Reads and checks `file`. Raises ValueError when it is no valid ONNX file, or keeps its weights in other files."""
    graphs = list(_graphs(read(file).graph))
    nodes = [node for graph in graphs for node in graph.node]
    constants = _constants(graphs)
    settings = {name for node in nodes if node.op_type in SETTINGS for name in node.input}
    weights: Counter[str] = Counter()
    for name, constant in constants.items():
        if constant.count > 1 and name not in settings:
            weights[constant.kind] += constant.bytes
    makers = {name: node for node in nodes for name in node.output}
    layers = (_layer(node, makers, constants) for node in nodes if node.op_type in OPERANDS)
    held = tuple(layer for layer in layers if layer.weights)
    return Audit(dict(weights), dict(Counter(node.op_type for node in nodes)), held)


def read(file: Path, *, gather: bool = False) -> Any:
    """The checked network of `file`. Raises ValueError when it is no valid ONNX file, or keeps its weights in other files;
    with `gather` these are read, and the network then holds all."""
    try:
        model = onnx.load(file, load_external_data=gather)
        elsewhere = [t.name for t in model.graph.initializer if t.data_location == TensorProto.EXTERNAL]
        if elsewhere:
            raise ValueError(f"{len(elsewhere)} weights are in other files; allowed: one file that holds all")
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise ValueError(f"{file}: not a valid ONNX file: {error}") from error
    except Exception as error:  # protobuf's DecodeError has no public name that lasts
        if type(error).__name__ != "DecodeError":
            raise
        raise ValueError(f"{file}: not an ONNX file") from error
    return model


def _graphs(graph: Any) -> Iterator[Any]:
    """A graph and those inside its nodes: branches and loops."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from _graphs(inner)


@dataclass(frozen=True)
class _Constant:
    kind: str
    count: int
    bytes: int


NOTHING = _Constant("bool", 0, 0)


def _constants(graphs: list[Any]) -> dict[str, _Constant]:
    """Every constant by name; those that an operator keeps in its attributes (classical ones do) by the operator's."""
    found = {}
    for graph in graphs:
        for tensor in graph.initializer:
            found[tensor.name] = _constant(tensor.data_type, math.prod(tensor.dims))
        for node in graph.node:
            for attribute in node.attribute:
                if node.op_type == "Constant" and attribute.name == "value":
                    found[node.output[0]] = _constant(attribute.t.data_type, math.prod(attribute.t.dims))
                elif node.op_type == "Constant" or node.domain == "ai.onnx.ml":
                    name = node.output[0] + ("" if node.op_type == "Constant" else f".{attribute.name}")
                    found[name] = _constant(TensorProto.FLOAT, len(attribute.floats))
    return found


def _constant(data_type: int, count: int) -> _Constant:
    dtype = helper.tensor_dtype_to_np_dtype(data_type)
    return _Constant(dtype.name, count, count * dtype.itemsize)


def _layer(node: Any, makers: dict[str, Any], constants: dict[str, _Constant]) -> Layer:
    weights: Counter[str] = Counter()
    for at in OPERANDS[node.op_type]:
        held = _held(node.input[at], makers, constants)
        if held.kind not in SHAPES:
            weights[held.kind] += held.bytes
    ready = all(name in makers and makers[name].op_type == "DequantizeLinear" for name in node.input[:2])
    integer = node.op_type in ALWAYS_INTEGER or (node.op_type in BY_SURROUNDINGS and ready)
    return Layer(node.name or node.output[0], dict(weights), integer)


def _held(name: str, makers: dict[str, Any], constants: dict[str, _Constant]) -> _Constant:
    """The constant that an operand really is, however it is viewed; nothing for what is computed."""
    while name not in constants and name in makers and makers[name].op_type in VIEWS:
        name = makers[name].input[0]
    return constants.get(name, NOTHING)
