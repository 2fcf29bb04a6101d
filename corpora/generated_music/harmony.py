"""Chords, scales and lines: what the styles have in common, and the progressions that tell them apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from numpy.random import Generator

from corpora.errors import CorpusError
from corpora.generated_music.score import Note

DEGREES = MappingProxyType({"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11})
QUALITIES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "": (0, 4, 7),
        "m": (0, 3, 7),
        "5": (0, 7),
        "dim": (0, 3, 6),
        "sus2": (0, 2, 7),
        "sus4": (0, 5, 7),
        "7": (0, 4, 7, 10),
        "maj7": (0, 4, 7, 11),
        "m7": (0, 3, 7, 10),
        "m7b5": (0, 3, 6, 10),
        "9": (0, 4, 7, 10, 14),
        "m9": (0, 3, 7, 10, 14),
        "13": (0, 4, 10, 14, 21),
    }
)
SYMBOL = re.compile(r"(b|#)?(VII|VI|IV|V|III|II|I)(.*)")
SCALES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "major": (0, 2, 4, 5, 7, 9, 11),
        "minor": (0, 2, 3, 5, 7, 8, 10),
        "harmonic": (0, 2, 3, 5, 7, 8, 11),
        "dorian": (0, 2, 3, 5, 7, 9, 10),
        "mixolydian": (0, 2, 4, 5, 7, 9, 10),
        "pentatonic": (0, 3, 5, 7, 10),
        "blues": (0, 3, 5, 6, 7, 10),
        "bebop": (0, 2, 4, 5, 7, 8, 9, 11),
    }
)
# A chord a bar, in Roman numerals over the key.
PROGRESSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "rock": (
            "I5 V5 VI5 IV5", "I5 bVII5 IV5 I5", "I5 bIII5 bVII5 IV5", "I5 IV5 I5 V5", "I5 bVI5 bVII5 I5", "VI5 IV5 I5 V5",
        ),
        "ballad": ("I V VIm IV", "VIm IV I V", "I IIIm IV V", "Im bVII bVI V"),
        "jazz": (
            "IIm7 V13 Imaj7 VI7", "IIIm7 VI7 IIm7 V9", "Im7 IIm7b5 V7 Im9", "I13 IV9 I13 V9", "Imaj7 IVm7 IIIm7 VI7",
            "Im9 bVI7 IIm7b5 V7",
        ),
        "electronic": ("Im bVI bIII bVII", "Im Im IVm IVm", "Im bVII bVI bVII", "Im9 Im9 bVImaj7 bVImaj7", "Im Vm bVI IVm"),
        "classical": (
            "I IV V I", "I VIm IIm V", "I V VIm IIIm", "Im IVm V Im", "Im bVI IVm V", "IV I IIm V", "I IIm V7 I",
        ),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Chord:
    """A root in semitones above the key, and steps above the root."""

    root: int
    steps: tuple[int, ...]

    def voiced(self, key: float, low: float) -> list[float]:
        """Its notes (MIDI numbers) in close position, none below `low`."""
        return sorted(low + (key + self.root + step - low) % 12 for step in self.steps)

    def bass(self, key: float, low: float) -> float:
        """Its root (MIDI number) in the octave above `low`."""
        return low + (key + self.root - low) % 12


def chords(symbols: str) -> tuple[Chord, ...]:
    """Chords from Roman numerals: "IIm7 V7 Imaj7"; raises CorpusError for one it cannot read."""
    return tuple(_read(symbol) for symbol in symbols.split())


def _read(symbol: str) -> Chord:
    match = SYMBOL.fullmatch(symbol)
    if match is None or match[3] not in QUALITIES:
        allowed = f"(b or #) {', '.join(DEGREES)} and one of {', '.join(QUALITIES)}"
        raise CorpusError(f"no chord {symbol!r}", place="progression", allowed=allowed)
    shift = {"b": -1, "#": 1, None: 0}[match[1]]
    return Chord(DEGREES[match[2]] + shift, QUALITIES[match[3]])


def line(
    rng: Generator,
    key: float,
    scale: str,
    bars: Sequence[int],
    rhythms: Sequence[str],
    span: tuple[float, float],
    rest: float = 0.15,
    leap: float = 0.15,
) -> list[Note]:
    """A melody: a walk over a scale between two MIDI numbers, in rhythms of four beats written as note lengths.

    "1 .5 .5 2" is a quarter, two eighths, a half. `rest` of the notes are left out; `leap` go further than a step.
    """
    places = [key % 12 + 12 * octave + step for octave in range(10) for step in SCALES[scale]]
    places = [place for place in places if span[0] <= place <= span[1]]
    at, notes = int(rng.integers(len(places))), []
    for bar in bars:
        beat = 4.0 * bar
        for beats in map(float, str(rng.choice(rhythms)).split()):
            stride = int(rng.integers(2, 5)) if rng.uniform() < leap else int(rng.integers(0, 3))
            at = _turned(at + stride * int(rng.choice([-1, 1])), len(places))
            if rng.uniform() >= rest:
                notes.append(Note(beat, beats, places[at], float(rng.uniform(0.6, 1.0))))
            beat += beats
    return notes


def _turned(place: int, count: int) -> int:
    """A place among `count`; one beyond the ends comes back as far as it went out."""
    last = count - 1
    return min(max(-place if place < 0 else 2 * last - place if place > last else place, 0), last)
