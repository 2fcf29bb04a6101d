"""A network as plain arrays and a short program over them: it needs numpy and nothing else.

The file is an .npz without pickles. Its member `program` is JSON text (UTF-8 bytes as uint8, or one string): a list
of steps, each `{"op": NAME, ...}`. The first is `{"op": "input", "shape": [...]}`, the shape of one clip's features,
null for an axis of any length. The others are computed in order; `arrays` names the members a step takes:

    {"op": "flatten"}                                            (n, ...) -> (n, product)
    {"op": "affine", "arrays": {"scale": A, "shift": B}}         x A + B along the last axis
    {"op": "dense", "arrays": {"weight": A, "bias": B}}          x A + B, A is (inputs, outputs)
    {"op": "relu"}  {"op": "tanh"}  {"op": "softmax"}            element by element; softmax over the last axis
    {"op": "l2"}                                                 unit length over the last axis

Arrays are float16 or float32 and are computed with in float32.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import archive
from ..errors import BackendFailedError
from .program import Program, compiled

Float32 = NDArray[np.float32]


class ArraysSession:
    """One program; computing changes nothing in it, so many threads may run it at once."""

    def __init__(self, path: Path, program: Program) -> None:
        self._path = path
        self._program: Program | None = program

    def run(self, features: Float32) -> Float32:
        """Outputs (n, ...) of features (n, ...) of the shape the program declares."""
        program = self._program  # a copy: close() may come from another thread
        if program is None:
            raise BackendFailedError("numpy", self._path, "the session was closed")
        return program(features)

    def close(self) -> None:
        """Let the arrays go."""
        self._program = None


def open_session(path: Path, threads: int) -> ArraysSession:  # noqa: ARG001  # numpy's own threads are the process's
    """Open a .npz file; raises BackendFailedError that says what is wrong with its program or its arrays."""
    try:
        return ArraysSession(path, _read(path))
    except ValueError as fault:
        raise BackendFailedError("numpy", path, str(fault)) from fault


def write(path: Path, steps: Sequence[Mapping[str, Any]], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a program and its arrays; the same content gives the same bytes.

    Raises ValueError where `open_session` would refuse the file, and then writes nothing.
    """
    if "program" in arrays:
        raise ValueError("an array named program; allowed: any other name")
    compiled([dict(step) for step in steps], dict(arrays))
    text = json.dumps(list(steps), sort_keys=True, separators=(",", ":"), allow_nan=False)
    archive.write(path, {**arrays, "program": np.frombuffer(text.encode(), np.uint8)})


def _read(path: Path) -> Program:
    arrays = archive.read(path)
    if "program" not in arrays:
        raise ValueError(f"no program among {', '.join(sorted(arrays)) or 'no arrays'}")
    held = arrays.pop("program")
    if held.dtype != np.uint8 and held.dtype.kind != "U":
        raise ValueError(f"a program of {held.dtype}; allowed: JSON text as uint8 or str")
    text = held.tobytes() if held.dtype == np.uint8 else str(held)
    return compiled(text, arrays)
