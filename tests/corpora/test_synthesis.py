"""Synthesis, filters and percussion: what is asked for is what the spectrum shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from corpora import filters, percussion, synthesis

RATE = 22_050
SECOND = RATE


def _rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def _decibels(audio: np.ndarray, low: float, high: float, rate: int = RATE) -> float:
    """The level of a band, in dB."""
    power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
    bins = np.fft.rfftfreq(len(audio), 1 / rate)
    return float(10 * np.log10(power[(bins >= low) & (bins < high)].sum() + 1e-12))


def _loudest(audio: np.ndarray, low: float = 20.0, high: float = RATE / 2) -> float:
    """The frequency of the highest peak of a band, to a tenth of a bin (parabola through its three bins)."""
    spectrum = np.log(np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 4 * len(audio))) + 1e-12)
    width = RATE / (4 * len(audio))
    first = int(low / width)
    at = first + int(spectrum[first : int(high / width)].argmax())
    before, here, after = spectrum[at - 1 : at + 2]
    return float((at + 0.5 * (before - after) / (before - 2 * here + after)) * width)


def _tone(frequency: float, samples: int = SECOND) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(samples) / RATE).astype(np.float32)


def test_notes_and_lengths() -> None:
    assert synthesis.hertz(69) == 440.0
    assert synthesis.hertz(57) == pytest.approx(220.0)
    assert synthesis.count(0.5, RATE) == 11_025
    assert synthesis.count(0.0, RATE) == 1


def test_a_decay_has_fallen_by_60_db_when_it_should() -> None:
    shape = synthesis.fall(SECOND, RATE, 0.5)
    assert shape[0] == 1.0
    assert 20 * np.log10(shape[RATE // 2]) == pytest.approx(-60, abs=0.1)


def test_an_envelope_opens_and_closes() -> None:
    shape = synthesis.envelope(SECOND, RATE, 0.1, 0.2, decay=0.3, sustain=0.5)
    assert shape[0] == pytest.approx(0, abs=1e-6)
    assert shape[-1] == pytest.approx(0, abs=1e-6)
    assert shape[RATE // 2] == pytest.approx(0.5, abs=0.01)
    assert shape.max() > 0.8
    assert len(synthesis.envelope(10, RATE, 0.5, 0.5)) == 10


@pytest.mark.parametrize("shape", synthesis.SHAPES)
def test_waveforms_have_their_pitch_and_do_not_alias(shape: str) -> None:
    frequency = 1_730.0
    audio = synthesis.oscillate(synthesis.wavetable(shape, frequency, RATE), frequency, SECOND, RATE)
    assert _loudest(audio) == pytest.approx(frequency, abs=0.5)
    harmonics = np.arange(frequency, RATE / 2, frequency)
    between = max(_decibels(audio, low + 200, low + frequency - 200) for low in harmonics[:-1])
    assert between < _decibels(audio, frequency - 100, frequency + 100) - 60


def test_a_square_has_odd_harmonics_alone() -> None:
    audio = synthesis.oscillate(synthesis.wavetable("square", 200, RATE), 200, SECOND, RATE)
    levels = [_decibels(audio, 200 * order - 20, 200 * order + 20) for order in range(1, 6)]
    assert min(levels[0], levels[2], levels[4]) > max(levels[1], levels[3]) + 60


def test_frequencies_may_move() -> None:
    path = synthesis.glide(200, 800, 0.3, SECOND, RATE)
    audio = synthesis.oscillate(percussion.SINE, path, SECOND, RATE)
    assert _loudest(audio[-RATE // 2 :]) == pytest.approx(800, rel=0.01)
    swaying = synthesis.vibrato(440, 50, 5, SECOND, RATE, _rng())
    assert 1_200 * np.log2(swaying.max() / 440) == pytest.approx(50, abs=1)
    assert swaying[0] == pytest.approx(440, rel=1e-6)


def test_an_ensemble_beats() -> None:
    table = synthesis.wavetable("saw", 220, RATE)
    alone = synthesis.ensemble(table, 220, 0, 1, SECOND, RATE, _rng())
    many = synthesis.ensemble(table, 220, 20, 5, SECOND, RATE, _rng())
    spread = [np.std([np.std(part) for part in np.array_split(audio, 30)]) / np.std(audio) for audio in (alone, many)]
    assert spread[1] > 3 * spread[0]


@pytest.mark.parametrize("frequency", [41.2, 110.0, 329.6, 987.8])
def test_strings_are_in_tune_and_die_away(frequency: float) -> None:
    audio = synthesis.string(frequency, SECOND, RATE, 0.5, 1.0, _rng())
    heard = _loudest(audio, 0.7 * frequency, 1.4 * frequency)
    assert abs(1_200 * np.log2(heard / frequency)) < 8
    early, late = (float(np.sqrt(np.mean(part**2))) for part in (audio[: RATE // 10], audio[-RATE // 10 :]))
    assert 20 * np.log10(late / early) < -40


def test_a_dull_string_is_duller() -> None:
    dull, bright = (synthesis.string(110, SECOND, RATE, value, 2.0, _rng()) for value in (0.05, 0.95))
    share = [_decibels(audio, 2_000, 10_000) - _decibels(audio, 50, 1_000) for audio in (dull, bright)]
    assert share[0] < share[1] - 10


def test_partials_above_the_band_are_left_out() -> None:
    audio = synthesis.partials([500, 20_000], [1, 1], [1, 1], SECOND, RATE, _rng())
    assert _loudest(audio) == pytest.approx(500, abs=1)
    assert _decibels(audio, 1_500, 11_000) < _decibels(audio, 400, 600) - 50


def test_vowels_have_their_formants() -> None:
    second = {}
    for vowel in ("ee", "ah", "oo"):
        audio = synthesis.sung(110.0, (vowel, vowel), 1.0, 0.0, SECOND, RATE, _rng())
        second[vowel] = _decibels(audio, 1_900, 2_500) - _decibels(audio, 700, 1_400)
    assert second["ee"] > 3
    assert max(second["ah"], second["oo"]) < -5


def test_filters_keep_and_kill() -> None:
    both = _tone(300) + _tone(5_000)
    kept = {
        "low": filters.low_pass(both, RATE, 1_000, 4),
        "high": filters.high_pass(both, RATE, 1_000, 4),
        "band": filters.band_pass(both, RATE, 200, 450, 2),
    }
    for name, audio in kept.items():
        near, far = (300, 5_000) if name != "high" else (5_000, 300)
        assert _decibels(audio, near - 50, near + 50) > _decibels(both, near - 50, near + 50) - 1
        assert _decibels(audio, far - 50, far + 50) < _decibels(both, far - 50, far + 50) - 30
        assert audio.dtype == np.float32
    assert np.isfinite(filters.low_pass(both, RATE, 90_000)).all()


def test_a_resonance_has_gain_one_at_its_peak() -> None:
    ratio = np.std(filters.resonate(_tone(700), RATE, 700, 80)[RATE // 2 :]) / np.std(_tone(700))
    assert ratio == pytest.approx(1, abs=0.02)
    assert np.std(filters.resonate(_tone(3_000), RATE, 700, 80)) < 0.1


def test_a_moving_filter_moves() -> None:
    hiss = synthesis.noise(SECOND, _rng())
    swept = filters.sweep(hiss, RATE, np.geomspace(200, 8_000, SECOND))
    early, late = swept[: RATE // 4], swept[-RATE // 4 :]
    assert _decibels(early, 4_000, 8_000) < _decibels(late, 4_000, 8_000) - 25
    still = filters.sweep(hiss, RATE, np.full(SECOND, 1_000.0))
    np.testing.assert_allclose(still, filters.low_pass(hiss, RATE, 1_000), atol=0.01)


def test_amplifiers_and_samplers() -> None:
    tone = 0.9 * _tone(440)
    np.testing.assert_array_equal(filters.drive(tone, 0), tone)
    driven = filters.drive(tone, 10)
    assert _decibels(driven, 1_300, 1_340) > _decibels(tone, 1_300, 1_340) + 40
    coarse = filters.crush(tone, RATE, RATE / 2, 4)
    assert len(np.unique(coarse)) <= 2**4 + 1
    assert np.count_nonzero(np.diff(coarse)) <= SECOND / 2
    assert filters.peak(np.zeros(4)).tolist() == [0, 0, 0, 0]
    assert np.abs(filters.peak(tone, 0.5)).max() == pytest.approx(0.5)


def test_layers_of_any_length() -> None:
    mixed = synthesis.mixed((1.0, np.ones(3)), (0.5, np.ones(5)))
    np.testing.assert_allclose(mixed, [1, 1, 1, 1 / 3, 1 / 3], rtol=1e-6)


HITS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "kick": lambda rng: percussion.kick(
        SECOND, RATE, rng, pitch=50, start=250, bend=0.08, decay=0.4, click=0.3, dirt=1.0
    ),
    "tom": lambda rng: percussion.tom(SECOND, RATE, rng, pitch=120, bend=1.2, decay=0.6, skin=0.3, stick=0.2),
    "snare": lambda rng: percussion.snare(SECOND, RATE, rng, pitch=190, body=0.7, wires=1, decay=0.25, bright=3_000),
    "hat": lambda rng: percussion.hat(SECOND, RATE, rng, pitch=400, metal=0.5, decay=0.08, low=6_500),
    "cymbal": lambda rng: percussion.cymbal(SECOND, RATE, rng, pitch=330, decay=1.5, bell=0.3),
    "clap": lambda rng: percussion.clap(SECOND, RATE, rng, hands=4, spread=0.012, decay=0.15, centre=1_400, width=1.5),
    "brush": lambda rng: percussion.brush(SECOND, RATE, rng, bright=4_000, swell=0.6),
    "shaker": lambda rng: percussion.shaker(SECOND, RATE, rng, bright=5_000, decay=0.1),
}


@pytest.mark.parametrize("name", HITS)
def test_hits_are_whole_and_follow_the_seed(name: str) -> None:
    hit = HITS[name](_rng(1))
    assert hit.dtype == np.float32
    assert hit.shape == (SECOND,)
    assert np.abs(hit).max() == pytest.approx(1)
    np.testing.assert_array_equal(hit, HITS[name](_rng(1)))
    assert not np.array_equal(hit, HITS[name](_rng(2)))


def _centre(audio: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(audio)) ** 2
    return float((power * np.fft.rfftfreq(len(audio), 1 / RATE)).sum() / power.sum())


def test_drums_are_where_they_belong() -> None:
    centres = [_centre(HITS[name](_rng())) for name in ("kick", "tom", "clap", "hat")]
    assert centres == sorted(centres)
    assert centres[0] < 200
    assert centres[-1] > 5_000
    assert _loudest(HITS["kick"](_rng())[RATE // 8 : RATE // 2]) == pytest.approx(50, rel=0.1)
    assert _loudest(HITS["tom"](_rng())[RATE // 8 : RATE // 2]) == pytest.approx(120, rel=0.05)
    snare = HITS["snare"](_rng())
    assert _decibels(snare, 150, 230) > _decibels(snare, 600, 900)
    assert _decibels(snare, 2_000, 5_000) > _decibels(snare, 600, 900)


def test_hands_clap_one_after_another() -> None:
    clap = np.abs(HITS["clap"](_rng()))
    level = np.convolve(clap, np.ones(60) / 60, "same")[: RATE // 10]
    blocks = [level[at : at + RATE // 83].max() for at in range(0, 4 * RATE // 83, RATE // 83)]
    dips = [level[at + RATE // 125 : at + RATE // 83].min() for at in range(0, 3 * RATE // 83, RATE // 83)]
    assert min(blocks) > 2 * min(dips)


def test_an_open_hat_rings_longer() -> None:
    lengths = []
    for decay in (0.06, 0.7):
        hit = percussion.hat(SECOND, RATE, _rng(), pitch=400, metal=0.5, decay=decay, low=6_500)
        lengths.append(int(np.flatnonzero(np.abs(hit) > 0.05)[-1]))
    assert lengths[0] < RATE // 20 < RATE // 5 < lengths[1]
