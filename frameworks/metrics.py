"""Scores by name, in percent: each breaks down into one row of evidence an example, so that examples can be drawn again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from frameworks import phonemes

Outputs = Any
"""What a network answers: (n, ...) float32, or a list of arrays where lengths differ."""


@dataclass(frozen=True)
class Metric:
    """A score in percent; `better` is +1 where higher is better and -1 where lower is.

    `evidence(labels, outputs)` has one row for each thing that can be drawn again (a clip; for `eer` an enrolled speaker),
    and `score(evidence)` makes the percentage of any of its rows, so that a bootstrap computes no network twice.
    `threshold(evidence)` is the decision threshold that fits, and `errors(evidence, threshold)` are false accepts and false
    rejects in percent at one; both None where the task has none.
    """

    name: str
    task: str
    evidence: Callable[[np.ndarray, Outputs], np.ndarray]
    score: Callable[[np.ndarray], float]
    better: int
    threshold: Callable[[np.ndarray], float] | None = None
    errors: Callable[[np.ndarray, float], tuple[float, float]] | None = None

    def measure(self, labels: np.ndarray, outputs: Outputs) -> float:
        """The score of outputs against labels, in percent."""
        return self.score(self.evidence(labels, outputs))

    def drop(self, before: float, after: float) -> float:
        """Points lost from `before` to `after`: positive is worse, whichever way is better."""
        return self.better * (before - after)


class MetricError(LookupError):
    """A model names a metric that is not here, or one that does not fit its task or labels."""


def choose(name: str, labels: Sequence[str] = (), settings: Mapping[str, Any] | None = None) -> Metric:
    """The metric of that name for these labels (none where only its task and direction are asked for).

    `settings` are a network's own (`Framework.settings`), which `eer` needs to enrol. Raises MetricError that lists what
    there is.
    """
    if name not in METRICS:
        raise MetricError(f"no metric {name!r}; there is: {', '.join(sorted(METRICS))}")
    return METRICS[name](tuple(labels), dict(settings or {}))


def _answers(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(n, 2): the label and the class with the highest score."""
    return np.stack([labels, scores.argmax(axis=1)], axis=1)


def accuracy(answers: np.ndarray) -> float:
    """Share of examples whose highest score is at their label, in percent."""
    return float(100 * np.mean(answers[:, 0] == answers[:, 1]))


def macro_f1(answers: np.ndarray) -> float:
    """Mean over the labels that occur of 2 TP / (2 TP + FP + FN), in percent."""
    wanted, given = answers.T
    scores = []
    for label in np.unique(wanted):
        hits = np.sum((wanted == label) & (given == label))
        scores.append(2 * hits / (np.sum(wanted == label) + np.sum(given == label)))
    return float(100 * np.mean(scores))


def icbhi(answers: np.ndarray, normal: int) -> float:
    """Mean of sensitivity and specificity as ICBHI 2017 defines them (Rocha et al. 2019), in percent: the share of abnormal
    clips given their very class, and the share of normal clips called normal. Needs one of each, else it counts the one."""
    is_normal, right = answers[:, 0] == normal, answers[:, 0] == answers[:, 1]
    sides = [right[side].mean() for side in (is_normal, ~is_normal) if side.any()]
    return float(100 * np.mean(sides))


def _icbhi(labels: tuple[str, ...], _settings: dict[str, Any]) -> Metric:
    if labels and "normal" not in labels:
        raise MetricError(f"icbhi needs the label 'normal'; the corpus has: {', '.join(labels)}")
    normal = labels.index("normal") if labels else 0
    return Metric("icbhi", "classify", _answers, lambda answers: icbhi(answers, normal), +1)


def _eer(_labels: tuple[str, ...], settings: dict[str, Any]) -> Metric:
    from frameworks import equal_error  # enrols with scikit-learn, which is slow to import

    trials = equal_error.Trials(settings)
    return Metric("eer", "verify", trials.evidence, equal_error.rate, -1, equal_error.threshold, equal_error.errors_at)


METRICS: dict[str, Callable[[tuple[str, ...], dict[str, Any]], Metric]] = {
    "accuracy": lambda labels, settings: Metric("accuracy", "classify", _answers, accuracy, +1),
    "macro_f1": lambda labels, settings: Metric("macro_f1", "classify", _answers, macro_f1, +1),
    "icbhi": _icbhi,
    "phoneme_error_rate": lambda labels, settings: Metric(
        "phoneme_error_rate", "transcribe", phonemes.errors, phonemes.error_rate, -1
    ),
    "eer": _eer,
}


def drop_interval(
    before: tuple[Metric, np.ndarray], after: tuple[Metric, np.ndarray], *, resamples: int, seed: int
) -> tuple[float, float]:
    """95 % interval of the drop in points: a paired bootstrap over the rows of evidence (Efron and Tibshirani 1993, ch. 13).

    Paired: both networks are scored on the same resample, so what is hard for both does not widen the interval.
    """
    rng = np.random.default_rng(seed)
    (metric, first), (other, second) = before, after
    drops = np.empty(resamples)
    for k in range(resamples):
        chosen = rng.integers(0, len(first), len(first))
        drops[k] = metric.drop(metric.score(first[chosen]), other.score(second[chosen]))
    low, high = np.percentile(drops, [2.5, 97.5])
    return float(low), float(high)
