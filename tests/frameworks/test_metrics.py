"""Scores, the direction of a drop, and how sure one may be of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

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
    higher = metrics.choose("accuracy")
    lower = replace(higher, better=-1)
    assert higher.drop(97.0, 95.5) == pytest.approx(1.5)
    assert higher.drop(95.5, 97.0) == pytest.approx(-1.5)
    assert lower.drop(3.0, 4.5) == pytest.approx(1.5)
    assert lower.drop(4.5, 3.0) == pytest.approx(-1.5)


def test_an_unknown_metric_lists_the_known() -> None:
    with pytest.raises(
        MetricError, match="no metric 'f1'; there is: accuracy, eer, icbhi, macro_f1, phoneme_error_rate"
    ):
        metrics.choose("f1")


def interval(before: int, after: int, better: int = +1, seed: int = 1) -> tuple[float, float]:
    labels, first = with_errors(before)
    metric = replace(metrics.choose("accuracy"), better=better)
    return between(metric, labels, first, with_errors(after)[1], seed)


def between(
    metric: Metric, labels: np.ndarray, before: np.ndarray, after: np.ndarray, seed: int
) -> tuple[float, float]:
    """The interval of the drop from one set of scores to another."""
    first, second = (metric, metric.evidence(labels, before)), (metric, metric.evidence(labels, after))
    return metrics.drop_interval(first, second, resamples=300, seed=seed)


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
    low, high = between(metrics.choose("accuracy"), labels, before, after, seed=1)
    assert low < 0 < high


def test_the_interval_turns_with_the_metric() -> None:
    low, high = interval(4, 20)
    assert interval(4, 20, better=-1) == (-high, -low)


def test_the_same_seed_gives_the_same_interval() -> None:
    assert interval(4, 20, seed=5) == interval(4, 20, seed=5)
    assert interval(4, 20, seed=5) != interval(4, 20, seed=6)


def drawn(seed: int, classes: int = 4, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and scores that are right about half of the time."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    scores = rng.random((count, classes)) + 0.6 * np.eye(classes)[labels]
    return labels, scores.astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_macro_f1_is_scikit_learns(seed: int) -> None:
    labels, scores = drawn(seed)
    expected = 100 * f1_score(labels, scores.argmax(axis=1), average="macro")
    assert metrics.choose("macro_f1").measure(labels, scores) == pytest.approx(expected)


def test_icbhi_is_the_mean_of_sensitivity_and_specificity() -> None:
    """Two of three normal clips called normal, one of four abnormal ones given its very class: a crackle called wheeze is
    wrong, though abnormal (ICBHI 2017)."""
    names = ("crackle", "normal", "wheeze")
    labels = np.array([1, 1, 1, 0, 0, 2, 2])
    answers = np.array([1, 1, 0, 0, 2, 1, 1])
    measure = metrics.choose("icbhi", names).measure
    assert measure(labels, np.eye(3)[answers]) == pytest.approx(100 * (2 / 3 + 1 / 4) / 2)


def test_icbhi_needs_to_know_what_normal_is() -> None:
    with pytest.raises(MetricError, match="icbhi needs the label 'normal'; the corpus has: healthy, wheeze"):
        metrics.choose("icbhi", ("healthy", "wheeze"))


def spoken(*symbols: int, blank: int = 3) -> np.ndarray:
    """Frames (n, 4) whose best classes are these."""
    return np.eye(blank + 1, dtype=np.float32)[list(symbols)]


def test_phoneme_error_rate_counts_edits_over_what_was_said() -> None:
    labels = np.array([[0, 1, 2], [2, 2, -1]])
    outputs = [spoken(0, 0, 3, 2), spoken(2, 3, 2)]  # "0 2" for "0 1 2": one deletion; "2 2" as said
    metric = metrics.choose("phoneme_error_rate", ("a", "b", "c"))
    assert metric.evidence(labels, outputs).tolist() == [[1, 3], [0, 2]]
    assert metric.measure(labels, outputs) == pytest.approx(20.0)
    assert metric.drop(20.0, 25.0) == pytest.approx(5.0)


def test_inventing_phonemes_costs_more_than_all_of_them() -> None:
    assert metrics.choose("phoneme_error_rate").measure(np.array([[0]]), [spoken(1, 2, 1)]) == pytest.approx(300.0)
