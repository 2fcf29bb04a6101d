"""How well: everything the gate judges is measured here, through the runtime, whichever framework made the model."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from frameworks.formats import arrays, onnx, tflite


class Audit(Protocol):
    """What a file really holds: bytes of weights by data type, operators by kind."""

    @property
    def weights(self) -> dict[str, int]:
        """Bytes of constants by data type."""

    @property
    def operators(self) -> dict[str, int]:
        """How many of each kind."""

    def problems(self, precision: str, float_layers: tuple[str, ...] = (), /, *, micro: bool = False) -> list[str]:
        """Why the file is not what `precision` says, in words."""


AUDITS: dict[str, Callable[[Path], Audit]] = {"tflite": tflite.audit, "onnx": onnx.audit, "numpy": arrays.audit}
