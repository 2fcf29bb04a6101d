"""What changes a sound on its way: filters that stand or move, resonances, amplifiers that bend it, samplers that coarsen it.

All signals are float32 of shape (samples,); frequencies and rates are in Hz.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import scipy.signal

from corpora.acoustics import QUIET, Signal
from corpora.audio import Audio

HIGHEST = 0.45  # of the rate: nothing is synthesized, and no filter is set, above
BANK = 6  # fixed filters a moving one is blended from


def low_pass(audio: Signal, rate: int, cutoff: float, order: int = 2) -> Audio:
    """Butterworth low-pass."""
    return _filtered(audio, "low", (cutoff,), rate, order)


def high_pass(audio: Signal, rate: int, cutoff: float, order: int = 2) -> Audio:
    """Butterworth high-pass."""
    return _filtered(audio, "high", (cutoff,), rate, order)


def band_pass(audio: Signal, rate: int, low: float, high: float, order: int = 1) -> Audio:
    """Butterworth band-pass; `order` is that of each flank."""
    return _filtered(audio, "band", (low, max(high, 1.1 * low)), rate, order)


def resonate(audio: Signal, rate: int, frequency: float, bandwidth: float) -> Audio:
    """A two-pole resonance with gain 1 at its peak (Klatt, "Software for a cascade/parallel synthesizer", 1980)."""
    radius = np.exp(-np.pi * bandwidth / rate)
    angle = 2 * np.pi * min(frequency, HIGHEST * rate) / rate
    loop = [1.0, -2 * radius * np.cos(angle), radius**2]
    gain = np.abs(np.polyval(loop[::-1], np.exp(-1j * angle)))
    filtered: Audio = scipy.signal.lfilter([gain], loop, audio).astype(np.float32)
    return filtered


def formants(audio: Signal, rate: int, peaks: Sequence[tuple[float, float, float]]) -> Audio:
    """Resonances side by side: (frequency, bandwidth, gain) each."""
    heard = [gain * resonate(audio, rate, frequency, bandwidth) for frequency, bandwidth, gain in peaks]
    return np.asarray(np.sum(heard, axis=0), np.float32)


def sweep(audio: Signal, rate: int, cutoffs: Signal, order: int = 2) -> Audio:
    """A low-pass that moves along `cutoffs` (samples,), blended from a few that stand still."""
    logs = np.log(np.clip(cutoffs, 20, HIGHEST * rate))
    places = np.linspace(logs.min(), max(logs.max(), logs.min() + 1e-3), BANK)
    at = (logs - places[0]) / (places[1] - places[0])
    total = np.zeros(len(audio), np.float32)
    for index, place in enumerate(places):
        weight = np.maximum(1 - np.abs(at - index), 0)
        total += (weight * low_pass(audio, rate, round(float(np.exp(place)), 1), order)).astype(np.float32)
    return total


def drive(audio: Signal, amount: float) -> Audio:
    """Bend a signal of peak 1 by tanh: 0 leaves it, 1 warms it, 10 squares it."""
    bent = np.tanh(amount * audio) / np.tanh(amount) if amount > 1e-3 else audio
    return np.asarray(bent, np.float32)


def crush(audio: Signal, rate: int, held_rate: float, bits: int) -> Audio:
    """What an old sampler does to a signal of peak 1: hold each value for rate / `held_rate` samples, in 2^`bits` steps."""
    steps = 2.0 ** (bits - 1)
    places = np.arange(len(audio))
    if held_rate < rate:
        places = (np.floor(places * held_rate / rate) * (rate / held_rate)).astype(np.int64)
    return (np.round(audio[places] * steps) / steps).astype(np.float32)


def peak(audio: Signal, level: float = 1.0) -> Audio:
    """Scale to a peak of `level`; silence stays silence."""
    return (audio * (level / max(float(np.abs(audio).max(initial=0.0)), QUIET))).astype(np.float32)


def _filtered(audio: Signal, kind: str, edges: tuple[float, ...], rate: int, order: int) -> Audio:
    within = tuple(float(np.clip(edge, 10.0, HIGHEST * rate)) for edge in edges)
    sections = _design(kind, within, rate, order)
    filtered: Audio = scipy.signal.sosfilt(sections, audio).astype(np.float32)
    return filtered


@functools.lru_cache(maxsize=512)
def _design(kind: str, edges: tuple[float, ...], rate: int, order: int) -> Signal:
    sections: Signal = scipy.signal.butter(order, edges if len(edges) > 1 else edges[0], kind, fs=rate, output="sos")
    return sections
