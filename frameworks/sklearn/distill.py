"""Fewer support vectors in everybody's template: as few as decide like the teacher's, by validation."""

from dataclasses import replace
from typing import Any

import numpy as np

from frameworks import Outcome, metrics
from frameworks.examples import Examples
from frameworks.progress import Progress
from frameworks.recipe import Distill
from frameworks.sklearn.projector import Projector
from frameworks.sklearn.train import calibrated
from models import Model


def distill(model: Model, teacher: Projector, examples: Examples, recipe: Distill) -> Outcome:
    """Keeps the smallest `support` of the student's settings whose equal error rate is within `max_drop` of the teacher's.

    The projector stays as it is: `prune` narrows it. Facts tell each attempt's rate, and how far its decisions lie from
    the teacher's, in shares of their deviation.
    """
    student = model.student(examples.shape, 0, recipe.network)
    whole, wanted = _decisions(teacher, examples)
    tried: list[dict[str, Any]] = []
    progress = Progress("distill", len(student["support"]))
    for support in sorted(student["support"]):
        rate, decisions = _decisions(_with(teacher, support), examples)
        distance = float(np.nanmean(np.abs(decisions - wanted)) / np.nanstd(wanted))
        tried.append({"support": support, "score": rate, "distance": distance, "drop": rate - whole})
        progress.step(f"{support} vectors: {rate:.2f} % against {whole:.2f} %")
    good = [attempt for attempt in tried if attempt["drop"] <= student["max_drop"]]
    kept = good[0]["support"] if good else teacher.choice.support
    why = f"the fewest within {student['max_drop']:g} points" if good else "none was within max_drop"
    facts = {"teacher": whole, "teacher_support": teacher.choice.support, "kept": kept, "why": why, "attempts": tried}
    curve = [{"phase": "distill", "epoch": at, "validation_score": a["score"]} for at, a in enumerate(tried, 1)]
    return Outcome(calibrated(_with(teacher, kept), examples), facts, curve)


def _with(projector: Projector, support: int) -> Projector:
    return replace(projector, choice=replace(projector.choice, support=support))


def _decisions(projector: Projector, examples: Examples) -> tuple[float, np.ndarray]:
    """Equal error rate on validation, and the decisions of all its trials."""
    held = examples.validation
    metric = metrics.choose(examples.metric, examples.labels, projector.settings())
    evidence = metric.evidence(held.labels, projector.outputs(np.asarray(held.features)))
    return metric.score(evidence), evidence[..., 0]
