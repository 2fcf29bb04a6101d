"""A model that fails while it answers moves to its next variant; one that did not verify never answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pianissimo as pp
import pytest

Stock = Callable[..., Path]
CLIP = np.random.default_rng(3).normal(0, 0.1, 16000).astype(np.float32)


def selected(reason: str) -> float:
    return pp.metrics.PROCESS.values().get(("ml_backend_selected", ("numpy", reason)), 0)


def alone(registry: Path, variant: str) -> dict[str, float]:
    """What one variant says by itself."""
    return pp.open_folder(registry.parent / "tones", variant=variant).predict(CLIP, 16000).scores


def test_the_next_variant_answers_and_it_is_told_once(stocked: Stock, caplog: pytest.LogCaptureFixture) -> None:
    root = stocked("tones", variants=["plain", "spare"], broken=["plain"])
    expected, before = alone(root, "spare"), selected("failed")
    with caplog.at_level(logging.WARNING, "pianissimo"), pp.load("tones", registry=root) as model:
        assert model.info.variant == "plain"
        answers = [model.predict(CLIP, 16000) for _ in range(5)]
        assert model.info.variant == "spare"
        assert [fallback.variant for fallback in model.info.fallbacks] == ["plain"]
    assert all(answer.scores == expected for answer in answers)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "variant plain passed over" in caplog.text
    assert selected("failed") == before + 1


def test_many_threads_meet_the_failure_at_once(stocked: Stock) -> None:
    root = stocked("tones", variants=["plain", "spare"], broken=["plain"])
    expected, before = alone(root, "spare"), selected("failed")
    with pp.load("tones", registry=root) as model, ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: model.predict(CLIP, 16000), range(100)))
    assert all(answer.scores == expected for answer in answers)
    assert selected("failed") == before + 1


def test_where_every_variant_fails_the_input_is_to_blame(stocked: Stock, caplog: pytest.LogCaptureFixture) -> None:
    """One odd clip must not take a model from everybody else."""
    root = stocked("tones", variants=["plain", "spare"], broken=["plain", "spare"])
    with caplog.at_level(logging.WARNING, "pianissimo"), pp.load("tones", registry=root) as model:
        for _ in range(3):
            with pytest.raises(pp.BackendFailedError, match=r"plain\.npz"):
                model.predict(CLIP, 16000)
        assert (model.info.variant, model.info.fallbacks) == ("plain", ())
    assert not caplog.records


def test_a_batch_goes_on_with_the_next_variant(stocked: Stock) -> None:
    root = stocked("tones", variants=["plain", "spare"], broken=["plain"])
    with pp.load("tones", registry=root) as model:
        answers = model.predict_batch([CLIP] * 40, 16000)
    expected = list(alone(root, "spare").values())
    assert len(answers) == 40
    for answer in answers:
        np.testing.assert_allclose(list(answer.scores.values()), expected, atol=1e-6)


def test_a_variant_that_did_not_verify_answers_no_more(stocked: Stock) -> None:
    root = stocked("tones", variants=["plain", "spare"], wrong=["plain"])
    before = selected("unverified")
    with pp.load("tones", registry=root) as model:
        with pytest.raises(pp.VerificationError, match="edge/plain"):
            model.verify()
        assert model.predict(CLIP, 16000).scores == alone(root, "spare")
        assert model.info.variant == "spare"
        assert model.verify().variant == "spare"
    assert selected("unverified") == before + 1


def test_no_variant_verifies_no_answer(stocked: Stock) -> None:
    root = stocked("tones", variants=["plain", "spare"], wrong=["plain", "spare"])
    with pp.load("tones", registry=root) as model:
        with pytest.raises(pp.VerificationError):
            model.verify()
        for _ in range(3):
            with pytest.raises(pp.VerificationError, match="edge/spare"):
                model.predict(CLIP, 16000)
    with pytest.raises(pp.VerificationError, match="no variant of edge is left"):
        pp.load("tones", registry=root, verify=True)


def test_verified_before_the_first_answer(stocked: Stock) -> None:
    root = stocked("tones", variants=["plain", "spare"], wrong=["plain"])
    with pp.load("tones", registry=root, verify=True) as model:
        assert model.info.variant == "spare"
        assert "scores are" in model.info.fallbacks[0].reason


def test_a_model_without_golden_vectors_has_nothing_to_fail(stocked: Stock) -> None:
    root = stocked("tones", variants=["plain", "spare"], broken=["spare"])
    with pp.load("tones", registry=root, verify=True) as model:
        with pytest.raises(pp.VerificationError, match="no golden vectors"):
            model.verify()
        assert model.predict(CLIP, 16000).scores == alone(root, "plain")


def test_a_closed_model_falls_back_to_nothing(stocked: Stock) -> None:
    root = stocked("tones", variants=["plain", "spare"])
    model = pp.load("tones", registry=root)
    model.close()
    with pytest.raises(pp.BackendFailedError, match="the model was closed"):
        model.predict(CLIP, 16000)
    assert model.info.variant == "plain"
