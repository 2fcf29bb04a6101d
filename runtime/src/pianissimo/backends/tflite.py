"""LiteRT (TensorFlow Lite) on the CPU: float models, and int8 ones with float or int8 at either end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from ..errors import BackendFailedError
from .shapes import fitted

Float32 = NDArray[np.float32]
# The float32 below one half: adding it carries an exact half up to the next whole number by rounding, and
# nothing that is less; adding one half itself would also carry 0.49999997.
BELOW_HALF = np.nextafter(np.float32(0.5), np.float32(0))


@dataclass(frozen=True)
class Port:
    """An input or output tensor: index, type, and for whole numbers its own scale and zero point."""

    index: int
    dtype: np.dtype[Any]
    scale: float
    zero: int
    plain: bool = False  # float32, which needs neither encoding nor decoding

    def encode(self, values: Float32) -> NDArray[Any]:
        """Real values as the tensor holds them."""
        if self.dtype.kind == "f":
            return values.astype(self.dtype, copy=False)
        # TFLite rounds halves away from zero (TfLiteRound); np.rint would round them to even.
        steps = values / np.float32(self.scale)
        steps += np.copysign(BELOW_HALF, steps)
        np.trunc(steps, out=steps)
        steps += np.float32(self.zero)
        limits = np.iinfo(self.dtype)
        np.maximum(steps, np.float32(limits.min), out=steps)
        np.minimum(steps, np.float32(limits.max), out=steps)
        return steps.astype(self.dtype)

    def decode(self, values: NDArray[Any]) -> Float32:
        """What the tensor holds as real values."""
        if self.dtype.kind == "f":
            return values.astype(np.float32, copy=False)
        return (values.astype(np.float32) - np.float32(self.zero)) * np.float32(self.scale)


def _port(detail: dict[str, Any], path: Path) -> Port:
    scale, zero = detail["quantization"]
    dtype = np.dtype(detail["dtype"])
    if dtype.kind not in "fiu" or (dtype.kind != "f" and scale == 0):
        raise BackendFailedError(
            "tflite", path, f"{detail['name']} is {dtype} without a scale; allowed: float or quantized"
        )
    return Port(int(detail["index"]), dtype, float(scale), int(zero), dtype == np.float32)


class TfliteSession:
    """One interpreter behind a lock, since interpreters are not thread-safe."""

    def __init__(self, path: Path, threads: int) -> None:
        self._path, self._lock = path, Lock()
        self._interpreter: Any = Interpreter(model_path=str(path), num_threads=threads)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise BackendFailedError("tflite", path, f"{len(inputs)} inputs, {len(outputs)} outputs; allowed: one each")
        self._input, self._output = _port(inputs[0], path), _port(outputs[0], path)
        self._shape = tuple(int(size) for size in inputs[0]["shape"])
        self._resizable = len(inputs[0]["shape_signature"]) > 0 and int(inputs[0]["shape_signature"][0]) == -1
        self._allocate(self._shape[0])

    def run(self, features: Float32) -> Float32:
        """Outputs (n, ...) in the network's own shape; one with a fixed batch takes the clips one after another."""
        with self._lock:
            if self._interpreter is None:
                raise BackendFailedError("tflite", self._path, "the session was closed")
            values: NDArray[Any] = fitted(features, self._shape)
            if not self._input.plain:
                values = self._input.encode(values)
            if len(values) != self._batch and not self._resized(len(values)):
                return np.concatenate([self._invoke(values[at : at + 1]) for at in range(len(values))])
            return self._invoke(values)

    def close(self) -> None:
        """Let the interpreter go."""
        with self._lock:
            self._interpreter = None

    def _invoke(self, values: NDArray[Any]) -> Float32:
        # A fused LSTM keeps its state from one call to the next, and the clip before would be heard in this one.
        self._interpreter.reset_all_variables()
        self._interpreter.set_tensor(self._input.index, values)
        self._interpreter.invoke()
        outputs: NDArray[Any] = self._interpreter.get_tensor(self._output.index)
        return outputs if self._output.plain else self._output.decode(outputs)

    def _allocate(self, batch: int) -> None:
        if batch != self._shape[0] or self._resizable:
            self._interpreter.resize_tensor_input(self._input.index, [batch, *self._shape[1:]])
        self._interpreter.allocate_tensors()
        self._batch = batch

    def _resized(self, batch: int) -> bool:
        """Take another batch size if the model does; a size baked into an inner layer shows only here."""
        if self._resizable:
            try:
                self._allocate(batch)
                self._interpreter.invoke()
                return True
            except (RuntimeError, ValueError):
                self._resizable = False
        if self._batch != 1:
            self._interpreter.resize_tensor_input(self._input.index, [1, *self._shape[1:]])
            self._interpreter.allocate_tensors()
            self._batch = 1
        return False


def open_session(path: Path, threads: int) -> TfliteSession:
    """Open a .tflite file with this many threads."""
    return TfliteSession(path, threads)
