"""Draws of a sound's parameters: from what is usual for its label, or as far as its neighbours' ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from numpy.random import Generator

Choice = TypeVar("Choice")
Range = tuple[float, float]


@dataclass(frozen=True)
class Draws:
    """Random choices; `overlap` 0 keeps to the usual range of each parameter, 1 goes to the ends of the wide one."""

    rng: Generator
    overlap: float

    def ratio(self, usual: Range, wide: Range) -> float:
        """A value evenly spread over the logarithm of its range; for frequencies, times and gains."""
        low, high = (near * (far / near) ** self.overlap for near, far in zip(usual, wide, strict=True))
        return float(low * (high / low) ** self.rng.uniform())

    def value(self, usual: Range, wide: Range) -> float:
        """A value evenly spread over its range; for pitches in semitones and shares."""
        low, high = (near + (far - near) * self.overlap for near, far in zip(usual, wide, strict=True))
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        """Whether something happens that does `share` of the times."""
        return bool(self.rng.uniform() < share)

    def one(self, choices: Sequence[Choice]) -> Choice:
        """One of several, all as likely."""
        return choices[int(self.rng.integers(len(choices)))]
