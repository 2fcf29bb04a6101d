"""The MFCC front end gives librosa's numbers, and each of its frames can be computed alone."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pianissimo as pp
import pytest
from pianissimo.frontend import Mfcc

SPEC: dict[str, Any] = {
    "kind": "mfcc",
    "sample_rate": 48000,
    "frames": 16,
    "frame": 960,
    "hop": 960,
    "fft": 1024,
    "mels": 40,
    "coefficients": 13,
    "fmin": 20.0,
    "fmax": 16000.0,
    "floor": 1e-6,
    "mean": 0.0,
    "deviation": 1.0,
}
SPEECH = {"sample_rate": 16000, "frames": 98, "frame": 400, "hop": 160, "fft": 512, "coefficients": 40, "fmax": 8000.0}
TOLERANCE = 1e-4  # coefficients reach 60


def built(**changes: Any) -> Mfcc:
    front = pp.frontend.build({**SPEC, **changes})
    assert isinstance(front, Mfcc)
    return front


def noise(samples: int, seed: int = 0) -> np.ndarray:
    """Noise that swells, so that frames differ."""
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 0.2, samples) * np.linspace(0.01, 1, samples)).astype(np.float32)


def librosa_mfcc(clip: np.ndarray, front: Mfcc) -> np.ndarray:
    """Log mel energies by our own log-mel, which is held to librosa's elsewhere, and their transform by librosa."""
    shared = ("sample_rate", "frame", "hop", "fft", "mels", "fmin", "fmax", "floor")
    logs = pp.frontend.build({"kind": "log_mel_sequence", **{key: front.spec[key] for key in shared}})(clip)
    return librosa.feature.mfcc(S=logs.T, n_mfcc=front.coefficients, dct_type=2, norm="ortho").T


@pytest.mark.parametrize("changes", [{}, SPEECH, {"floor": 1e-10, "mels": 64, "coefficients": 20}])
def test_equals_librosa(changes: dict[str, Any]) -> None:
    front = built(**changes)
    clip = noise(front.samples)
    features = front(clip)
    assert features.shape == front.shape == (front.frames, front.coefficients)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, librosa_mfcc(clip, front), atol=TOLERANCE)


def test_equals_librosa_from_audio() -> None:
    """The whole of librosa's way, in double precision, where its own framing can be brought to ours."""
    front = built(fft=960, frames=4)
    clip = noise(front.samples)
    settings = {"sr": 48000, "n_fft": 960, "hop_length": 960, "center": False, "n_mels": 40, "fmin": 20, "fmax": 16000}
    energies = librosa.feature.melspectrogram(y=clip.astype(np.float64), dtype=np.float64, **settings)
    expected = librosa.feature.mfcc(S=np.log(energies + 1e-6), n_mfcc=13).T
    np.testing.assert_allclose(front(clip), expected, atol=TOLERANCE)


@pytest.mark.parametrize("changes", [{}, SPEECH, {"mean": 2.0, "deviation": [float(n) for n in range(1, 14)]}])
def test_a_frame_alone_is_its_row(changes: dict[str, Any]) -> None:
    """Exactly: a stream and a clip must not drift apart."""
    front = built(**changes)
    clip = noise(front.samples, 1)
    for at, row in enumerate(front(clip)):
        np.testing.assert_array_equal(front.one_frame(clip[at * front.hop :][: front.frame]), row)


@pytest.mark.parametrize("surplus", [-7000, -1, 1, 7001])
def test_crops_and_pads_about_the_centre(surplus: int) -> None:
    front = built()
    clip = noise(front.samples + surplus)
    window = np.zeros(front.samples, np.float32)
    if surplus > 0:
        window[:] = clip[surplus // 2 : surplus // 2 + front.samples]
    else:
        window[-surplus // 2 : -surplus // 2 + len(clip)] = clip
    np.testing.assert_array_equal(front(clip), front(window))


@pytest.mark.parametrize(("mean", "deviation"), [(1.5, 2.0), ([float(n) for n in range(13)], 0.5)])
def test_normalises_by_coefficient(mean: Any, deviation: Any) -> None:
    plain, front = built(), built(mean=mean, deviation=deviation)
    clip = noise(front.samples)
    np.testing.assert_allclose(front(clip), (plain(clip) - np.array(mean)) / deviation, rtol=1e-5, atol=1e-5)
    assert front.spec == {**SPEC, "mean": mean, "deviation": deviation}
    assert pp.frontend.build(front.spec) == front


def test_fitted_features_are_normal() -> None:
    """Mean 0 and deviation 1 in every coefficient over all clips, up to the four digits that are kept."""
    front = built()
    features = [front(noise(front.samples, seed)) for seed in range(5)]
    trained = front.fitted(features)
    assert all(value == round(value, 4) for value in trained.spec["mean"] + trained.spec["deviation"])
    rows = np.concatenate([trained(noise(front.samples, seed)) for seed in range(5)])
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(rows.std(axis=0), 1, atol=1e-3)


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"mean": [0.0] * 12}, "mean", "one number, or a list of 13"),
        ({"deviation": [1.0] * 14}, "deviation", "one number, or a list of 13"),
        ({"deviation": [1.0] * 12 + [0.0]}, "deviation[12]", "1e-06"),
        ({"mean": [0.0] * 12 + ["a"]}, "mean[12]", "a finite number"),
        ({"mean": [[0.0], [0.0, 1.0]]}, "mean[0]", "a finite number"),
        ({"mean": []}, "mean", "a list of 1 to"),
        ({"mean": "zero"}, "mean", "a finite number"),
        ({"mean": 10**400}, "mean", "a finite number"),
        ({"coefficients": 41}, "coefficients", "at most mels"),
        ({"frames": 0}, "frames", "1 to"),
        ({"frames": 10_000}, "frames", "at most 60 s"),
        ({"frame": 2000}, "frame", "at most fft"),
        ({"seconds": 1.0}, "keys", "coefficients"),
    ],
)
def test_refuses(changes: dict[str, Any], key: str, allowed: str) -> None:
    with pytest.raises(pp.FrontEndError) as caught:
        pp.frontend.build({**SPEC, **changes})
    assert caught.value.key == key
    assert allowed in caught.value.allowed
