"""What an ONNX network weighs and costs: parameters as they ship, multiply-accumulates by the shapes a real call has."""

import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from frameworks import Size
from frameworks.formats import onnx_files, onnx_ranges
from frameworks.onnx.files import Network

Shapes = dict[str, tuple[int, ...]]


def size(network: Network) -> Size:
    """Parameters are the constants of more than one number; normalisation was folded when the network was brought in."""
    model = onnx.load_from_string(network.content)
    held = [t for t in model.graph.initializer if t.data_type == TensorProto.FLOAT and math.prod(t.dims) > 1]
    parameters = sum(math.prod(tensor.dims) for tensor in held)
    content = b"".join(numpy_helper.to_array(tensor).tobytes() for tensor in held)
    return Size(parameters, _macs(model, network.shape), 4 * parameters, len(zlib.compress(content, 9)))


def _macs(model: Any, shape: tuple[int, ...]) -> int:
    """Of one example: the graph is run once and asked for the shapes between its nodes."""
    nodes = [node for node in model.graph.node if node.op_type in MACS]
    shapes: Shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    between = dict.fromkeys(name for node in nodes for name in (*node.input, *node.output) if name)
    asked = [name for name in between if name not in shapes]
    ends = {port.name for port in (*model.graph.input, *model.graph.output)}
    unknown = [helper.make_empty_tensor_value_info(name) for name in asked if name not in ends]
    model.graph.output.extend(unknown)
    session = onnx_files.session(model.SerializeToString(), onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    (feed,) = onnx_ranges.clips(session, np.zeros((1, *shape), np.float32))
    shapes |= {name: value.shape for name, value in feed.items()}
    names = [port.name for port in session.get_outputs()]
    shapes |= {name: value.shape for name, value in zip(names, session.run(names, feed), strict=True)}
    return sum(MACS[node.op_type](node, shapes) for node in nodes)


def _conv(node: Any, shapes: Shapes) -> int:
    """A kernel (out, in / groups, …) at every place of the output."""
    return math.prod(shapes[node.input[1]]) * math.prod(shapes[node.output[0]][2:])


def _transposed(node: Any, shapes: Shapes) -> int:
    """A kernel (in, out / groups, …) at every place of the input."""
    return math.prod(shapes[node.input[1]]) * math.prod(shapes[node.input[0]][2:])


def _product(node: Any, shapes: Shapes) -> int:
    """Each number of the output sums over the first operand's inner axis, which a Gemm may have transposed."""
    turned = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
    inner = shapes[node.input[0]][0 if turned else -1]
    return math.prod(shapes[node.output[0]]) * inner


def _recurrent(node: Any, shapes: Shapes) -> int:
    """Both matrices at every step of (steps, batch, inputs)."""
    return shapes[node.input[0]][0] * sum(math.prod(shapes[name]) for name in node.input[1:3])


MACS: dict[str, Callable[[Any, Shapes], int]] = {
    "Conv": _conv,
    "ConvTranspose": _transposed,
    "Gemm": _product,
    "MatMul": _product,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
}
