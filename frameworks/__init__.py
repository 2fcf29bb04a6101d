"""How models are made small: the protocol every framework's module satisfies, and the one place that chooses by name."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from frameworks.examples import Examples, Features
from frameworks.recipe import Distill, Prune, Quantize, Train, Variant
from models import Model

FRAMEWORKS = ("keras", "torch", "sklearn", "onnx")


class FrameworkError(ValueError):
    """A recipe asks for a framework that is not here, or asks one for what it cannot do."""


class NotApplicableError(FrameworkError):
    """A stage cannot be done to this network, for a reason that is no fault: the stage is skipped and says why."""


@dataclass(frozen=True)
class Outcome:
    """What a stage made: the network, the facts its record shows, and a row a training epoch."""

    network: Any
    facts: dict[str, Any] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Scheme:
    """How files are to be quantized: the networks to make them from, by name, and `plan`, what `convert` follows.

    `plan` has a key a target ("int8", and "micro" where int8 must hold throughout) with the method, the network's name
    and the layers that stay float.
    """

    networks: dict[str, Any]
    plan: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Size:
    """Parameters as they ship, multiply-accumulates of one prediction, and float32 weights in bytes, as they are and
    compressed (zeroed weights save nothing until something compresses them)."""

    parameters: int
    macs: int
    bytes: int
    compressed_bytes: int


class Framework(Protocol):
    """What a framework can do. `network` is its own object; `features` and outputs are as `examples.Features` has them.

    Outputs by task: classify, probabilities (n, classes); transcribe, a list of probabilities (frames, classes + 1), CTC's
    blank last; verify, vectors (n, dims).
    """

    def seed(self, number: int) -> None:
        """Makes this process repeatable."""

    def train(self, model: Model, examples: Examples, recipe: Train) -> Outcome:
        """The float teacher, trained here or brought in as `recipe.import_` says."""

    def distill(self, model: Model, teacher: Any, examples: Examples, recipe: Distill) -> Outcome:
        """The student, with the teacher or without, whichever did better. The teacher takes `Part.teacher_features()`."""

    def prune(self, network: Any, examples: Examples, recipe: Prune) -> Outcome:
        """A narrower and sparser network, within the recipe's drop."""

    def quantize(self, network: Any, examples: Examples, recipe: Quantize) -> Scheme:
        """How each layer is to be quantized; nothing is written yet."""

    def convert(
        self,
        network: Any,
        target: dict[str, Any],
        variant: Variant,
        examples: Examples,
        file: Path,
        *,
        micro: bool = False,
    ) -> None:
        """Writes `network` to `file` as `variant` says, by the scheme's plan for its target."""

    def predict(self, network: Any, features: Features) -> Any:
        """The framework's own outputs."""

    def settings(self, network: Any) -> dict[str, Any]:
        """What the runtime must know beside the file: how to enrol, for verify; nothing otherwise."""

    def save(self, network: Any, folder: Path) -> None:
        """Writes a network, the same bytes for the same weights."""

    def load(self, folder: Path) -> Any:
        """The network in a folder."""

    def size(self, network: Any) -> Size:
        """What a network weighs and costs."""

    def one_thread(self) -> None:
        """Computes on one thread from here on; must come before anything is computed."""

    def caller(self, network: Any) -> Callable[[np.ndarray], Any]:
        """The framework's fastest call for one example, its features with a batch axis of one."""


def choose(name: str) -> Framework:
    """The framework's module; importing it imports its library. Raises FrameworkError that lists what there is."""
    if name not in FRAMEWORKS:
        raise FrameworkError(f"no framework {name!r}; there is: {', '.join(FRAMEWORKS)}")
    return cast(Framework, importlib.import_module(f"frameworks.{name}"))
