"""ONNX files made smaller, whichever framework wrote them: static int8, dynamic int8, float16 and lean float32."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime import quantization
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from frameworks.examples import Features
from frameworks.formats import onnx_ranges
from frameworks.formats.onnx_files import WEIGHTED, prepared, write
from frameworks.formats.sessions import answers

# Softmax, normalisations and recurrences stay float: there is no integer kernel on the CPU, or (Softmax) steps of 1/256
# would be all that is left of a probability.
INTEGER = (*WEIGHTED, "Add", "Mul", "Relu", "Clip", "LeakyRelu", "MaxPool", "AveragePool", "GlobalAveragePool",
           "Concat", "Pad", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose")  # fmt: skip
UNCAST = ("Resize", "Upsample")  # their factors are settings, which they want as constants


class Static:
    """Static int8 of one float file: calibrated once a method, so that a choice of float nodes costs little.

    Weights are int8, symmetric, a scale a channel; activations uint8 with a zero point, a scale a tensor: x86 multiplies
    unsigned by signed bytes (int8 activations took 2.6 times as long in a network of depthwise 1-D convolutions). A CPU
    without VNNI adds such products in 16 bits, which may saturate. A node is named as in `weighted`.
    """

    def __init__(self, source: Path, calibration: Features, folder: Path) -> None:
        self.prepared, self.calibration, self.folder = folder / "prepared.onnx", calibration, folder
        onnx.save(_ready(source), self.prepared)
        self.weighted = _weighted(onnx.load(self.prepared))

    def write(self, dest: Path, *, method: str = "minmax", float_nodes: Sequence[str] = ()) -> None:
        """The int8 file in which `float_nodes` compute in float. Raises onnx_ranges.MethodError, and ValueError for a node
        that is not there."""
        strange = sorted(set(float_nodes) - set(self.weighted))
        if strange:
            raise ValueError(f"no node {', '.join(strange)} holds weights; there is: {', '.join(self.weighted)}")
        ranges = self.folder / f"{method}.json"
        if not ranges.exists():
            onnx_ranges.observe(self.prepared, self.calibration, method, list(INTEGER), ranges)
        made = self.folder / "quantized.onnx"
        with _unlogged():
            quantization.quantize_static(
                str(self.prepared),
                str(made),
                quant_format=quantization.QuantFormat.QDQ,
                op_types_to_quantize=list(INTEGER),
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                nodes_to_exclude=list(float_nodes),
                calibrate_method=onnx_ranges.METHODS[method],
                calibration_cache_path=ranges,
            )
        write(onnx.load(made), dest)


def static(
    source: Path, calibration: Features, dest: Path, *, float_nodes: Sequence[str] = (), method: str = "minmax"
) -> None:
    """Writes the static int8 form of the float file `source` to `dest`, ranges from `calibration`.

    `method` is one of minmax, entropy, percentile; `float_nodes` are left float. Raises as `Static.write`.
    """
    with tempfile.TemporaryDirectory() as folder:
        Static(source, calibration, Path(folder)).write(dest, method=method, float_nodes=float_nodes)


def dynamic(source: Path, dest: Path) -> None:
    """Writes the form whose weights are int8 and whose activations get their range at each call. Slower than float where
    there are convolutions; no calibration."""
    with tempfile.TemporaryDirectory() as folder, _unlogged():
        ready, made = Path(folder) / "prepared.onnx", Path(folder) / "quantized.onnx"
        onnx.save(_ready(source), ready)
        quantization.quantize_dynamic(str(ready), str(made), per_channel=True, op_types_to_quantize=[*WEIGHTED, "LSTM"])
        write(onnx.load(made), dest)


def float32(source: Path, dest: Path) -> None:
    """Writes the float form as small as it goes: normalisation folded, constants computed, no histories and long names."""
    write(prepared(source), dest)


def float16(source: Path, dest: Path) -> None:
    """Writes the form whose weights are stored in half precision and cast when the file is opened.

    Arithmetic stays float32: the CPU has no half kernels, and a graph in half, full of casts, took up to twice as long as
    float32 (ONNX Runtime 1.31). Raises ValueError where a weight is beyond what half precision holds.
    """
    model = prepared(source)
    kept = {name for node in model.graph.node if node.op_type in UNCAST for name in node.input}
    casts = [_halved(tensor) for tensor in model.graph.initializer if _halves(tensor) and tensor.name not in kept]
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    write(model, dest)


def weighted(source: Path) -> list[str]:
    """Names of the nodes that hold weights, in the order they are computed: what `float_nodes` may name."""
    return _weighted(prepared(source))


def scores(path: Path, features: Features) -> Any:
    """What a file answers through the runtime's own backend on one thread: (n, ...) float32, or a list where lengths
    differ."""
    return answers(path, "onnx", features)


def _halves(tensor: Any) -> bool:
    """One number alone is an operator's setting, say an epsilon that half precision would make zero."""
    return tensor.data_type == onnx.TensorProto.FLOAT and int(np.prod(tensor.dims)) > 1


def _halved(tensor: Any) -> Any:
    """Makes a constant half and gives the node that makes float32 of it again."""
    name, values = tensor.name, numpy_helper.to_array(tensor)
    if np.abs(values).max() > np.finfo(np.float16).max:
        raise ValueError(f"{name} holds {np.abs(values).max():g}; float16 ends at {np.finfo(np.float16).max:g}")
    half = f"{name}:half"
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
    return onnx.helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT)


def _ready(source: Path) -> Any:
    model = prepared(source)
    add_pre_process_metadata(model)  # or ONNX Runtime's tools advise to do what was done
    return model


def _weighted(model: Any) -> list[str]:
    constants = {tensor.name for tensor in model.graph.initializer}
    return [n.name for n in model.graph.node if n.op_type in WEIGHTED and constants & set(n.input)]


@contextmanager
def _unlogged() -> Iterator[None]:
    """ONNX Runtime's tools give advice through the root logger, which prints where nobody set one up."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
