"""What each task asks of a manifest: how many labels, which thresholds, whether people are enrolled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import checks
from .errors import ManifestError


@dataclass(frozen=True)
class Rule:
    """One task's rule.

    `threshold` is the range of a threshold, None when there can be none; `threshold_labels` is the number of labels
    it needs, None when any will do; `enrols` says that the manifest tells how a person is enrolled.
    """

    least_labels: int
    threshold: tuple[float, float] | None
    threshold_labels: int | None
    enrols: bool


# classify: one label a clip. transcribe: a sequence of labels a clip, by CTC. verify: is this the person enrolled?
# There the threshold lies on the decision of that person's template, which may be any number.
RULES = {
    "classify": Rule(least_labels=2, threshold=(0.0, 1.0), threshold_labels=2, enrols=False),
    "transcribe": Rule(least_labels=1, threshold=None, threshold_labels=None, enrols=False),
    "verify": Rule(least_labels=0, threshold=checks.FINITE, threshold_labels=None, enrols=True),
}
TASKS = tuple(RULES)


def check_labels(task: str, labels: tuple[str, ...], place: str) -> None:
    """Refuse fewer labels than the task needs."""
    least = RULES[task].least_labels
    if len(labels) < least:
        raise ManifestError(place, f"{len(labels)} labels", f"at least {least} labels for the task {task}")


def check_enrolment(task: str, enrolment: dict[str, Any] | None, place: str) -> None:
    """Refuse an enrolment where nobody is enrolled, and its absence where somebody is."""
    if (enrolment is not None) != RULES[task].enrols:
        allowed = "an object" if RULES[task].enrols else "null"
        raise ManifestError(place, "null" if enrolment is None else "an object", f"{allowed} for the task {task}")


def check_threshold(task: str, labels: tuple[str, ...], threshold: float | None, place: str) -> None:
    """Refuse a threshold the task has no use for, or one outside its range."""
    rule = RULES[task]
    if threshold is None:
        return
    if rule.threshold is None:
        raise ManifestError(place, threshold, f"null for the task {task}")
    if rule.threshold_labels not in (None, len(labels)):
        raise ManifestError(place, f"a threshold with {len(labels)} labels", "null, or two labels")
    checks.number(*rule.threshold)(threshold, place)
