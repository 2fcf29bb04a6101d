"""The parity ladder: the same clips through every form of a model, from the framework to raw audio in the runtime.

Each rung is held against the one before it. A float rung may differ by rounding only; a rung that quantizes may change
answers, but few of them. The first rung that breaks is named, so that a lost point has an address.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from frameworks import answers
from frameworks.metrics import Metric

Rule = Callable[[str, float, float, float], str]

EXACT = 1e-5  # probabilities of two float forms of one network
HALF = 1e-2  # float16 weights keep 11 bits
LOST = 1.0  # points a quantized form may lose


@dataclass(frozen=True)
class Rung:
    """One form: its name, its outputs, and what it may do to the form before it (`kind`, a key of RULES)."""

    name: str
    kind: str
    metric: Metric
    outputs: Any


@dataclass(frozen=True)
class Step:
    """A rung beside the one below it: score in percent, points lost, answers kept in percent, largest and mean distance.
    Distances are None where two networks answer in different shapes."""

    name: str
    kind: str
    score: float
    drop: float
    agreement: float
    distance: float | None
    mean_distance: float | None
    broken: str


def climb(labels: np.ndarray, rungs: list[Rung]) -> list[Step]:
    """Every rung against the one before it; the first against itself."""
    steps, below, under = [], rungs[0], rungs[0].metric.measure(labels, rungs[0].outputs)
    for rung in rungs:
        score = rung.metric.measure(labels, rung.outputs)
        steps.append(_step(below, rung, under, score))
        below, under = rung, score
    return steps


def first_broken(steps: list[Step]) -> str:
    """The first rung that breaks and why, or nothing."""
    return next((f"{step.name}: {step.broken}" for step in steps if step.broken), "")


def _step(below: Rung, rung: Rung, under: float, score: float) -> Step:
    drop = rung.metric.drop(under, score)
    agreement = answers.agreement(rung.metric.task, below.outputs, rung.outputs)
    distance, mean = answers.distance(below.outputs, rung.outputs)
    broken = RULES[rung.kind](rung.metric.task, distance, agreement, drop)
    shown = [value if isfinite(value) else None for value in (distance, mean)]
    return Step(rung.name, rung.kind, score, drop, agreement, shown[0], shown[1], broken)


def _within(limit: float) -> Rule:
    return lambda task, distance, agreement, drop: (
        f"outputs differ by up to {distance:.2g}, allowed {limit:g}" if not distance <= limit else ""
    )


def _keeps_answers(task: str, _distance: float, agreement: float, drop: float) -> str:
    allowed = answers.KEPT[task]
    if agreement >= allowed and drop <= LOST:
        return ""
    return f"only {agreement:.1f} % of answers are kept and {drop:.2f} points lost, allowed {allowed:g} % and {LOST:g} point"


RULES: dict[str, Rule] = {
    "first": lambda task, distance, agreement, drop: "",
    "smaller": lambda task, distance, agreement, drop: "",  # another network: its drop is judged by the gate
    "float": _within(EXACT),
    "float16": _within(HALF),
    "int8": _keeps_answers,
    "same": _within(EXACT),
}
