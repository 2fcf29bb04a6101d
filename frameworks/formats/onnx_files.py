"""ONNX networks written small and alike: no word that only says where a file came from, no name that nobody asks for."""

import tempfile
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state as states

WEIGHTED = ("Conv", "Gemm", "MatMul")  # the kinds whose nodes keep their names: a scheme may leave them float

RUNTIME_ERRORS = (states.Fail, states.InvalidArgument, states.RuntimeException, states.NotImplemented)


def write(model: Any, dest: Path) -> None:
    """Writes `model`, the same bytes for the same network. Inferred shapes, histories and long names go: they are a third
    of a small int8 file. Inputs, outputs and nodes of a `WEIGHTED` kind keep their names."""
    graph = model.graph
    del graph.value_info[:], model.metadata_props[:], graph.metadata_props[:]
    model.doc_string = graph.doc_string = ""
    for node in graph.node:
        node.doc_string = ""
        node.name = node.name if node.op_type in WEIGHTED else ""
        del node.metadata_props[:]
        _put_in_order(node.attribute)
    for tensor in graph.initializer:
        tensor.doc_string = ""
        tensor.ClearField("data_location")
    _drop_zero_points(graph)
    _shorten(graph)
    _put_in_order(graph.initializer)
    used = {node.domain for node in graph.node} | {"", "ai.onnx"}
    kept = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    dest.parent.mkdir(parents=True, exist_ok=True)
    dest.write_bytes(model.SerializeToString(deterministic=True))


def prepared(source: Path) -> Any:
    """The network of `source` with normalisation folded into convolutions, constants computed, shapes inferred and every
    node named: as quantization wants it."""
    with tempfile.TemporaryDirectory() as folder:
        optimized = Path(folder) / "optimized.onnx"
        # The basic level fuses nothing into kinds that only ONNX Runtime knows.
        session(source, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC, optimized)
        model = onnx.shape_inference.infer_shapes(onnx.load(optimized), data_prop=True)
    taken = {node.name for node in model.graph.node}
    for number, node in enumerate(model.graph.node):
        node.name = node.name or _free(f"{node.op_type}_{number}", taken)
    return model


def session(file: Path | bytes, level: Any = None, optimized: Path | None = None) -> Any:
    """An ONNX Runtime session of a file or its content, on one thread, for the same bits every time, that says nothing but
    errors. The graph it really runs is written to `optimized`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if level is not None:
        options.graph_optimization_level = level
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    content = str(file) if isinstance(file, Path) else file
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else _free(f"{name}_", taken)


def _drop_zero_points(graph: Any) -> None:
    """Symmetric weights and biases have zero points of zero, which is what a missing one means; but ONNX Runtime computes
    a Gemm in whole numbers only where its weights name theirs."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    asked = {node.input[1] for node in graph.node if node.op_type == "Gemm"}
    for node in graph.node:
        symmetric = node.op_type == "DequantizeLinear" and len(node.input) == 3 and set(node.input) <= set(constants)
        if symmetric and node.output[0] not in asked and not numpy_helper.to_array(constants[node.input[2]]).any():
            del node.input[2]
    used = {name for node in graph.node for name in node.input} | {port.name for port in graph.output}
    if not _nested(graph):
        kept = [tensor for tensor in graph.initializer if tensor.name in used]
        del graph.initializer[:]
        graph.initializer.extend(kept)


def _put_in_order(named: Any) -> None:
    """By name: ONNX Runtime keeps them in tables that are in no order of the network's own."""
    kept = sorted(named, key=lambda one: one.name)
    del named[:]
    named.extend(kept)


def _shorten(graph: Any) -> None:
    """Numbers for tensors' names, in the order they are met; not where an inner graph may ask for a tensor by name."""
    if _nested(graph):
        return
    ends = {port.name for port in (*graph.input, *graph.output)}
    names: dict[str, str] = {"": ""} | {name: name for name in ends}
    taken = set(ends)
    for node in graph.node:
        for side in (node.input, node.output):
            for at, name in enumerate(side):
                if name not in names:
                    names[name] = _free(f"{len(names):x}", taken)
                side[at] = names[name]
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)


def _nested(graph: Any) -> bool:
    kinds = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
    return any(attribute.type in kinds for node in graph.node for attribute in node.attribute)
