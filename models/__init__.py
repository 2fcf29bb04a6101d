"""The models: one file each, and the folder is the list."""

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType

REQUIRED = ("FRAMEWORK", "TASK", "METRIC", "teacher", "student")


class ModelError(LookupError):
    """There is no such model, or its file does not say what a model file must."""


@dataclass(frozen=True)
class Model:
    """What a model file declares. `teacher` and `student` build untrained networks in the framework's own terms."""

    name: str
    module: ModuleType

    @property
    def framework(self) -> str:
        """Which of `frameworks` trains it."""
        return str(self.module.FRAMEWORK)

    @property
    def task(self) -> str:
        """What the runtime makes of the network's output (`classify`)."""
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
    lacking = [part for part in REQUIRED if not hasattr(module, part)]
    if lacking:
        raise ModelError(f"models/{name}.py lacks {', '.join(lacking)}; a model file declares {', '.join(REQUIRED)}")
    return Model(name, module)
