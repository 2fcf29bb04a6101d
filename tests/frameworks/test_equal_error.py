"""The equal error rate is what its definition says, of trials in which everybody enrols and tries everybody."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pianissimo.enrolment import enrol
from sklearn.metrics import roc_curve

from frameworks import equal_error, metrics
from frameworks.equal_error import Trials, TrialsError

SETTINGS: dict[str, Any] = {"enrol": 3, "nu": 0.5, "gamma": 0.3, "support": 8}


def speakers(count: int, clips: int, noise: float, dims: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) and unit vectors (n, dims), a direction a speaker and noise around it."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(count), clips)
    vectors = rng.normal(size=(count, dims))[labels] + noise * rng.normal(size=(len(labels), dims))
    return labels, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def rows(targets: list[float], impostors: list[float]) -> np.ndarray:
    return np.array([[(score, 1) for score in targets] + [(score, 0) for score in impostors]], float)


@pytest.mark.parametrize(
    ("targets", "impostors", "rate"),
    [
        ([3, 4, 5], [0, 1, 2], 0),
        ([0, 1, 2], [3, 4, 5], 100),
        ([1, 1], [1, 1], 50),
        ([1, 3], [0, 2], 50),
        ([1, 3, 4, 5], [0, 0, 0, 2], 25),
        ([2, 3, 4, 5, 6], [0, 1], 0),
        ([1], [0], 0),
    ],
)
def test_small_cases(targets: list[float], impostors: list[float], rate: float) -> None:
    assert equal_error.rate(rows(targets, impostors)) == pytest.approx(rate)


SCORES = st.lists(st.integers(-6, 6), min_size=1, max_size=25)


@given(SCORES, SCORES)
def test_it_lies_where_the_curve_of_scikit_learn_crosses(targets: list[float], impostors: list[float]) -> None:
    """Both curves are straight between operating points; on ours false rejects and false accepts are equal."""
    evidence = rows(targets, impostors)
    accepts, hits, _ = roc_curve(evidence[0, :, 1], evidence[0, :, 0], drop_intermediate=False)
    fine = np.linspace(0, 1, 10_001)
    places = np.concatenate([low + fine * (high - low) for low, high in pairwise(accepts)])
    missed = np.concatenate([1 - low - fine * (high - low) for low, high in pairwise(hits)])
    crossing = places[np.abs(places - missed).argmin()]
    assert equal_error.rate(evidence) == pytest.approx(100 * crossing, abs=0.02)


@given(SCORES, SCORES)
def test_the_threshold_is_on_the_safe_side_of_the_crossing(targets: list[float], impostors: list[float]) -> None:
    evidence = rows(targets, impostors)
    threshold = equal_error.threshold(evidence)
    accepts, rejects = equal_error.errors_at(evidence, threshold)
    assert accepts <= rejects
    assert accepts == pytest.approx(100 * np.mean(np.array(impostors) >= threshold))
    assert rejects == pytest.approx(100 * np.mean(np.array(targets) < threshold))
    lower = [score for score in targets + impostors if score < threshold]
    before = equal_error.errors_at(evidence, max(lower))
    assert before[0] > before[1]
    assert before[1] - 1e-9 <= equal_error.rate(evidence) <= rejects + 1e-9


@given(SCORES, SCORES, st.floats(0.1, 10), st.floats(-5, 5))
def test_scale_and_offset_change_nothing(
    targets: list[float], impostors: list[float], scale: float, shift: float
) -> None:
    evidence = rows(targets, impostors)
    moved = evidence.copy()
    moved[..., 0] = moved[..., 0] * scale + shift
    assert equal_error.rate(moved) == pytest.approx(equal_error.rate(evidence))


def test_padding_is_not_counted() -> None:
    evidence = rows([1, 3], [0, 2, 0])
    padded = np.concatenate([evidence, np.full((1, 7, 2), np.nan)], axis=1)
    assert equal_error.rate(padded) == equal_error.rate(evidence)
    assert equal_error.errors_at(padded, 2) == equal_error.errors_at(evidence, 2)


def test_trials_are_the_runtimes_own_decisions() -> None:
    labels, vectors = speakers(3, 5, 0.3)
    evidence = Trials(SETTINGS).evidence(labels, vectors)
    assert evidence.shape == (3, 5 * 2 + 10, 2)  # five turns of two clips left, and ten clips of others dealt out
    template = enrol(vectors[:3], SETTINGS)
    np.testing.assert_allclose(evidence[0, :2, 0], template.decision(vectors[3:5]))
    np.testing.assert_allclose(evidence[0, 2:4, 0], template.decision(vectors[[5, 10]]))
    assert evidence[..., 1].sum(axis=1).tolist() == [10, 10, 10]


def test_every_clip_of_others_is_tried_once() -> None:
    labels, vectors = speakers(4, 9, 0.3)
    evidence = Trials(SETTINGS).evidence(labels, vectors)
    assert np.sum(evidence[..., 1] == 0, axis=1).tolist() == [27] * 4
    assert np.sum(evidence[..., 1] == 1, axis=1).tolist() == [6 * 6] * 4


def test_speakers_with_few_clips_are_impostors_alone() -> None:
    labels, vectors = speakers(3, 6, 0.3)
    kept = np.r_[0:6, 6:9, 12:18]  # three clips of the second speaker: enough to enrol, none left to try
    evidence = Trials(SETTINGS).evidence(labels[kept], vectors[kept])
    assert len(evidence) == 2
    assert np.sum(evidence[..., 1] == 0, axis=1).tolist() == [9, 9]


def test_speakers_of_unlike_counts_are_padded() -> None:
    labels, vectors = speakers(2, 8, 0.3)
    evidence = Trials(SETTINGS).evidence(labels[:12], vectors[:12])
    assert np.isnan(evidence[..., 0]).sum(axis=1).tolist() == [0, 6 * 5 + 4 - (4 * 1 + 8)]
    assert np.isfinite(equal_error.rate(evidence))


def test_harder_speakers_have_a_higher_rate() -> None:
    metric = metrics.choose("eer", (), SETTINGS)
    found = [metric.measure(*speakers(12, 8, noise)) for noise in (0.1, 1.0, 5.0)]
    assert found[0] < 1 < found[1] < found[2] < 60
    assert metric.better == -1
    assert metric.drop(3.0, 4.5) == pytest.approx(1.5)


def test_the_interval_draws_speakers() -> None:
    metric = metrics.choose("eer", (), SETTINGS)
    first, second = (metric.evidence(*speakers(12, 8, noise)) for noise in (0.5, 2.0))
    low, high = metrics.drop_interval((metric, first), (metric, second), resamples=200, seed=1)
    assert 0 < low < metric.score(second) - metric.score(first) < high


def test_what_cannot_be_tried() -> None:
    labels, vectors = speakers(3, 3, 0.3)
    with pytest.raises(TrialsError, match="3 speakers of at most 3 clips; allowed: at least 2"):
        Trials(SETTINGS).evidence(labels, vectors)
    with pytest.raises(TrialsError, match="1 speakers of at most 9 clips"):
        Trials(SETTINGS).evidence(np.zeros(9, int), vectors)
    with pytest.raises(ValueError, match="0 impostor trials; allowed: some of each"):
        equal_error.rate(rows([1.0], []))
