"""A piece as it is written, and its performance: notes in beats, parts with an instrument, a pulse that turns beats to time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.random import Generator

from corpora.acoustics import Signal
from corpora.audio import Audio

RATE = 24_000
BAR = 4  # beats
GRID = 16  # a second: notes of about one length share a tone

# A tone of a pitch (MIDI number) and a length in seconds; drums heed neither.
Instrument = Callable[[float, float], Audio]
Luthier = Callable[[Generator], Instrument]  # invents an instrument
Effect = Callable[[Signal], Audio]
Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Note:
    """When a note begins and how long it is held, in beats; its MIDI number; its strength, 1 for loud."""

    at: float
    beats: float
    pitch: float = 60.0
    strength: float = 0.8


@dataclass(frozen=True)
class Part:
    """What one instrument plays, at what level in dB, and what its sound goes through."""

    instrument: Instrument
    notes: Sequence[Note]
    level: float = 0.0
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Pulse:
    """Beats in time: `swing` is where a beat's second half begins, `rubato` the share by which tempo sways in eight beats,
    `looseness` the players' deviation in seconds."""

    tempo: float
    swing: float = 0.5
    rubato: float = 0.0
    looseness: float = 0.006
    phase: float = 0.0

    def seconds(self, beat: float) -> float:
        """When a beat falls."""
        whole, part = divmod(beat, 1.0)
        swung = part * 2 * self.swing if part < 0.5 else self.swing + (part - 0.5) * 2 * (1 - self.swing)
        sway = self.rubato * (np.sin(2 * np.pi * beat / 8 + self.phase) - np.sin(self.phase)) * 8 / (2 * np.pi)
        return float((whole + swung + sway) * 60 / self.tempo)


@dataclass(frozen=True)
class Piece:
    """What a composer hands over: the parts, the pulse, and the room the style asks for (RT60 in seconds, its share)."""

    pulse: Pulse
    parts: Sequence[Part]
    reverberation: float
    distance: float
    density: float = 0.0  # how hard the master is driven: 0 leaves dynamics alone


@dataclass(frozen=True)
class Commission:
    """What a composer is asked for: so many seconds, borrowing from other styles as far as `overlap` (0 to 1)."""

    rng: Generator
    overlap: float
    seconds: float

    def bars(self, tempo: float) -> range:
        """The bars that fill the time at a tempo."""
        return range(int(np.ceil(1.1 * self.seconds * tempo / 60 / BAR)) + 1)

    def chance(self, share: float) -> bool:
        """Whether something happens that does `share` of the times."""
        return bool(self.rng.uniform() < share)

    def borrows(self, share: float) -> bool:
        """Whether something happens that does `share` of the times where styles borrow all they can."""
        return self.chance(share * self.overlap)

    def one(self, choices: Sequence[Choice]) -> Choice:
        """One of several, all as likely."""
        return choices[int(self.rng.integers(len(choices)))]

    def level(self, usual: float, spread: float = 3.0) -> float:
        """A level in dB about the usual one."""
        return float(self.rng.normal(usual, spread))


def hits(pattern: str, bars: Sequence[int], rng: Generator, drop: float = 0.03) -> list[Note]:
    """A bar as a grid, for each of `bars`: X loud, x usual, o soft, "." none; `drop` of all are left out."""
    strengths = {"X": 1.0, "x": 0.75, "o": 0.3}
    step = BAR / len(pattern)
    return [
        Note(BAR * bar + step * index, step, strength=strengths[sign] * rng.uniform(0.85, 1.15))
        for bar in bars
        for index, sign in enumerate(pattern)
        if sign != "." and rng.uniform() >= drop
    ]


def perform(part: Part, pulse: Pulse, samples: int, rng: Generator) -> Audio:
    """Play a part; float32 (samples,), not yet at its level."""
    sound = np.zeros(samples, np.float32)
    tones: dict[tuple[float, int], Audio] = {}
    for note in part.notes:
        start = pulse.seconds(note.at)
        held = max(int(np.ceil((pulse.seconds(note.at + note.beats) - start) * GRID)), 1)
        at = max(round((start + rng.normal(0, pulse.looseness)) * RATE), 0)
        if at >= samples:
            continue
        if (note.pitch, held) not in tones:
            tones[note.pitch, held] = part.instrument(note.pitch, held / GRID)
        tone = tones[note.pitch, held][: samples - at]
        sound[at : at + len(tone)] += np.float32(note.strength) * tone
    for effect in part.effects:
        sound = effect(sound)
    return sound
