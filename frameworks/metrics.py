"""Scores by name: each takes labels (n,) and scores (n, classes) and answers in percent, with which way is better."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Measure = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Metric:
    """A score in percent; `better` is +1 where higher is better and -1 where lower is."""

    name: str
    measure: Measure
    better: int

    def drop(self, before: float, after: float) -> float:
        """Points lost from `before` to `after`: positive is worse, whichever way is better."""
        return self.better * (before - after)


class MetricError(LookupError):
    """A model names a metric that is not here."""


def accuracy(labels: np.ndarray, scores: np.ndarray) -> float:
    """Share of examples whose highest score is at their label, in percent."""
    return float(100 * np.mean(scores.argmax(axis=1) == labels))


METRICS = {metric.name: metric for metric in (Metric("accuracy", accuracy, +1),)}


def choose(name: str) -> Metric:
    """The metric of that name. Raises MetricError that lists what there is."""
    if name not in METRICS:
        raise MetricError(f"no metric {name!r}; there is: {', '.join(sorted(METRICS))}")
    return METRICS[name]


def drop_interval(
    metric: Metric, labels: np.ndarray, before: np.ndarray, after: np.ndarray, *, resamples: int, seed: int
) -> tuple[float, float]:
    """95 % interval of the drop in points: a paired bootstrap over examples (Efron and Tibshirani 1993, chapter 13).

    Paired: both networks are scored on the same resample, so what is hard for both does not widen the interval.
    """
    rng = np.random.default_rng(seed)
    drops = np.empty(resamples)
    for k in range(resamples):
        chosen = rng.integers(0, len(labels), len(labels))
        drops[k] = metric.drop(
            metric.measure(labels[chosen], before[chosen]), metric.measure(labels[chosen], after[chosen])
        )
    low, high = np.percentile(drops, [2.5, 97.5])
    return float(low), float(high)
