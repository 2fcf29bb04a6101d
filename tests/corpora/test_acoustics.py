"""Noise has its colour, levels are what was asked for, rooms ring as long as they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import CorpusError, acoustics

RATE = 16_000


def _tone(samples: int = 8_000, hertz: float = 500.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)).astype(np.float32)


def _rms(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(audio.astype(np.float64) ** 2)))


@pytest.mark.parametrize(("colour", "slope"), [("white", 0.0), ("pink", -3.01), ("brown", -6.02)])
def test_noise_falls_by_its_colour(colour: str, slope: float) -> None:
    noise = acoustics.coloured_noise(1 << 18, colour, np.random.default_rng(0))
    powers = np.abs(np.fft.rfft(noise)) ** 2
    low, high = (10 * np.log10(powers[at : 2 * at].mean()) for at in (4_096, 32_768))
    assert (high - low) / 3 == pytest.approx(slope, abs=0.15)  # dB an octave
    assert _rms(noise) == pytest.approx(1.0, abs=1e-3)


def test_an_unknown_colour() -> None:
    with pytest.raises(CorpusError, match="unknown colour 'mauve'; allowed: white, pink, brown"):
        acoustics.coloured_noise(100, "mauve", np.random.default_rng(0))


MAKERS = {
    **acoustics.BACKGROUNDS,
    "breath": acoustics.breath,
    "clicks": acoustics.clicks,
    "babble": lambda samples, rate, rng: acoustics.babble([_tone(3_000), _tone(5_000, 900)], samples, rng),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_sounds_have_unit_rms_and_follow_the_generator(kind: str) -> None:
    first, again, other = (MAKERS[kind](RATE, RATE, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.shape == (RATE,)
    assert first.dtype == np.float32
    assert _rms(first) == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_hum_is_at_the_mains_and_its_harmonics() -> None:
    powers = np.abs(np.fft.rfft(acoustics.hum(RATE, RATE, np.random.default_rng(1)))) ** 2
    peak = int(powers.argmax())
    assert min(abs(peak - mains * order) for mains in (50, 60) for order in range(1, 9)) <= 1


@given(level=st.floats(-60, -6), snr=st.floats(-5, 40), seed=st.integers(0, 50))
def test_loudness_and_snr_are_what_was_asked_for(level: float, snr: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # The word is short in its window: levels are those of the part that sounds.
    voice = acoustics.to_loudness(acoustics.place(_tone(4_096), RATE, rng), level)
    assert acoustics.loudness(voice) == pytest.approx(level, abs=0.05)
    noise = acoustics.mix(voice, acoustics.coloured_noise(RATE, "pink", rng), snr) - voice
    assert acoustics.loudness(noise) == pytest.approx(level - snr, abs=0.1)


def test_silence_has_a_loudness_and_keeps_it() -> None:
    assert acoustics.loudness(np.zeros(100, np.float32)) == -160
    assert not acoustics.to_loudness(np.zeros(100, np.float32), -20).any()


def test_mixing_wants_one_length() -> None:
    with pytest.raises(CorpusError, match="two signals of one length"):
        acoustics.mix(np.zeros(4, np.float32), np.zeros(5, np.float32), 10)


@pytest.mark.parametrize("reverberation", [0.1, 0.3, 0.6])
def test_a_room_rings_for_its_time(reverberation: float) -> None:
    response = acoustics.room_response(RATE, reverberation, 1.0, np.random.default_rng(2))
    assert response[0] == 1.0
    tail = response[RATE // 40 :].astype(np.float64)
    times = np.arange(len(tail)) / RATE
    # Schroeder's backward integral falls by 60 dB in RT60; fitted over its first half.
    decay = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1])
    half = slice(0, len(tail) // 2)
    assert -60 / np.polyfit(times[half], decay[half], 1)[0] == pytest.approx(reverberation, rel=0.2)


def test_reverberation_is_convolution_at_the_same_loudness() -> None:
    voice = _tone(2_000)
    response = acoustics.room_response(RATE, 0.05, 0.5, np.random.default_rng(0))
    heard = acoustics.reverberate(voice, response)
    wanted = np.convolve(voice, response)
    np.testing.assert_allclose(heard / _rms(heard), wanted / _rms(wanted), atol=1e-4)
    assert acoustics.loudness(heard) == pytest.approx(acoustics.loudness(voice), abs=0.01)


def test_a_tilt_is_a_slope() -> None:
    low, high = _tone(hertz=500), _tone(hertz=4_000)
    tilted = acoustics.tilt(low + high, RATE, 2.0)
    ratio = np.dot(tilted, high) / np.dot(tilted, low)
    assert 20 * np.log10(ratio) == pytest.approx(2.0 * 3, abs=0.2)  # three octaves apart


@given(length=st.integers(1, 900), window=st.integers(1, 900), margin=st.integers(0, 100), seed=st.integers(0, 9))
def test_a_placed_sound_is_whole_where_it_fits(length: int, window: int, margin: int, seed: int) -> None:
    sound = np.arange(1, length + 1, dtype=np.float32)
    placed = acoustics.place(sound, window, np.random.default_rng(seed), margin)
    assert placed.shape == (window,)
    heard = placed[placed != 0]
    np.testing.assert_array_equal(heard, sound[: min(length, window)])
    if window >= length + 2 * margin:
        assert not placed[:margin].any()
        assert not placed[window - margin :].any()


def test_trimming_keeps_a_little_on_both_sides() -> None:
    sound = np.concatenate([np.zeros(1_000), _tone(2_000), np.zeros(3_000)]).astype(np.float32)
    assert len(acoustics.trim(sound, keep=100)) == pytest.approx(2_200, abs=4)
    assert not acoustics.trim(np.zeros(50, np.float32)).any()


def test_soft_clipping_bends_only_peaks() -> None:
    audio = np.linspace(-5, 5, 1_001, dtype=np.float32)
    bent = acoustics.soft_clip(audio)
    assert np.abs(bent).max() <= 0.98
    assert (np.diff(bent) >= 0).all()
    quiet = np.abs(audio) < 0.68
    np.testing.assert_allclose(bent[quiet], audio[quiet], atol=1e-6)
