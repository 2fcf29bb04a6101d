"""Sound out of numbers: envelopes, oscillators, ensembles, strings, bars and skins, voices, noise.

All signals are float32 of shape (samples,); frequencies and rates are in Hz, times in seconds. Whatever is random
takes a numpy Generator, so a seed tells everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import scipy.signal
from numpy.random import Generator
from numpy.typing import NDArray

from corpora.acoustics import QUIET, Signal
from corpora.audio import Audio
from corpora.filters import HIGHEST, formants, peak

Trajectory = float | NDArray[np.floating[Any]]  # a value, or one a sample

TABLE = 4_096  # samples of one period

# How strong the k-th harmonic of a waveform is.
SHAPES: Mapping[str, Callable[[Signal], Signal]] = MappingProxyType(
    {
        "saw": lambda order: 1 / order,
        "square": lambda order: (order % 2) / order,
        "triangle": lambda order: (order % 2) / order**2,
        "pulse": lambda order: np.abs(np.sin(0.2 * np.pi * order)) / order,
        "organ": lambda order: np.isin(order, (1, 2, 3, 4, 6, 8)) / order**0.5,
        "soft": lambda order: 1 / order**2.2,
    }
)

# The first three formants of a man's vowels (Peterson and Barney, JASA 24, 1952).
VOWELS: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "ee": (270, 2_290, 3_010),
        "eh": (530, 1_840, 2_480),
        "ae": (660, 1_720, 2_410),
        "ah": (730, 1_090, 2_440),
        "aw": (570, 840, 2_410),
        "oo": (300, 870, 2_240),
        "uh": (640, 1_190, 2_390),
        "er": (490, 1_350, 1_690),
    }
)


def count(seconds: float, rate: int) -> int:
    """Samples of a length in seconds, at least one."""
    return max(round(seconds * rate), 1)


def hertz(pitch: float) -> float:
    """The frequency of a MIDI note number: 69 is 440 Hz, twelve are an octave."""
    return float(440 * 2 ** ((pitch - 69) / 12))


def fall(samples: int, rate: int, time: float) -> Audio:
    """An exponential decay from 1 that has fallen by 60 dB after `time`."""
    return np.asarray(np.exp(-np.log(1_000) * np.arange(samples) / (max(time, 1e-4) * rate)), np.float32)


def envelope(
    samples: int, rate: int, attack: float, release: float, *, decay: float = 1.0, sustain: float = 1.0
) -> Audio:
    """Rise over `attack`, fall towards `sustain` (all but a thousandth after `decay`), and fade over the last `release`."""
    risen = min(count(attack, rate), samples)
    shape = np.ones(samples, np.float32)
    shape[risen:] = sustain + (1 - sustain) * fall(samples - risen, rate, decay)
    for time, edge in ((attack, slice(None)), (release, slice(None, None, -1))):
        ramp = np.sin(0.5 * np.pi * np.linspace(0, 1, min(count(time, rate), samples))) ** 2
        shape[edge][: len(ramp)] *= ramp.astype(np.float32)
    return shape


def glide(start: float, end: float, time: float, samples: int, rate: int) -> Signal:
    """A frequency that moves from `start` to `end`, all but a thousandth of the way after `time`."""
    return end + (start - end) * fall(samples, rate, time)


def vibrato(frequency: Trajectory, cents: float, speed: float, samples: int, rate: int, rng: Generator) -> Signal:
    """A frequency that sways by `cents` at `speed` Hz, not before a third of a second has passed."""
    times = np.arange(samples) / rate
    sway = np.minimum(times / 0.35, 1) * np.sin(2 * np.pi * (speed * times + rng.uniform()))
    return np.asarray(frequency * 2 ** (cents / 1_200 * sway))


def wavetable(shape: str, frequency: float, rate: int, darkness: float = 0.0) -> Audio:
    """One period of a shape of `SHAPES` with all harmonics that fit the rate at `frequency`, peak 1.

    `darkness` weakens the k-th harmonic further, by k to the minus this.
    """
    orders = np.arange(1, min(int(HIGHEST * rate / frequency), TABLE // 4) + 1, dtype=np.float64)
    return period(SHAPES[shape](orders) * orders**-darkness)


def period(strengths: Signal) -> Audio:
    """One period (TABLE,) whose k-th harmonic is `strengths`[k - 1], peak 1."""
    spectrum = np.zeros(TABLE // 2 + 1, complex)
    spectrum[1 : len(strengths) + 1] = -1j * strengths
    table = np.fft.irfft(spectrum)
    return (table / max(float(np.abs(table).max()), QUIET)).astype(np.float32)


def oscillate(table: Audio, frequency: Trajectory, samples: int, rate: int, phase: float = 0.0) -> Audio:
    """Play a period over and over at a frequency that may move; linear interpolation, `phase` in periods."""
    turns = np.cumsum(np.broadcast_to(np.asarray(frequency, np.float64) / rate, samples)) + phase
    places = (turns % 1.0) * TABLE
    before = places.astype(np.int64)
    part = (places - before).astype(np.float32)
    before %= TABLE  # a turn of 1 less a hair rounds up to the whole table
    return table[before] * (1 - part) + table[(before + 1) % TABLE] * part


def ensemble(
    table: Audio, frequency: Trajectory, cents: float, voices: int, samples: int, rate: int, rng: Generator
) -> Audio:
    """Several players of one period, spread evenly over ± `cents`, each from a place of its own."""
    spread = 2 ** (np.linspace(-cents, cents, voices) / 1_200) if voices > 1 else np.ones(1)
    played = [oscillate(table, frequency * ratio, samples, rate, rng.uniform()) for ratio in spread]
    return np.asarray(np.sum(played, axis=0) / np.sqrt(voices), np.float32)


def string(frequency: float, samples: int, rate: int, brightness: float, time: float, rng: Generator) -> Audio:
    """A plucked string that rings for `time` (RT60), its pluck dull at `brightness` 0 and all noise at 1, peak 1.

    Karplus and Strong, "Digital synthesis of plucked-string and drum timbres", 1983; tuned by linear interpolation.
    """
    delay = max(rate / frequency - 0.5, 2.0)  # the average of two samples delays by half of one
    whole, part = int(delay), delay % 1
    burst = np.zeros(samples)
    length = min(whole, samples)
    burst[:length] = rng.uniform(-1, 1, length)
    burst = scipy.signal.lfilter([0.05 + 0.95 * brightness], [1, 0.95 * brightness - 0.95], burst)
    taps = np.convolve([0.5, 0.5], [1 - part, part]) * 10 ** (-3 / (frequency * max(time, 1e-3)))
    loop = np.concatenate([[1.0], np.zeros(whole - 1), -taps])
    return peak(scipy.signal.lfilter([1.0], loop, burst))


def partials(
    frequencies: Sequence[float],
    strengths: Sequence[float],
    times: Sequence[float],
    samples: int,
    rate: int,
    rng: Generator,
) -> Audio:
    """Sines that each ring for a time of their own, as bars, bells and skins do; those above the rate's half are left out."""
    total = np.zeros(samples, np.float32)
    for frequency, strength, time in zip(frequencies, strengths, times, strict=True):
        if frequency < HIGHEST * rate:
            sine = np.sin(2 * np.pi * (frequency * np.arange(samples) / rate + rng.uniform()))
            total += strength * fall(samples, rate, time) * sine.astype(np.float32)
    return total


