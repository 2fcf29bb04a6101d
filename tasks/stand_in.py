"""A small model of another framework, for platforms that cannot run the student: made by `distill`, converted by `convert`."""

from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

import frameworks
from frameworks import FrameworkError, metrics
from frameworks.examples import Examples
from tasks.command import Job

FOLDER = Path("network") / "stand_in"  # inside what distill leaves, so that it goes where the student goes


class Maker(Protocol):
    """A framework that can stand in for another."""

    def stand_in(self, examples: Examples, soft: np.ndarray, settings: dict[str, Any]) -> Any:
        """A network fitted to the labels and to the teacher's answers (n, classes) on train."""


def make(job: Job, examples: Examples, soft: np.ndarray) -> dict[str, Any]:
    """Fits and saves the stand-in; the facts say what it scores on validation and what it weighs."""
    wanted = job.section.stand_in
    framework = frameworks.choose(wanted.framework)
    if not hasattr(framework, "stand_in"):
        raise FrameworkError(f"distill.stand_in.framework: {wanted.framework!r} makes no stand-ins; sklearn does")
    framework.seed(job.recipe.seed)
    network = cast(Maker, framework).stand_in(examples, soft, dict(wanted.network))
    framework.save(network, job.dest / FOLDER)
    metric, held = metrics.choose(examples.metric, examples.labels), examples.validation
    score = metric.measure(held.labels, framework.predict(network, held.features))
    return {"framework": wanted.framework, "score": score, "parameters": framework.size(network).parameters}


def load(distill: Path, framework: str) -> Any:
    """The stand-in that `distill` left."""
    return frameworks.choose(framework).load(distill / FOLDER)
