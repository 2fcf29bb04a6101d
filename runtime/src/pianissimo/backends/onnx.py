"""ONNX Runtime on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ..errors import BackendFailedError
from .shapes import fitted

Float32 = NDArray[np.float32]
TYPES: dict[str, type[np.floating[Any]]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
QUIET = 3  # errors only


class OnnxSession:
    """One session; ONNX Runtime lets many threads run it at once."""

    def __init__(self, path: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = QUIET
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        inputs, outputs = session.get_inputs(), session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise BackendFailedError("onnx", path, f"{len(inputs)} inputs, {len(outputs)} outputs; allowed: one each")
        if inputs[0].type not in TYPES:
            raise BackendFailedError("onnx", path, f"an input of {inputs[0].type}; allowed: {', '.join(TYPES)}")
        self._path = path
        self._session: Any = session
        self._name, self._dtype = inputs[0].name, TYPES[inputs[0].type]
        self._outputs = [outputs[0].name]
        self._shape = tuple(size if isinstance(size, int) else None for size in inputs[0].shape)

    def run(self, features: Float32) -> Float32:
        """Outputs (n, ...) in the network's own shape; one with a fixed batch takes the clips one after another."""
        session = self._session  # a copy: close() may come from another thread
        if session is None:
            raise BackendFailedError("onnx", self._path, "the session was closed")
        values = fitted(features, self._shape).astype(self._dtype, copy=False)
        step = self._shape[0] or len(values)
        if len(values) == step:
            return np.asarray(session.run(self._outputs, {self._name: values})[0], np.float32)
        cuts = range(0, len(values), step)
        parts = [session.run(self._outputs, {self._name: values[at : at + step]})[0] for at in cuts]
        return np.concatenate(parts).astype(np.float32, copy=False)

    def close(self) -> None:
        """Let the session go."""
        self._session = None


def open_session(path: Path, threads: int) -> OnnxSession:
    """Open an .onnx file with this many threads."""
    return OnnxSession(path, threads)
