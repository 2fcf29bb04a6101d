"""What a voice sounds like in a fixed number of figures, whatever the clip's length and level."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pianissimo as pp
import pytest
from pianissimo.frontend import VoiceStatistics

from tests.runtime.voices import RATE, speak

SPEC: dict[str, Any] = {
    "kind": "voice_statistics",
    "sample_rate": RATE,
    "frame": 512,
    "hop": 160,
    "fft": 1024,
    "mels": 40,
    "fmin": 50.0,
    "fmax": 7600.0,
    "floor": 1e-7,
    "coefficients": 18,
}
PITCH, SHARE, PERIODICITY = 90, 94, 95  # places of the median of log pitch, the voiced share and the mean periodicity


def built(**changes: Any) -> VoiceStatistics:
    front = pp.frontend.build({**SPEC, **changes})
    assert isinstance(front, VoiceStatistics)
    return front


def pulses(hertz: float, seconds: float = 1.0) -> np.ndarray:
    """A buzz of this pitch: its first ten harmonics."""
    time = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(sum(np.cos(2 * np.pi * hertz * k * time) / k for k in range(1, 11)) * 0.1, np.float32)


@pytest.mark.parametrize("samples", [16, 400, 512, 700, 16_000, 100_000])
def test_the_shape_is_the_settings(samples: int) -> None:
    front = built()
    statistics = front(np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32))
    assert statistics.shape == front.shape == (100,)
    assert statistics.dtype == np.float32
    assert np.isfinite(statistics).all()
    assert built(coefficients=13).shape == (75,)


def test_the_spec_builds_the_same() -> None:
    front = built()
    assert pp.frontend.build(front.spec) == front
    assert front.fitted([front(speak(0))]) is front
    np.testing.assert_array_equal(built()(speak(0)), front(speak(0)))


def test_the_level_changes_nothing() -> None:
    front, clip = built(), speak(1)
    np.testing.assert_allclose(front(clip * np.float32(0.01)), front(clip), rtol=1e-4, atol=1e-4)


def test_silence_around_the_voice_changes_little() -> None:
    """Frames below the clip's own level are not heard; only the frames at the edges differ."""
    front, clip = built(), speak(1, seconds=3)
    padded = np.pad(clip, 8000)
    other = front(speak(2, seconds=3))
    assert np.abs(front(padded) - front(clip)).mean() < 0.1 * np.abs(other - front(clip)).mean()


@pytest.mark.parametrize("hertz", [80, 120, 210, 350])
def test_pitch(hertz: float) -> None:
    statistics = built()(pulses(hertz))
    assert np.exp(statistics[PITCH]) == pytest.approx(hertz, rel=0.02)
    assert statistics[PITCH + 1] == pytest.approx(0, abs=0.02)  # it does not move
    assert statistics[SHARE] == pytest.approx(1)
    assert statistics[PERIODICITY] > 0.9


def test_noise_has_no_pitch() -> None:
    statistics = built()(np.random.default_rng(3).normal(0, 0.1, RATE).astype(np.float32))
    assert statistics[SHARE] < 0.05


@pytest.mark.parametrize("clip", [np.zeros(RATE, np.float32), np.zeros(100, np.float32), np.ones(100, np.float32)])
def test_nothing_to_hear_is_finite(clip: np.ndarray) -> None:
    statistics = built()(clip)
    assert np.isfinite(statistics).all()
    if not clip.any():
        assert np.exp(statistics[PITCH]) == pytest.approx(np.sqrt(70 * 400), rel=1e-4)


def test_coefficients_are_those_of_librosa() -> None:
    """Of a clip whose frames are all active: the mean over them, level removed as the front end removes it."""
    clip = (speak(4, seconds=2) + np.random.default_rng(0).normal(0, 0.02, 2 * RATE)).astype(np.float32)
    shape = {"n_fft": 1024, "hop_length": 160, "win_length": 512, "center": False}
    window = np.zeros(1024)
    window[:512] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    padded = np.pad(clip.astype(np.float64), (0, 512))  # librosa's frames are as long as its transform
    spectrum = np.abs(librosa.stft(padded, **{**shape, "win_length": 1024}, window=window)) ** 2
    whole = 2 * spectrum.sum(axis=0) - spectrum[0] - spectrum[-1]  # both sides of the spectrum
    energies = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=40, fmin=50, fmax=7600, dtype=np.float64) @ spectrum
    level = np.percentile(whole / 1024, 95)
    wanted = librosa.feature.mfcc(S=np.log(energies / level + 1e-7), n_mfcc=19)[1:]
    found = built(activity=200.0)(clip)
    np.testing.assert_allclose(found[36:54], wanted.mean(axis=1), atol=1e-3)
    np.testing.assert_allclose(found[54:72], wanted.std(axis=1), atol=1e-3)


def test_one_voice_is_nearer_to_itself_than_to_others() -> None:
    front = built()
    clips = np.stack([[front(speak(person, clip)) for clip in range(4)] for person in range(6)])
    spread = clips.std(axis=(0, 1))
    means = clips.mean(axis=1)
    within = np.abs((clips - means[:, None]) / spread).mean()
    across = np.abs((means[:, None] - means[None]) / spread)[~np.eye(6, dtype=bool)].mean()
    assert across > 2 * within


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"coefficients": 40}, "coefficients: found 40; allowed: 1 to 39"),
        ({"frame": 200}, "frame: found 200; allowed: 230 to 1024"),
        ({"fft": 600}, "fft: found 600; allowed: 741"),
        ({"pitch_low": 500.0}, "pitch_low"),
        ({"pitch_high": 9000.0}, "a quarter of the sample rate"),
        ({"voicing": 1.0}, "voicing"),
        ({"activity": 0.0}, "activity"),
        ({"mels": 1}, "mels: found 1; allowed: 2 to 512"),
        ({"mean": 0.0}, "keys: found mean"),
    ],
)
def test_what_cannot_be_computed(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(pp.FrontEndError, match=words):
        built(**changes)
