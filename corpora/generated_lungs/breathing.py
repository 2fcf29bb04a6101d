"""What a stethoscope hears of a healthy chest, and of the hand that holds it: breath, heart, friction, its own band.

All signals are float64 of shape (samples,).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Sound = NDArray[np.float64]

EXPIRATION = 0.85  # of what inspiration leaves of a breath; the rest is a pause
LOW = 60.0  # Hz under which muscles are heard, not air


def flow(times: Sound, period: float, inspiration: float) -> Sound:
    """The air a second at `times` (seconds; 0 is where inspiration begins): above 0 in, to 1; below 0 out, to -1."""
    part = (times / period) % 1
    out = (part - inspiration) / (EXPIRATION * (1 - inspiration))
    inward = np.sin(np.pi * (part / inspiration).clip(0, 1))
    # Air leaves fastest early on.
    outward = np.sin(np.pi * out.clip(0, 1) ** 0.7)
    return np.where(part < inspiration, inward, -outward)


def breath(air: Sound, rate: int, corner: float, fall: float, out: float, rng: Generator) -> Sound:
    """The noise of turbulent air: stronger and brighter the more of it moves; `out` is expiration's share.

    Its amplitude follows the flow below the corner and the flow's square above it (Gavriely and Cugell, "Airflow
    effects on amplitude and spectral content of normal breath sounds", J. Appl. Physiol. 1996).
    """
    strength = np.abs(air) * np.where(air < 0, out, 1.0)
    dull, bright = (shape(rng.standard_normal(len(air)), rate, LOW, knee, fall) for knee in (corner, 2 * corner))
    noise: Sound = dull * strength + bright * strength**2 + 0.02 * dull
    return noise


def shape(sound: Sound, rate: int, low: float, high: float, fall: float) -> Sound:
    """Let pass from `low` to `high` Hz; below it falls by 12 dB an octave, above by `fall` dB an octave."""
    pitches = np.maximum(np.fft.rfftfreq(len(sound), 1 / rate), 1.0)
    gains = 1 / np.sqrt((1 + (low / pitches) ** 4) * (1 + (pitches / high) ** (fall / 3)))
    return np.fft.irfft(np.fft.rfft(sound) * gains, len(sound))


def heart(times: Sound, beats: float, rng: Generator) -> Sound:
    """First and second heart sounds, `beats` a minute: swells of 40 ms at 30-60 Hz and of 30 ms at 50-90 Hz."""
    period = 60 / beats
    since = (times + rng.uniform(0, period)) % period
    systole = 0.3 * np.sqrt(period)
    first, second = rng.uniform(30, 60), rng.uniform(50, 90)
    sound: Sound = _thud(since - 0.08, 0.020, first) + rng.uniform(0.4, 1.0) * _thud(
        since - 0.08 - systole, 0.015, second
    )
    return sound


def _thud(times: Sound, width: float, pitch: float) -> Sound:
    sound: Sound = np.exp(-((times / width) ** 2) / 2) * np.sin(2 * np.pi * pitch * times)
    return sound


def friction(samples: int, rate: int, rng: Generator) -> Sound:
    """One to four rubs of the chest piece on skin or cloth: scraping noise of 20 to 250 ms each, at any time."""
    sound = np.zeros(samples)
    for seconds in rng.uniform(0.02, 0.25, rng.integers(1, 5)):
        length = int(seconds * rate)
        scrape = shape(rng.standard_normal(length), rate, 40, rng.uniform(150, 900), 9)
        grain = np.abs(shape(rng.standard_normal(length), rate, 1, rng.uniform(20, 80), 12))
        at = int(rng.integers(0, samples - length + 1))
        sound[at : at + length] += rng.uniform(0.3, 1.0) * scrape * grain * np.hanning(length)
    return sound
