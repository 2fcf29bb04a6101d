"""Resampling keeps what lies in the pass band, as soxr does, and lets nothing else through."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from pianissimo.resample import resample

RATES = [8000, 11025, 22050, 24000, 32000, 44100, 48000, 96000, 192000, 44101, 15999]
TARGET = 16000


def chord(time: np.ndarray, top: float) -> np.ndarray:
    """Tones up to `top` Hz that fade in and out, evaluated at any time in seconds."""
    tones = np.linspace(50, top, 17)
    return sum(np.sin(2 * np.pi * tone * time + tone) for tone in tones) / 17 * np.sin(np.pi * time) ** 2


@pytest.mark.parametrize("rate", RATES)
def test_pass_band_is_exact(rate: int) -> None:
    """Up to 0.85 of the lower Nyquist frequency, against the signal itself: within 1e-5."""
    top = 0.85 * min(rate, TARGET) / 2
    found = resample(chord(np.arange(rate) / rate, top).astype(np.float32), rate, TARGET)
    assert found.shape == (TARGET,)
    np.testing.assert_allclose(found, chord(np.arange(TARGET) / TARGET, top), atol=1e-5)


@pytest.mark.parametrize("rate", RATES)
def test_agrees_with_soxr(rate: int) -> None:
    """soxr's best quality is itself 6e-5 away from the signal at some ratios: within 1e-4."""
    clip = chord(np.arange(rate) / rate, 0.85 * min(rate, TARGET) / 2).astype(np.float32)
    np.testing.assert_allclose(
        resample(clip, rate, TARGET), soxr.resample(clip, rate, TARGET, quality="VHQ"), atol=1e-4
    )


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 44101])
def test_nothing_folds_back(rate: int) -> None:
    """A tone above the new Nyquist frequency leaves less than -90 dB away from the clip's ends."""
    clip = np.sin(2 * np.pi * 8_200 * np.arange(rate) / rate).astype(np.float32)
    assert np.abs(resample(clip, rate, TARGET)[500:-500]).max() < 10 ** (-90 / 20)


@pytest.mark.parametrize(("rate", "samples"), [(44100, 16), (8000, 17), (192000, 16), (16000, 16), (44101, 100)])
def test_length(rate: int, samples: int) -> None:
    assert len(resample(np.ones(samples, np.float32), rate, TARGET)) == max(1, int(samples * TARGET / rate + 0.5))


@pytest.mark.parametrize("rate", [44100, 48000, 8000])
def test_a_long_clip_is_its_parts(rate: int) -> None:
    """The blocks leave no seam: three seconds hold what each second alone gives, away from the cuts."""
    clip = np.random.default_rng(2).normal(0, 0.2, 3 * rate).astype(np.float32)
    middle = resample(clip, rate, TARGET)[TARGET : 2 * TARGET]
    alone = resample(clip[rate : 2 * rate], rate, TARGET)
    np.testing.assert_allclose(middle[400:-400], alone[400:-400], atol=1e-5)
