"""The five pitched labels of generated samples: bass, pluck, pad, brass, vocal, with the ranges that make them so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from corpora.audio import Audio
from corpora.filters import drive, low_pass, peak, sweep
from corpora.generated_samples import sources
from corpora.generated_samples.draws import Draws
from corpora.generated_samples.kits import Kit
from corpora.synthesis import (
    VOWELS,
    count,
    ensemble,
    envelope,
    fall,
    glide,
    hertz,
    mixed,
    noise,
    sung,
    vibrato,
    wavetable,
)

Source = Callable[[Draws, float, int, int], Audio]

LONGEST = 1.48  # seconds
CHORDS = ((0,), (0, 7), (0, 12), (0, 4, 7), (0, 3, 7), (0, 7, 12, 16), (0, 3, 7, 10), (0, 5, 7))
# Named twice, a source is taken twice as often.
BASSES: tuple[Source, ...] = (
    partial(sources.saw, opening=(4, 16), closing=0.6),
    partial(sources.saw, opening=(4, 16), closing=0.6),
    sources.sub,
    partial(sources.operators, ratios=(1.0, 2.0, 3.0)),
    partial(sources.plucked, brightness=(0.1, 0.5)),
)
PLUCKS: tuple[Source, ...] = (
    partial(sources.plucked, brightness=(0.3, 0.9)),
    partial(sources.plucked, brightness=(0.3, 0.9)),
    sources.bar,
    partial(sources.operators, ratios=(1.0, 2.0, 3.5, 7.0)),
    partial(sources.saw, opening=(4, 12), closing=0.25),
)


def bass(draws: Draws, kit: Kit, rate: int) -> Audio:
    """A low note: a synthesizer's, a sine that rings, two operators, or a string."""
    samples = count(draws.ratio((0.4, 1.2), (0.15, LONGEST)), rate)
    tone = draws.one(BASSES)(draws, hertz(draws.value((29, 45), (26, 54)) + kit.pitch), samples, rate)
    attack, release = draws.ratio((0.002, 0.006), (0.001, 0.03)), draws.ratio((0.02, 0.1), (0.01, 0.2))
    return peak(tone * envelope(samples, rate, attack, release))


def pluck(draws: Draws, kit: Kit, rate: int) -> Audio:
    """A short note, struck or plucked; low and short, it is nearly a bass."""
    seconds = min(kit.length * draws.ratio((0.25, 0.8), (0.12, 1.3)), LONGEST)
    samples = count(seconds, rate)
    tone = draws.one(PLUCKS)(draws, hertz(draws.value((52, 79), (38, 88)) + kit.pitch), samples, rate)
    tone *= envelope(samples, rate, 0.001, 0.02) * fall(samples, rate, 1.2 * seconds)
    tick = low_pass(noise(samples, draws.rng), rate, 3_000) * fall(samples, rate, 0.02)
    return mixed((1.0, peak(tone)), (draws.ratio((0.02, 0.2), (0.01, 0.5)), tick))


def pad(draws: Draws, kit: Kit, rate: int) -> Audio:
    """A chord that swells and stays; quick to come, it is nearly brass."""
    samples, root = (
        count(draws.ratio((1.1, LONGEST), (0.7, LONGEST)), rate),
        draws.value((48, 64), (40, 72)) + kit.pitch,
    )
    shape, cents = draws.one(("saw", "saw", "square", "triangle", "organ")), draws.ratio((6, 20), (2, 35))
    total = np.zeros(samples, np.float32)
    for step in draws.one(CHORDS):
        table = wavetable(shape, hertz(root + step), rate)
        total += ensemble(table, hertz(root + step), cents, draws.one((2, 3, 5)), samples, rate, draws.rng)
    opening = np.linspace(draws.ratio((3, 8), (1.5, 14)), draws.ratio((3, 8), (1.5, 14)), samples)
    attack, release = draws.ratio((0.2, 0.6), (0.03, 0.8)), draws.ratio((0.2, 0.4), (0.05, 0.6))
    return peak(sweep(total, rate, hertz(root) * opening) * envelope(samples, rate, attack, release))


def brass(draws: Draws, kit: Kit, rate: int) -> Audio:
    """Horns, one or a section: dark, then bright within a tenth of a second, and held; soft, they are nearly a pad."""
    samples, root = count(draws.ratio((0.35, 1.1), (0.2, LONGEST)), rate), draws.value((50, 67), (42, 76)) + kit.pitch
    attack, release = draws.ratio((0.03, 0.08), (0.01, 0.3)), draws.ratio((0.05, 0.12), (0.02, 0.4))
    scoop, sway = draws.ratio((0.95, 1.0), (0.85, 1.0)), draws.value((0, 15), (0, 40))
    voices, cents, darkness = draws.one((1, 2, 3)), draws.ratio((3, 10), (1, 18)), draws.value((0, 0.3), (0, 0.9))
    total = np.zeros(samples, np.float32)
    for step in draws.one(CHORDS[:5]):
        frequency = hertz(root + step)
        bent = glide(scoop * frequency, frequency, 3 * attack, samples, rate)
        swaying = vibrato(bent, sway, draws.rng.uniform(4.5, 6), samples, rate, draws.rng)
        total += ensemble(wavetable("saw", frequency, rate, darkness), swaying, cents, voices, samples, rate, draws.rng)
    low, high = draws.ratio((1.2, 2), (1, 4)), draws.ratio((8, 16), (4, 24))
    decay, sustain = draws.ratio((0.4, 1), (0.2, 2)), draws.value((0.4, 0.8), (0.2, 1))
    swell = envelope(samples, rate, 1.5 * attack, 0.1, decay=decay, sustain=sustain)
    tone = peak(sweep(total, rate, hertz(root) * (low + (high - low) * swell)))
    return peak(drive(tone, draws.value((0.5, 2), (0, 3))) * envelope(samples, rate, attack, release))


def vocal(draws: Draws, kit: Kit, rate: int) -> Audio:
    """A sung or called vowel, one voice or a few; without vibrato and breath, it is nearly a pad or brass."""
    samples, pitch = count(draws.ratio((0.4, 1.2), (0.2, LONGEST)), rate), draws.value((48, 69), (43, 76)) + kit.pitch
    throat, breath = draws.ratio((0.95, 1.2), (0.85, 1.35)), draws.ratio((0.05, 0.3), (0.01, 0.8))
    vowels = (draws.one(tuple(VOWELS)), draws.one(tuple(VOWELS)))
    scoop, settling = draws.ratio((0.94, 1.03), (0.8, 1.2)), draws.ratio((0.1, 0.3), (0.05, 0.8))
    total = np.zeros(samples, np.float32)
    for _ in range(draws.one((1, 1, 1, 2, 3))):
        frequency = hertz(pitch + draws.rng.normal(0, 0.1))
        bent = glide(scoop * frequency, frequency, settling, samples, rate)
        swaying = vibrato(bent, draws.value((15, 50), (0, 90)), draws.rng.uniform(4.5, 6.5), samples, rate, draws.rng)
        total += sung(swaying, vowels, throat, breath, samples, rate, draws.rng)
    attack, release = draws.ratio((0.02, 0.08), (0.005, 0.3)), draws.ratio((0.08, 0.2), (0.03, 0.4))
    return peak(total * envelope(samples, rate, attack, release, decay=2.0, sustain=0.5))
