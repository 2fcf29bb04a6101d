"""Synthetic voices: pulses through resonators, which differ from person to person and from clip to clip."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

RATE = 16_000
VOWELS = np.array([[300, 2200, 2900], [600, 1700, 2500], [750, 1200, 2400], [450, 800, 2300], [350, 900, 2200]], float)


def speak(person: int, clip: int = 0, seconds: float = 1.5) -> np.ndarray:
    """A clip (n,) float32 at 16 kHz: vowels with hissing between them, in the pitch and the throat of that person."""
    rng = np.random.default_rng([person, clip])
    pitch, throat, breath = 90 + 17 * (person % 10), 0.85 + 0.04 * (person * 3 % 10), 0.02 + 0.03 * (person % 3)
    parts = []
    while sum(map(len, parts)) < seconds * RATE:
        samples = int(RATE * rng.uniform(0.12, 0.2))
        time = np.arange(samples) / RATE
        cycles = np.cumsum(pitch * (1 + 0.05 * rng.normal() + 0.03 * np.sin(2 * np.pi * 3 * time))) / RATE
        pulses = np.diff(np.floor(cycles), prepend=0) + breath * rng.normal(size=samples)
        for formant in VOWELS[rng.integers(len(VOWELS))] * throat * (1 + 0.03 * rng.normal(size=3)):
            pulses = resonated(pulses, formant, 80)
        hiss = resonated(rng.normal(size=samples // 3), 5000 * throat, 1500)
        parts += [pulses / np.abs(pulses).max(), 0.1 * hiss / np.abs(hiss).max()]
    return (0.3 * np.concatenate(parts)[: int(seconds * RATE)]).astype(np.float32)


def resonated(signal: np.ndarray, hertz: float, width: float) -> np.ndarray:
    """The signal through one resonance of this frequency and bandwidth."""
    radius = np.exp(-np.pi * width / RATE)
    return np.asarray(lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * hertz / RATE), radius**2], signal))
