"""A template decides as scikit-learn's machine does, with numpy alone, and its file is read strictly."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from pianissimo import archive
from pianissimo.enrolment import Settings, Template, enrol
from pianissimo.reduction import gaussian, reduced
from sklearn.svm import OneClassSVM

SETTINGS: dict[str, Any] = {"enrol": 3, "nu": 0.5, "gamma": 0.3, "support": 64, "typical": 0.02, "margin": 0.01}


def vectors(count: int, seed: int = 0, dims: int = 8) -> np.ndarray:
    """Unit vectors (count, dims) around one direction."""
    rng = np.random.default_rng(seed)
    drawn = np.eye(dims)[0] + rng.normal(0, 0.15, (count, dims))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def others(count: int, dims: int = 8) -> np.ndarray:
    drawn = np.random.default_rng(99).normal(size=(count, dims)) - 2 * np.eye(dims)[0]
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize("count", [3, 5, 40])
@pytest.mark.parametrize("nu", [0.1, 0.5, 0.9])
def test_decisions_are_those_of_scikit_learn(count: int, nu: float) -> None:
    """Up to the sum of the coefficients, which a template divides by so that its scale does not grow with recordings."""
    given, tried = vectors(count), others(50)
    machine = OneClassSVM(nu=nu, gamma=0.3, tol=1e-6).fit(given.astype(np.float64))
    template = enrol(given, {**SETTINGS, "nu": nu})
    wanted = machine.decision_function(tried.astype(np.float64)) / machine.dual_coef_.sum()
    np.testing.assert_allclose(template.decision(tried), wanted, atol=1e-5)
    assert template.coefficients.sum() == pytest.approx(1, abs=1e-5)


def test_the_person_is_inside_and_others_are_not() -> None:
    template = enrol(vectors(5), SETTINGS)
    assert template.decision(vectors(20, seed=1)).min() > template.decision(others(50)).max()


@pytest.mark.parametrize("support", [1, 2, 4])
def test_fewer_vectors_decide_alike(support: int) -> None:
    whole, small = enrol(vectors(20), SETTINGS), enrol(vectors(20), {**SETTINGS, "support": support})
    assert len(small.support) == len(small.coefficients) == support < len(whole.support)
    tried = np.concatenate([vectors(50, seed=1), others(50)])
    apart = np.abs(small.decision(tried) - whole.decision(tried))
    assert apart.max() < 0.1 * np.ptp(whole.decision(tried))
    assert small.decision(vectors(20)).mean() == pytest.approx(whole.decision(vectors(20)).mean(), abs=1e-3)


def test_more_vectors_are_nearer_the_whole() -> None:
    old, tried = vectors(20).astype(np.float64), others(50).astype(np.float64)
    coefficients = np.full(20, 0.05)
    wanted = gaussian(tried, old, 2.0) @ coefficients

    def distance(support: int) -> float:
        new, fitted, _ = reduced(old, coefficients, 2.0, support)
        return float(np.abs(gaussian(tried, new, 2.0) @ fitted - wanted).max())

    distances = [distance(support) for support in (1, 4, 10, 19)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-3


def test_a_voice_that_never_changes() -> None:
    """The same recording three times is one vector; nothing divides by zero."""
    template = enrol(np.repeat(vectors(1), 3, axis=0), {**SETTINGS, "support": 2})
    assert np.isfinite(template.decision(others(5))).all()
    assert template.decision(vectors(1))[0] == pytest.approx(0, abs=1e-5)


def test_the_threshold_follows_the_person_within_bounds() -> None:
    template = enrol(vectors(3), SETTINGS, threshold=-0.05)
    assert template.limit == -0.05
    once = template.after(0.023)
    assert (once.accepted, once.typical) == (1, pytest.approx(0.02 + 0.003 / 3))
    assert once.limit == pytest.approx(-0.05 + 0.001)
    twice = once.after(0.023)
    assert twice.typical == pytest.approx((2 * 0.02 + 2 * 0.023) / 4)
    for decision, bound in ((9.0, 0.01), (-9.0, -0.01)):
        assert template.after(decision).limit == pytest.approx(-0.05 + bound)


def test_a_file_holds_the_template(tmp_path: Path) -> None:
    template = enrol(vectors(5), {**SETTINGS, "support": 2}, 0.125, "voices 3").after(0.5)
    template.save(tmp_path / "one.npz")
    found = Template.load(tmp_path / "one.npz")
    found.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    np.testing.assert_array_equal(found.decision(others(9)), template.decision(others(9)))
    assert (found.settings, found.model, found.limit) == (template.settings, "voices 3", template.limit)
    assert np.array_equal(found.vectors, vectors(5))
    assert (tmp_path / "one.npz").stat().st_size < 10_000


def broken(**changes: Any) -> dict[str, Any]:
    template = enrol(vectors(3), SETTINGS)
    arrays = {name: getattr(template, name) for name in ("support", "coefficients", "vectors")}
    facts = {
        "schema": 1, "offset": 0.5, "gamma": 0.3, "threshold": 0.0, "settings": SETTINGS, "model": "", "typical": 0.0,
        "accepted": 0,
    } | changes.pop("facts", {})  # fmt: skip
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    return {name: array for name, array in (arrays | changes).items() if array is not None}


def test_what_is_not_broken_is_read(tmp_path: Path) -> None:
    archive.write(tmp_path / "template.npz", broken())
    assert Template.load(tmp_path / "template.npz").offset == 0.5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"support": None}, "missing or unknown: support"),
        ({"facts": {}, "more": np.zeros(3, np.float32)}, "missing or unknown: more"),
        ({"coefficients": np.ones(2, np.float32)}, "of shapes"),
        ({"support": np.full((3, 8), np.nan, np.float32)}, "support holds NaN"),
        ({"support": np.ones((3, 8))}, "support is float64"),
        ({"vectors": np.ones((3, 7), np.float32)}, "of shapes"),
        ({"coefficients": np.zeros(0, np.float32)}, r"coefficients is float32 of shape \(0,\)"),
        ({"facts": {"schema": 2}}, "schema"),
        ({"facts": {"gamma": -1}}, "gamma"),
        ({"facts": {"settings": {**SETTINGS, "nu": 2}}}, "nu"),
        ({"facts": {"threshold": "low"}}, "threshold"),
    ],
)
def test_a_file_that_is_no_template(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    archive.write(tmp_path / "template.npz", broken(**changes))
    with pytest.raises(pp.EnrolmentError, match=words):
        Template.load(tmp_path / "template.npz")


def test_pickles_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "template.npz", support=np.array([{"a": 1}], object))
    with pytest.raises(pp.EnrolmentError, match="no template"):
        Template.load(tmp_path / "template.npz")
    (tmp_path / "text.npz").write_text("not a zip")
    with pytest.raises(pp.EnrolmentError, match=r"text\.npz is no template"):
        Template.load(tmp_path / "text.npz")


def test_what_cannot_be_enrolled() -> None:
    with pytest.raises(pp.EnrolmentError, match="2 recordings; allowed: 3 to 64"):
        enrol(vectors(2), SETTINGS)
    with pytest.raises(pp.EnrolmentError, match="not finite"):
        enrol(np.full((3, 4), np.inf), SETTINGS)
    with pytest.raises(pp.EnrolmentError, match=r"\(3,\)"):
        enrol(np.ones(3), SETTINGS)
    with pytest.raises(pp.ManifestError, match=r"enrolment.colour.*enrol, nu, gamma, support, typical, margin"):
        enrol(vectors(3), {**SETTINGS, "colour": 1})
    with pytest.raises(pp.ManifestError, match=r"enrolment\.nu"):
        Settings.read({**SETTINGS, "nu": 1.0})
    with pytest.raises(pp.EnrolmentError, match=r"\(n, 8\)"):
        enrol(vectors(3), SETTINGS).decision(np.ones((1, 9)))


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Enrolment says what to install; a template that is there decides without it."""
    enrol(vectors(3), SETTINGS).save(tmp_path / "template.npz")
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(pp.BackendMissingError, match=r"pip install 'pianissimo\[voice\]'"):
        enrol(vectors(3), SETTINGS)
    assert Template.load(tmp_path / "template.npz").decision(vectors(2)).shape == (2,)
