"""The backends by name; a manifest chooses one, and only that one is imported."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendFailedError, BackendMissingError, PianissimoError

Float32 = NDArray[np.float32]


class Session(Protocol):
    """An opened network."""

    def run(self, features: Float32) -> Float32:
        """Outputs of features (n, ...), float32: (n, classes), (n, frames, classes) or (n, dims); safe in threads."""

    def close(self) -> None:
        """Let the memory go."""


class BackendModule(Protocol):
    """What a backend's module offers."""

    def open_session(self, path: Path, threads: int) -> Session:
        """Open a model file."""


@dataclass(frozen=True)
class Backend:
    """Where a backend lives here, and the extra that installs what it needs; None when numpy is all.

    `concurrent`: many threads may compute in one session at once, instead of one after another.
    """

    module: str
    extra: str | None
    concurrent: bool


BACKENDS = {
    "tflite": Backend("pianissimo.backends.tflite", "tflite", concurrent=False),
    "onnx": Backend("pianissimo.backends.onnx", "onnx", concurrent=True),
    "numpy": Backend("pianissimo.backends.arrays", None, concurrent=True),
}


def find(name: str) -> BackendModule:
    """The named backend, imported. Raises BackendMissingError."""
    if name not in BACKENDS:
        raise BackendMissingError(name, f"this version knows {', '.join(BACKENDS)}; a newer one may know more")
    backend = BACKENDS[name]
    try:
        return cast(BackendModule, import_module(backend.module))
    except ImportError as fault:
        package = f"pianissimo[{backend.extra}]" if backend.extra else "pianissimo"
        raise BackendMissingError(name, f"pip install '{package}' ({fault})") from fault


def open_session(name: str, path: Path, threads: int) -> Session:
    """Open a model file with the named backend. Raises BackendMissingError, BackendFailedError."""
    module = find(name)
    try:
        return module.open_session(path, threads)
    except PianissimoError:
        raise
    except Exception as fault:  # a native library may raise anything, and the next variant may still open
        raise BackendFailedError(name, path, f"{type(fault).__name__}: {fault}") from fault
