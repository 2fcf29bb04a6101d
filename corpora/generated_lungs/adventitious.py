"""The sounds that do not belong in a breath: crackles, wheezes and rhonchi, each alone in a window around its centre.

All are float64 of shape (samples,), zero where the sound is not, at a loudness of their own. Terms and limits are those
of Sovijärvi et al., "Definition of terms for applications of respiratory sounds" (CORSA), Eur. Respir. Rev. 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Sound = NDArray[np.float64]
WIDTHS = tuple[float, float]

HEARD = 0.9  # seconds about the centre that hold the sound; a model hears one second
LOWEST, HIGHEST = 100.0, 1_000.0  # Hz of a wheeze's line
SNORE = 350.0  # Hz above which a rhonchus dies away


@dataclass(frozen=True)
class Crackle:
    """A kind of crackle: initial deflection width and two-cycle duration in milliseconds, and how many in an event."""

    initial: WIDTHS
    two_cycle: WIDTHS
    number: tuple[int, int]


# The widths by which Hoevers and Loudon ("Measuring crackles", Chest 1990) tell the two apart, spread about the means
# of the American Thoracic Society: 0.7 and 5 ms fine, 1.5 and 10 ms coarse.
FINE = Crackle(initial=(0.5, 0.9), two_cycle=(4.0, 7.0), number=(5, 16))
COARSE = Crackle(initial=(1.1, 2.0), two_cycle=(8.0, 15.0), number=(3, 9))


def crackles(samples: int, rate: int, kind: Crackle, rng: Generator) -> Sound:
    """A string of crackles of one kind at random times, each with widths, strength and sign of its own.

    `samples` are a second or more.
    """
    count = int(rng.integers(*kind.number))
    initial, two_cycle = (rng.uniform(*widths, (count, 1)) / 1_000 for widths in (kind.initial, kind.two_cycle))
    bursts = deflect(np.arange(int(kind.two_cycle[1] * rate / 1_000) + 1) / rate, initial, two_cycle)
    bursts *= rng.choice([-1.0, 1.0], (count, 1)) * np.exp(rng.normal(0, 0.4, (count, 1)))
    first = samples / 2 + rng.uniform(-HEARD / 2, HEARD / 2, count) * rate
    places = first.astype(int)[:, None] + np.arange(bursts.shape[1])
    sound = np.zeros(samples)
    np.add.at(sound, places, bursts)
    return sound


def deflect(times: Sound, initial: Sound, two_cycle: Sound) -> Sound:
    """The wave of crackles: times (n,) in seconds, widths (crackles, 1) in seconds give (crackles, n).

    Two cycles that slow down, under a swell: the first half wave ends after `initial`, the fourth after `two_cycle`.
    As in Kiyokawa et al., "Auditory detection of simulated crackles in breath sounds", Chest 2001.
    """
    part = (times / two_cycle).clip(0, 1)
    bend = np.log(0.25) / np.log(initial / two_cycle)  # part ** bend is a quarter of two cycles at `initial`
    wave: Sound = np.sin(4 * np.pi * part**bend) * (1 + np.cos(2 * np.pi * (np.sqrt(part) - 0.5))) / 2
    return wave


def wheeze(samples: int, rate: int, pitch: float, rng: Generator) -> Sound:
    """One line, or two that do not belong together, with up to two overtones; 0.12 to 0.9 s, gliding slowly."""
    seconds = rng.uniform(0.12, HEARD)
    times = np.arange(int(seconds * rate)) / rate
    sound = _line(times, rate, pitch, rng)
    if rng.uniform() < 0.25:
        sound = sound + rng.uniform(0.3, 1.0) * _line(times, rate, pitch * rng.uniform(1.2, 1.9), rng)
    return _placed(sound * _swell(len(times), rate, rng), samples, rate, rng)


def _line(times: Sound, rate: int, pitch: float, rng: Generator) -> Sound:
    part = times / times[-1] - 0.5
    glide = rng.uniform(-0.4, 0.4) * part + rng.uniform(-0.8, 0.8) * part**2  # octaves
    wobble = rng.uniform(0, 0.02) * np.sin(2 * np.pi * (rng.uniform(3, 7) * times + rng.uniform()))
    phase = 2 * np.pi * np.cumsum((pitch * 2 ** (glide + wobble)).clip(LOWEST, HIGHEST)) / rate
    orders = np.arange(1, int(rng.integers(1, 4)) + 1)[:, None]
    strengths = 10 ** (-rng.uniform(8, 20) * (orders - 1) / 20)
    line: Sound = (strengths * np.sin(orders * phase + rng.uniform(0, 2 * np.pi, orders.shape))).sum(axis=0)
    return line


def rhonchus(samples: int, rate: int, pitch: float, rng: Generator) -> Sound:
    """A snore of 0.2 to 0.9 s: `pitch` times a second a rapidly damped ring at 130 to 300 Hz, now stronger, now weaker."""
    length = int(rng.uniform(0.2, HEARD) * rate)
    unsteady = np.repeat(rng.normal(0, 0.04, length // 200 + 1), 200)[:length]
    pitches = pitch * 2 ** (np.linspace(-0.5, 0.5, length) * rng.uniform(-0.3, 0.3) + unsteady)
    turns = np.cumsum(pitches) / rate
    since = (turns % 1) / pitches
    strengths = rng.uniform(0.5, 1.0, int(turns[-1]) + 1)[turns.astype(int)]
    ring = strengths * np.exp(-since / rng.uniform(0.003, 0.008)) * np.sin(2 * np.pi * rng.uniform(130, 300) * since)
    spectrum = np.fft.rfft(ring) / (1 + (np.fft.rfftfreq(length, 1 / rate) / SNORE) ** 4)
    spectrum[0] = 0
    return _placed(np.fft.irfft(spectrum, length) * _swell(length, rate, rng), samples, rate, rng)


def _swell(samples: int, rate: int, rng: Generator) -> Sound:
    """Rise and fall over 20 to 50 ms each, level between."""
    rise, fall = (rng.uniform(0.02, 0.05) * rate for _ in range(2))
    places = np.arange(samples) + 0.5
    edges: Sound = np.minimum(np.minimum(places / rise, (samples - places) / fall), 1)
    return np.sin(np.pi / 2 * edges) ** 2


def _placed(sound: Sound, samples: int, rate: int, rng: Generator) -> Sound:
    """The sound somewhere in the middle `HEARD` seconds of a window."""
    span = int(HEARD * rate) - len(sound)
    at = (samples - int(HEARD * rate)) // 2 + int(rng.integers(0, max(span, 0) + 1))
    window = np.zeros(samples)
    window[at : at + len(sound)] = sound
    return window
