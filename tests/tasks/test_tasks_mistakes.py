"""What validate keeps of mistakes: counts that add up to the score, and an interval that holds it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from frameworks import metrics
from tasks import mistakes, records


def bench(labels: np.ndarray) -> Any:
    return SimpleNamespace(labels=labels, seed=3, settings=SimpleNamespace(bootstrap=200))


def test_confusions_of_every_form_make_its_score(pipeline: Any) -> None:
    facts = records.read(pipeline.validate).facts
    kept = facts["mistakes"]
    forms = {f"{name} {form}": figures for name, forms in facts["platforms"].items() for form, figures in forms.items()}
    assert set(kept) == {"teacher", *forms}
    for name, figures in forms.items():
        counts = np.array(kept[name]["confusion"])
        assert counts.sum() == facts["clips"]
        assert 100 * counts.trace() / counts.sum() == pytest.approx(figures["score"], abs=1e-3)
        low, high = kept[name]["interval"]
        assert low <= figures["score"] <= high


def test_errors_by_phoneme_make_the_error_rate() -> None:
    labels = np.array([[0, 1, 2, -1], [2, 2, 0, 1]])
    answers = [[0, 2, 2], [2, 0, 1, 1]]  # one taken for another; one left out and one made up, or what costs the same
    outputs = [np.eye(4, dtype=np.float32)[[sign for one in row for sign in (one, 3)]] for row in answers]
    metric = metrics.choose("phoneme_error_rate", ("a", "b", "c"))
    found = mistakes.made(bench(labels), metric, outputs, ("a", "b", "c"))
    said = sum(counts[0] for counts in found["phonemes"].values())
    wrong = sum(sum(counts[1:]) for counts in found["phonemes"].values())
    assert 100 * wrong / said == pytest.approx(metric.measure(labels, outputs))
    assert ["b", "c", 1] in found["confused"]


def test_a_det_curve_goes_from_all_let_in_to_all_kept_out() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 12)
    vectors = (rng.normal(size=(6, 8))[labels] * 2 + rng.normal(size=(72, 8))).astype(np.float32)
    metric = metrics.choose("eer", (), {"enrol": 5, "nu": 0.1, "gamma": 0.05, "support": 5})
    found = mistakes.made(bench(labels), metric, vectors, ())["det"]
    accepts, rejects = np.array(found).T
    assert (np.diff(accepts) <= 0).all()
    assert (np.diff(rejects) >= 0).all()
    assert accepts[0] > 95
    assert rejects[-1] > 90
    crossing = np.argmin(np.abs(accepts - rejects))
    assert found[crossing][0] == pytest.approx(metric.measure(labels, vectors), abs=10)
