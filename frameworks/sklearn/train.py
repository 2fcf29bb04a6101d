"""The projector whose settings tell unseen speakers apart best: every combination is tried on validation."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterGrid

from frameworks import FrameworkError, Outcome, metrics
from frameworks.examples import Examples
from frameworks.progress import Progress
from frameworks.recipe import Train
from frameworks.sklearn.files import load
from frameworks.sklearn.projector import Choice, Projector, fit
from models import Model


def seed(number: int) -> None:
    """Makes this process repeatable: scikit-learn draws from numpy's global generator unless told otherwise."""
    np.random.seed(number)  # noqa: NPY002


def train(model: Model, examples: Examples, recipe: Train) -> Outcome:
    """Fits a projector on train for each combination of the model's settings, and keeps the first of the best on validation.

    `import` names a folder with a network that this framework saved.
    """
    if model.task != "verify":
        raise FrameworkError(f"{model.name} is of the task {model.task}; scikit-learn trains models of the task verify")
    if recipe.import_:
        return Outcome(_imported(Path(recipe.import_), examples), {"imported": recipe.import_})
    grid = ParameterGrid(model.teacher(examples.shape, 0, recipe.network))
    progress = Progress("train", len(grid))
    tried: list[tuple[float, Projector]] = []
    for settings in grid:
        choice = Choice(**settings)
        projector = fit(examples.train, choice)
        tried.append((score(projector, examples), projector))
        progress.step(
            f"{tried[-1][0]:5.2f} %  {choice.whitening} {choice.shrinkage:g}, gamma {choice.gamma:g}, nu {choice.nu:g}"
        )
    rates = [rate for rate, _ in tried]
    best, projector = min(tried, key=lambda pair: pair[0])
    facts = {
        "chosen": asdict(projector.choice),
        "why": f"{best:.2f} % on validation, the first of the best of {len(tried)} combinations; the worst {max(rates):.2f} %",
    }
    curve = [{"phase": "train", "epoch": at, "validation_score": rate} for at, rate in enumerate(rates, 1)]
    return Outcome(calibrated(projector, examples), facts, curve)


def calibrated(projector: Projector, examples: Examples) -> Projector:
    """The projector with what its templates decide of rightful attempts on validation: their mean, and as margin twice the
    deviation of it from speaker to speaker."""
    trials = metrics.choose(examples.metric, examples.labels, projector.settings())
    held = examples.validation
    evidence = trials.evidence(held.labels, projector.outputs(np.asarray(held.features)))
    means = np.array([row[row[:, 1] == 1, 0].mean() for row in evidence])
    typical, margin = (float(f"{number:.6g}") for number in (means.mean(), 2 * means.std()))
    return replace(projector, typical=typical, margin=margin)


def score(projector: Projector, examples: Examples) -> float:
    """The model's metric on validation, in percent."""
    held = examples.validation
    metric = metrics.choose(examples.metric, examples.labels, projector.settings())
    return metric.measure(held.labels, projector.outputs(np.asarray(held.features)))


def _imported(folder: Path, examples: Examples) -> Any:
    network = load(folder)
    wanted = (len(network.mean),) if isinstance(network, Projector) else None
    if wanted != examples.shape:
        raise FrameworkError(
            f"{folder} holds a network for features of shape {wanted}; the front end gives {examples.shape}"
        )
    return network
