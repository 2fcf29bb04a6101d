"""The parity ladder: the same clips through every form of a model, from the framework to raw audio in the runtime.

Each rung is held against the one before it. A float rung may differ by rounding only; a rung that quantizes may change
answers, but few of them. The first rung that breaks is named, so that a lost point has an address.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from frameworks.metrics import Metric

Rule = Callable[[float, float, float], str]

EXACT = 1e-5  # probabilities of two float forms of one network
HALF = 1e-2  # float16 weights keep 11 bits
AGREEMENT, LOST = 98.0, 1.0  # percent of labels a quantized form keeps, and the points it may lose


@dataclass(frozen=True)
class Rung:
    """One form: its name, its scores (n, classes), and what it may do to the form before it (`kind`, a key of RULES)."""

    name: str
    kind: str
    scores: np.ndarray


@dataclass(frozen=True)
class Step:
    """A rung beside the one below it: score in percent, points lost, labels kept in percent, largest and mean distance."""

    name: str
    kind: str
    score: float
    drop: float
    agreement: float
    distance: float
    mean_distance: float
    broken: str


def climb(metric: Metric, labels: np.ndarray, rungs: list[Rung]) -> list[Step]:
    """Every rung against the one before it; the first against itself."""
    steps, below = [], rungs[0]
    for rung in rungs:
        steps.append(_step(metric, labels, below, rung))
        below = rung
    return steps


def first_broken(steps: list[Step]) -> str:
    """The first rung that breaks and why, or nothing."""
    return next((f"{step.name}: {step.broken}" for step in steps if step.broken), "")


def _step(metric: Metric, labels: np.ndarray, below: Rung, rung: Rung) -> Step:
    score = metric.measure(labels, rung.scores)
    drop = metric.drop(metric.measure(labels, below.scores), score)
    agreement = float(100 * np.mean(rung.scores.argmax(axis=1) == below.scores.argmax(axis=1)))
    apart = np.abs(rung.scores.astype(np.float64) - below.scores)
    distance = float(apart.max())
    return Step(
        rung.name,
        rung.kind,
        score,
        drop,
        agreement,
        distance,
        float(apart.mean()),
        RULES[rung.kind](distance, agreement, drop),
    )


def _within(limit: float) -> Rule:
    return lambda distance, agreement, drop: (
        f"scores differ by up to {distance:.2g}, allowed {limit:g}" if not distance <= limit else ""
    )


def _keeps_labels(_distance: float, agreement: float, drop: float) -> str:
    if agreement >= AGREEMENT and drop <= LOST:
        return ""
    return f"only {agreement:.1f} % of labels are kept and {drop:.2f} points lost, allowed {AGREEMENT:g} % and {LOST:g} point"


RULES: dict[str, Rule] = {
    "first": lambda distance, agreement, drop: "",
    "smaller": lambda distance, agreement, drop: "",  # another network: its drop is judged by the gate
    "float": _within(EXACT),
    "float16": _within(HALF),
    "int8": _keeps_labels,
    "same": _within(EXACT),
}
