"""A published network without the runtime: its backend's own calls and nothing else, to compare with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp

Run = Callable[[np.ndarray], object]


def session(model: pp.Model, registry: str) -> Run:
    """The fewest calls that bring features (1, ...) of this model through its network and its output back.

    What an int8 network wants quantized is quantized once, beforehand: the bare call does not pay for it.
    """
    (file,) = (file for file in model.info.files if file.role == "model")
    path = Path(registry, "blobs", "sha256", file.sha256)
    return {"tflite": _tflite, "onnx": _onnx, "numpy": _numpy}[model.info.backend](path)


def _tflite(path: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    (entry,), (end,) = interpreter.get_input_details(), interpreter.get_output_details()
    features = np.zeros(entry["shape"], entry["dtype"])  # convolutions take as long whatever they are given

    def run(_: np.ndarray) -> object:
        interpreter.set_tensor(entry["index"], features)
        interpreter.invoke()
        return interpreter.get_tensor(end["index"])

    return run


def _onnx(path: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    network = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (entry,) = network.get_inputs()
    axes = [size if isinstance(size, int) else None for size in entry.shape]

    def run(features: np.ndarray) -> object:
        return network.run(None, {entry.name: features.reshape(1, *(size or -1 for size in axes[1:]))})

    return run


def _numpy(path: Path) -> Run:
    from pianissimo.backends.arrays import open_session

    return open_session(path, 1).run
