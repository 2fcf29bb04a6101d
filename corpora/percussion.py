"""Drums and cymbals: each a function of its pitch, lengths and noise, at any rate, peak 1.

Times are in seconds (decays to -60 dB), frequencies in Hz; a hit is as long as `samples`, silent or not.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from corpora.audio import Audio
from corpora.filters import band_pass, drive, high_pass, low_pass, peak
from corpora.synthesis import count, envelope, fall, glide, mixed, noise, oscillate, partials, period

# Ratios of the modes of a struck circular skin (Fletcher and Rossing, The Physics of Musical Instruments, 1998).
SKIN = (1.0, 1.59, 2.14, 2.30, 2.65, 2.92)
# The six square waves of the TR-808's hats and cymbal, as ratios of the lowest (its service notes, 1980).
METAL = (1.0, 1.48, 1.80, 2.55, 2.63, 3.90)
SINE = period(np.ones(1))


def kick(
    samples: int,
    rate: int,
    rng: Generator,
    *,
    pitch: float,
    start: float,
    bend: float,
    decay: float,
    click: float,
    dirt: float = 0.0,
) -> Audio:
    """A sine that falls from `start` to `pitch` in `bend`, under a click of gain `click`; `dirt` drives it."""
    body = oscillate(SINE, glide(start, pitch, bend, samples, rate), samples, rate, 0.25 * rng.uniform())
    body *= envelope(samples, rate, 0.001, 0.005) * fall(samples, rate, decay)
    tick = low_pass(noise(samples, rng) * fall(samples, rate, 0.02), rate, rng.uniform(1_500, 7_000))
    return peak(drive(mixed((1.0, body), (click, peak(tick))), dirt))


def tom(
    samples: int, rate: int, rng: Generator, *, pitch: float, bend: float, decay: float, skin: float, stick: float
) -> Audio:
    """A skin of `pitch` that sinks by `bend` (ratio) while it rings; `skin` is the gain of its upper modes."""
    sinking = glide(pitch * bend, pitch, 0.25, samples, rate)
    body = oscillate(SINE, sinking, samples, rate) * fall(samples, rate, decay)
    modes = [pitch * ratio * rng.uniform(0.97, 1.03) for ratio in SKIN[1:]]
    upper = partials(modes, [0.8, 0.6, 0.5, 0.3, 0.2], [decay * 0.5 / ratio for ratio in SKIN[1:]], samples, rate, rng)
    tick = band_pass(noise(samples, rng) * fall(samples, rate, 0.03), rate, 700, rng.uniform(2_500, 6_000))
    return mixed((1.0, body), (skin, upper), (stick, peak(tick)))


def snare(
    samples: int, rate: int, rng: Generator, *, pitch: float, body: float, wires: float, decay: float, bright: float
) -> Audio:
    """Two modes of a skin with gain `body` that ring shortly, and wires: noise around `bright` that rings for `decay`."""
    skin = partials([pitch, 1.78 * pitch], [1.0, 0.6], [0.7 * decay, 0.4 * decay], samples, rate, rng)
    skin *= envelope(samples, rate, 0.001, 0.005)
    rattle = band_pass(noise(samples, rng), rate, 0.35 * bright, min(2.5 * bright, 10_000)) * fall(samples, rate, decay)
    crack = high_pass(noise(samples, rng) * fall(samples, rate, 0.015), rate, 1_500)
    return mixed((body, skin), (wires, peak(rattle)), (0.5 * wires, peak(crack)))


def hat(samples: int, rate: int, rng: Generator, *, pitch: float, metal: float, decay: float, low: float) -> Audio:
    """Six square waves above `pitch` (share `metal`) and noise (the rest), above `low`, ringing for `decay`."""
    ring = sum(
        np.sign(np.sin(2 * np.pi * (pitch * ratio * np.arange(samples) / rate + rng.uniform()))) for ratio in METAL
    )
    hiss = noise(samples, rng)
    both = metal * np.asarray(ring, np.float32) / 6 + (1 - metal) * hiss
    return peak(high_pass(both, rate, low, 3) * fall(samples, rate, decay))


def cymbal(samples: int, rate: int, rng: Generator, *, pitch: float, decay: float, bell: float) -> Audio:
    """Thirty modes between `pitch` and thirty times that, and noise, ringing for `decay`; `bell` is the gain of its ping."""
    modes, strengths, shares = (rng.uniform(least, most, 30).tolist() for least, most in ((1, 30), (0.2, 1), (0.3, 1)))
    shimmer = partials(
        [pitch * mode for mode in modes], strengths, [decay * share for share in shares], samples, rate, rng
    )
    wash = high_pass(noise(samples, rng), rate, 3_000) * fall(samples, rate, 0.7 * decay)
    stick = band_pass(noise(samples, rng) * fall(samples, rate, 0.02), rate, 2_000, 8_000)
    ping = partials([pitch * 4.1, pitch * 6.7], [1.0, 0.6], [0.4, 0.3], samples, rate, rng)
    return mixed((0.5, peak(shimmer)), (0.8, peak(wash)), (bell, peak(ping)), (0.6, peak(stick)))


def clap(
    samples: int, rate: int, rng: Generator, *, hands: int, spread: float, decay: float, centre: float, width: float
) -> Audio:
    """Noise around `centre` (`width` in octaves), in `hands` bursts `spread` apart, the last ringing for `decay`."""
    shape = np.zeros(samples, np.float32)
    for hand in range(hands):
        at = min(count(hand * spread * rng.uniform(0.8, 1.2), rate) if hand else 0, samples - 1)
        ring = fall(samples - at, rate, decay if hand == hands - 1 else 0.02)
        shape[at:] = np.maximum(shape[at:], ring * rng.uniform(0.7, 1.0))
    edge = 2 ** (width / 2)
    return peak(band_pass(noise(samples, rng), rate, centre / edge, centre * edge) * shape)


def brush(samples: int, rate: int, rng: Generator, *, bright: float, swell: float) -> Audio:
    """A brush drawn over a snare's skin: noise about `bright` that swells until `swell` (share of its length) and fades."""
    rise = np.linspace(0, 1, samples) ** (np.log(0.5) / np.log(swell))
    return peak(
        band_pass(noise(samples, rng), rate, 0.4 * bright, 2 * bright) * np.sin(np.pi * rise).astype(np.float32)
    )


def shaker(samples: int, rate: int, rng: Generator, *, bright: float, decay: float) -> Audio:
    """Beads: noise above `bright` that rises over 20 ms and falls over `decay`."""
    shape = envelope(samples, rate, 0.02, 0.005) * fall(samples, rate, decay)
    return peak(high_pass(noise(samples, rng), rate, bright, 3) * shape)
