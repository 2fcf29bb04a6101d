"""Scores, the direction of a drop, and how sure one may be of it."""

from __future__ import annotations

import numpy as np
import pytest

from frameworks import metrics
from frameworks.metrics import Metric, MetricError

LABELS = np.array([0, 1, 2, 1])
RIGHT = np.eye(3, dtype=np.float32)[LABELS]


def with_errors(count: int, size: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Labels (size,) and scores that miss the first `count` of them."""
    labels = np.arange(size) % 4
    scores = np.eye(4, dtype=np.float32)[labels]
    scores[:count] = np.roll(scores[:count], 1, axis=1)
    return labels, scores


def test_accuracy_is_in_percent() -> None:
    measure = metrics.choose("accuracy").measure
    assert measure(LABELS, RIGHT) == 100.0
    assert measure(LABELS, np.roll(RIGHT, 1, axis=1)) == 0.0
    assert measure(*with_errors(100)) == 75.0


def test_a_drop_is_positive_when_things_got_worse() -> None:
    higher, lower = Metric("accuracy", metrics.accuracy, +1), Metric("errors", metrics.accuracy, -1)
    assert higher.drop(97.0, 95.5) == pytest.approx(1.5)
    assert higher.drop(95.5, 97.0) == pytest.approx(-1.5)
    assert lower.drop(3.0, 4.5) == pytest.approx(1.5)
    assert lower.drop(4.5, 3.0) == pytest.approx(-1.5)


def test_an_unknown_metric_lists_the_known() -> None:
    with pytest.raises(MetricError, match="no metric 'f1'; there is: accuracy"):
        metrics.choose("f1")


def interval(before: int, after: int, better: int = +1, seed: int = 1) -> tuple[float, float]:
    labels, first = with_errors(before)
    metric = Metric("accuracy", metrics.accuracy, better)
    return metrics.drop_interval(metric, labels, first, with_errors(after)[1], resamples=300, seed=seed)


def test_equal_scores_leave_no_doubt() -> None:
    """Paired: what both miss, both miss in every resample."""
    assert interval(40, 40) == (0.0, 0.0)


def test_the_interval_holds_the_drop() -> None:
    low, high = interval(4, 20)
    assert 0 < low < 4.0 < high < 8.0


def test_a_drop_that_may_be_chance_covers_nothing_lost() -> None:
    labels, before = with_errors(20)
    after = before.copy()
    after[:10], after[20:30] = (
        np.roll(after[:10], -1, axis=1),
        np.roll(after[20:30], 1, axis=1),
    )  # ten mended, ten broken
    low, high = metrics.drop_interval(metrics.choose("accuracy"), labels, before, after, resamples=300, seed=1)
    assert low < 0 < high


def test_the_interval_turns_with_the_metric() -> None:
    low, high = interval(4, 20)
    assert interval(4, 20, better=-1) == (-high, -low)


def test_the_same_seed_gives_the_same_interval() -> None:
    assert interval(4, 20, seed=5) == interval(4, 20, seed=5)
    assert interval(4, 20, seed=5) != interval(4, 20, seed=6)
