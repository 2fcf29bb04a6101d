"""What the pitched labels of generated samples are made from: a note each, of a frequency and length, peak about 1."""

from __future__ import annotations

import numpy as np

from corpora.audio import Audio
from corpora.filters import drive, peak, sweep
from corpora.generated_samples.draws import Draws, Range
from corpora.synthesis import ensemble, fall, glide, oscillate, partials, string, wavetable

# Ratios of the first modes of a bar thinned in its middle (marimba), of one that is not, and of a bell.
MODES = ((1.0, 3.98, 10.6), (1.0, 2.76, 5.40), (1.0, 2.0, 2.4, 3.0, 4.2))


def saw(draws: Draws, frequency: float, samples: int, rate: int, *, opening: Range, closing: float) -> Audio:
    """Saws or squares under a low-pass that closes from `opening` times their frequency within `closing` of the length."""
    table = wavetable(draws.one(("saw", "square", "pulse")), frequency, rate)
    tone = ensemble(table, frequency, draws.ratio((2, 10), (0.5, 25)), draws.one((1, 2, 3)), samples, rate, draws.rng)
    first = frequency * draws.ratio(opening, (opening[0] / 2, opening[1] * 2))
    last = min(frequency * draws.ratio((1.5, 4), (1.2, 8)), first)
    return peak(sweep(tone, rate, glide(first, last, 3 * closing * samples / rate, samples, rate)))


def sub(draws: Draws, frequency: float, samples: int, rate: int) -> Audio:
    """A sine that falls a little and rings, driven or not: what became of the TR-808's bass drum."""
    bent = glide(frequency * draws.ratio((1.0, 1.5), (1.0, 3)), frequency, 0.06, samples, rate)
    tone = oscillate(wavetable("soft", frequency, rate, 1.0), bent, samples, rate)
    return drive(tone * fall(samples, rate, 1.6 * samples / rate), draws.value((0, 2), (0, 5)))


def operators(draws: Draws, frequency: float, samples: int, rate: int, *, ratios: tuple[float, ...]) -> Audio:
    """Two sines, one modulating the other ever less (Chowning, "The synthesis of complex audio spectra", 1973)."""
    turns = 2 * np.pi * frequency * np.arange(samples) / rate
    index = draws.ratio((0.7, 3), (0.3, 6)) * fall(samples, rate, 0.8 * samples / rate)
    tone = np.sin(turns + index * np.sin(draws.one(ratios) * turns)) * fall(samples, rate, 1.4 * samples / rate)
    return np.asarray(tone, np.float32)


def plucked(draws: Draws, frequency: float, samples: int, rate: int, *, brightness: Range) -> Audio:
    """A string, from dull to bright."""
    ring = samples / rate * draws.ratio((1, 2), (0.6, 3))
    return string(frequency, samples, rate, draws.value(brightness, (0.05, 1)), ring, draws.rng)


def bar(draws: Draws, frequency: float, samples: int, rate: int) -> Audio:
    """A bar or a bell, struck."""
    modes, slope = draws.one(MODES), draws.ratio((0.6, 1), (0.3, 1.5))
    times = [samples / rate * ratio**-0.7 for ratio in modes]
    return partials(
        [frequency * ratio for ratio in modes], [ratio**-slope for ratio in modes], times, samples, rate, draws.rng
    )
