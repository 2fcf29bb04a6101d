"""A TFLite file whose arrays can be written in place, and what its tensors hold while it runs."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from frameworks.formats.tflite import OPERATORS

# Operators that have (input, weights, bias) as operands, and their options.
LAYERS = {
    "CONV_2D": schema.Conv2DOptions,
    "DEPTHWISE_CONV_2D": schema.DepthwiseConv2DOptions,
    "FULLY_CONNECTED": schema.FullyConnectedOptions,
}


def options(operator: Any, kind: str) -> Any:
    """The options of an operator of that kind, one of LAYERS."""
    table, found = operator.BuiltinOptions(), LAYERS[kind]()
    found.Init(table.Bytes, table.Pos)
    return found


class Views:
    """The first graph of a TFLite file. Arrays are views of `content`: what is written into them, the file then says."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)
        self.model = schema.Model.GetRootAsModel(self.content, 0)
        self.graph = self.model.Subgraphs(0)
        self.operators = [self.graph.Operators(i) for i in range(self.graph.OperatorsLength())]

    def kind(self, operator: Any) -> str:
        """What an operator is: CONV_2D, say."""
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        return str(OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())])

    def shape(self, tensor: int) -> tuple[int, ...]:
        """A tensor's shape."""
        return tuple(int(size) for size in self.graph.Tensors(tensor).ShapeAsNumpy())

    def values(self, tensor: int, dtype: type) -> np.ndarray:
        """What a constant tensor holds, in its shape."""
        data = self.model.Buffers(self.graph.Tensors(tensor).Buffer()).DataAsNumpy()
        return np.asarray(data.view(dtype).reshape(self.shape(tensor)))

    def scales(self, tensor: int) -> np.ndarray:
        """(1,) or (channels,) float32."""
        return np.asarray(self.graph.Tensors(tensor).Quantization().ScaleAsNumpy())

    def zeros(self, tensor: int) -> np.ndarray:
        """(1,) or (channels,) int64."""
        return np.asarray(self.graph.Tensors(tensor).Quantization().ZeroPointAsNumpy())

    def is_int8(self, tensor: int) -> bool:
        """Whether a tensor's values are int8."""
        return bool(self.graph.Tensors(tensor).Type() == schema.TensorType.INT8)

    def readers(self, tensor: int) -> list[Any]:
        """The operators that take a tensor."""
        return [operator for operator in self.operators if tensor in operator.InputsAsNumpy()]

    def held(self, tensor: int, examples: np.ndarray) -> np.ndarray:
        """What a tensor holds for each of `examples` (n, ...), as real values (n, ...) float32: kernels of plain TFLite, one
        thread, so that it is the same every time."""
        run = Interpreter(
            model_content=bytes(self.content),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        run.allocate_tensors()
        door = int(self.graph.Inputs(0))
        found = np.empty((len(examples), *self.shape(tensor)[1:]), np.float32)
        for row, example in enumerate(examples):
            run.set_tensor(door, self._encoded(door, example[None]))
            run.invoke()
            found[row] = self._decoded(tensor, run.get_tensor(tensor))[0]
        return found

    def _encoded(self, tensor: int, values: np.ndarray) -> np.ndarray:
        if not self.is_int8(tensor):
            return values.astype(np.float32, copy=False)
        steps = np.rint(values / self.scales(tensor)) + self.zeros(tensor)
        return np.asarray(np.clip(steps, -128, 127), np.int8)

    def _decoded(self, tensor: int, values: np.ndarray) -> np.ndarray:
        if not self.is_int8(tensor):
            return values
        return np.asarray((values.astype(np.float32) - self.zeros(tensor)) * self.scales(tensor), np.float32)
