"""Log-mel of a clip of any length: the numbers of the fixed window, as many frames as the clip has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pianissimo as pp
import pytest

SPEC: dict[str, Any] = {
    "kind": "log_mel_sequence",
    "sample_rate": 16000,
    "frame": 400,
    "hop": 160,
    "fft": 512,
    "mels": 40,
    "fmin": 20.0,
    "fmax": 8000.0,
    "floor": 1e-6,
    "mean": -5.0,
    "deviation": 4.0,
}


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


@pytest.mark.parametrize("samples", [400, 401, 559, 560, 16_000, 40_123])
def test_is_the_window_of_that_length(samples: int) -> None:
    clip = noise(samples)
    front = pp.frontend.build(SPEC)
    fixed = pp.frontend.build({**SPEC, "kind": "log_mel", "seconds": samples / 16000})
    features = front(clip)
    assert features.shape == (1 + (samples - 400) // 160, 40) == fixed.shape
    np.testing.assert_array_equal(features, fixed(clip))


def test_a_clip_shorter_than_a_frame_is_padded_at_its_end() -> None:
    front = pp.frontend.build(SPEC)
    np.testing.assert_array_equal(front(noise(100)), front(np.pad(noise(100), (0, 300))))


def test_spec_and_shape() -> None:
    front = pp.frontend.build(SPEC)
    assert (front.spec, front.shape) == (SPEC, (None, 40))
    assert pp.frontend.build(front.spec) == front


@pytest.mark.parametrize("kind", ["log_mel", "log_mel_sequence"])
def test_fitted_features_are_normal(kind: str) -> None:
    """One mean and one deviation over every frame of every clip, long ones weighing more; four digits."""
    spec = {**SPEC, "kind": kind, "mean": 0.0, "deviation": 1.0} | ({"seconds": 0.5} if kind == "log_mel" else {})
    front = pp.frontend.build(spec)
    clips = [noise(samples, samples) * samples / 9000 for samples in (500, 4000, 9000)]
    features = [front(clip) for clip in clips]
    trained = front.fitted(features)
    everything = np.concatenate(features).astype(np.float64)
    assert trained.spec == {**spec, "mean": round(everything.mean(), 4), "deviation": round(everything.std(), 4)}
    rows = np.concatenate([trained(clip) for clip in clips])
    assert (rows.mean(), rows.std()) == (pytest.approx(0, abs=1e-3), pytest.approx(1, abs=1e-3))


def test_what_cannot_be_fitted() -> None:
    front = pp.frontend.build({**SPEC, "mean": 0.0, "deviation": 1.0})
    with pytest.raises(pp.FrontEndError, match="at least one clip"):
        front.fitted([])
    with pytest.raises(pp.FrontEndError, match="deviation: found 0"):
        front.fitted([front(np.zeros(16_000, np.float32))])


def test_refuses_seconds() -> None:
    with pytest.raises(pp.FrontEndError, match="keys: found seconds"):
        pp.frontend.build({**SPEC, "seconds": 1.0})
