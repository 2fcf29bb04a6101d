"""The models: one file each, and the folder is the list."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Shape = tuple[int | None, ...]  # of one example's features; None for a free axis
REQUIRED = ("FRAMEWORK", "TASK", "METRIC", "teacher", "student")
BROUGHT = ("onnx",)  # frameworks that train nothing: the network comes as a file, so its model's file builds none


class ModelError(ValueError):
    """There is no such model, its file does not say what a model file must, or its network cannot be built as asked."""


@dataclass(frozen=True)
class Model:
    """What a model file declares. `teacher` and `student` build untrained networks in the framework's own terms."""

    name: str
    module: ModuleType

    def teacher(self, shape: Shape, classes: int, settings: dict[str, Any]) -> Any:
        """The untrained teacher for features of `shape`. Raises ModelError that names the settings it takes."""
        return self._build("teacher", shape, classes, settings)

    def student(self, shape: Shape, classes: int, settings: dict[str, Any]) -> Any:
        """The untrained student for features of `shape`. Raises ModelError that names the settings it takes."""
        return self._build("student", shape, classes, settings)

    def _build(self, part: str, shape: Shape, classes: int, settings: dict[str, Any]) -> Any:
        self.check(part, settings)
        try:
            return getattr(self.module, part)(shape, classes, **settings)
        except (TypeError, ValueError) as error:
            place = f"models/{self.name}.py: the {part}"
            raise ModelError(f"{place} cannot be built of {settings} for features of shape {shape}: {error}") from error

    def check(self, part: str, settings: Mapping[str, Any]) -> None:
        """Raises ModelError where the `teacher` or the `student` has no such setting."""
        takes = [
            p.name for p in inspect.signature(getattr(self.module, part)).parameters.values() if p.kind is p.KEYWORD_ONLY
        ]
        unknown = [name for name in settings if name not in takes]
        if unknown:
            place = f"models/{self.name}.py: the {part}"
            raise ModelError(f"{place} has no setting {', '.join(unknown)}; it takes: {', '.join(takes)}")

    @property
    def framework(self) -> str:
        """Which of `frameworks` trains it."""
        return str(self.module.FRAMEWORK)

    @property
    def task(self) -> str:
        """What the runtime makes of the network's output: `classify`, `transcribe` or `verify`."""
        return str(self.module.TASK)

    @property
    def metric(self) -> str:
        """The name of its score in `frameworks.metrics`."""
        return str(self.module.METRIC)


def names() -> list[str]:
    """All models, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Model:
    """The model of that name. Raises ModelError that lists the known ones, or names what its file lacks."""
    if name not in names():
        raise ModelError(f"no model {name!r} in models/; there is: {', '.join(names())}")
    module = importlib.import_module(f"models.{name}")
    required = REQUIRED[:3] if getattr(module, "FRAMEWORK", None) in BROUGHT else REQUIRED
    lacking = [part for part in required if not hasattr(module, part)]
    if lacking:
        raise ModelError(f"models/{name}.py lacks {', '.join(lacking)}; a model file declares {', '.join(required)}")
    return Model(name, module)