def noise(samples: int, rng: Generator) -> Audio:
    """White noise, RMS 0.35."""
    return 0.35 * rng.standard_normal(samples, np.float32)


def mixed(*layers: tuple[float, Signal]) -> Audio:
    """The sum of (gain, signal) layers of any lengths, as long as the longest, peak 1."""
    total = np.zeros(max(len(signal) for _, signal in layers), np.float32)
    for gain, signal in layers:
        total[: len(signal)] += (gain * signal).astype(np.float32)
    return peak(total)


def sung(
    pitch: Trajectory, vowels: tuple[str, str], throat: float, breath: float, samples: int, rate: int, rng: Generator
) -> Audio:
    """A voice that goes from one vowel of `VOWELS` to another over its length; `throat` scales the formants, `breath`
    is the gain of its air. Source and filter after Fant, Acoustic Theory of Speech Production, 1960.
    """
    lowest = float(np.min(pitch))
    air = noise(samples, rng)
    source = oscillate(wavetable("saw", lowest, rate, 0.2), pitch, samples, rate, rng.uniform()) + breath * air
    peaks = [[(throat * centre, width, gain) for centre, width, gain in _formants(vowel)] for vowel in vowels]
    share = np.linspace(0, 1, samples, dtype=np.float32)
    spoken = [formants(source, rate, places) for places in peaks]
    return peak((1 - share) * spoken[0] + share * spoken[1] + 0.05 * breath * air)


def _formants(vowel: str) -> list[tuple[float, float, float]]:
    widths, gains = (70.0, 90.0, 130.0, 200.0), (1.0, 0.8, 0.4, 0.2)
    return list(zip((*VOWELS[vowel], 3_500.0), widths, gains, strict=True))
