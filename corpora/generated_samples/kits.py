"""The kits of generated samples: who made a set of one-shots, with what sampler, in which room, and tuned how."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator


@dataclass(frozen=True)
class Kit:
    """One group: what all its samples have in common. Times as factors, pitch in semitones, slope in dB an octave."""

    name: str
    seed: int
    held_rate: float
    bits: int
    slope: float
    reverberation: float
    distance: float
    drive: float
    pitch: float
    length: float
    brightness: float

    def generator(self, purpose: str) -> Generator:
        """Random numbers that depend on seed, kit and purpose alone, so that no part disturbs another."""
        return np.random.default_rng([self.seed, zlib.crc32(f"{self.name}/{purpose}".encode())])


def collect(count: int, seed: int, slope: float, reverberation: float) -> tuple[Kit, ...]:
    """Invent `count` kits; `slope` is the steepest tilt in dB an octave, `reverberation` the longest RT60 in seconds."""
    return tuple(_invent(f"kit-{number:03d}", seed, slope, reverberation) for number in range(count))


def _invent(name: str, seed: int, slope: float, reverberation: float) -> Kit:
    rng = np.random.default_rng([seed, zlib.crc32(f"{name}/kit".encode())])
    old = rng.uniform() < 0.35  # an early sampler: few bits, a low rate, and the images that come with it
    return Kit(
        name, seed,
        held_rate=float(rng.uniform(9_000, 16_000)) if old else 22_050.0, bits=int(rng.integers(8, 13)) if old else 16,
        slope=float(rng.uniform(-slope, slope)), reverberation=float(rng.uniform(0.05, max(reverberation, 0.06))),
        distance=float(rng.uniform(0.0, 0.6) if rng.uniform() < 0.7 else 0.0),
        drive=float(rng.uniform(0.0, 3.0) if rng.uniform() < 0.5 else 0.0), pitch=float(rng.uniform(-3, 3)),
        length=float(2 ** rng.uniform(-0.6, 0.6)), brightness=float(2 ** rng.uniform(-0.5, 0.5)),
    )  # fmt: skip
