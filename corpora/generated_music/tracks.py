"""One track, from the composer or the speaker to its clips; runs in a process of its own, because espeak-ng keeps a state."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator

from corpora import acoustics
from corpora.audio import Audio
from corpora.corpus import Clip
from corpora.generated_music.reading import Reader
from corpora.generated_music.score import RATE, Commission
from corpora.generated_music.studio import Master, mix
from corpora.generated_music.styles import COMPOSERS
from corpora.speakers import Speaker, cast

SPEECH = "speech"
LABELS = (*COMPOSERS, SPEECH)
APART = 1.2  # clips are cut from stretches this many times their length
ROOM = 0.5  # longest RT60 of a room for speech, seconds


@dataclass(frozen=True)
class Track:
    """One group: a piece of a style, or a speaker."""

    label: str
    number: int
    seed: int
    speaker: Speaker | None = None

    @property
    def name(self) -> str:
        """The track's name in file names; a speaker's has no number, for it is never used twice."""
        return self.speaker.name if self.speaker else f"{self.label}-{self.number:03d}"

    @property
    def group(self) -> str:
        """What may not cross splits: the piece, or the voice in whatever accent."""
        return self.speaker.voice if self.speaker else self.name

    def generator(self, purpose: str) -> Generator:
        """Random numbers that depend on seed, track and purpose alone, so that no part disturbs another."""
        return np.random.default_rng([self.seed, zlib.crc32(f"{self.name}/{purpose}".encode())])


@dataclass(frozen=True)
class Plan:
    """How many clips a track gives, how long they are, and how tracks are made."""

    clips: int
    seconds: float
    overlap: float
    master: Master


def programme(tracks: int, seed: int) -> tuple[Track, ...]:
    """`tracks` tracks of each label."""
    pieces = [Track(label, number, seed) for label in COMPOSERS for number in range(tracks)]
    speakers = cast(tracks, seed, ROOM, tuple(acoustics.BACKGROUNDS))
    return (*pieces, *(Track(SPEECH, number, seed, speaker) for number, speaker in enumerate(speakers)))


def record(track: Track, plan: Plan, root: Path) -> list[Clip]:
    """Make all clips of one track under `root`; returns their rows for labels.csv."""
    whole = produce(track, plan)
    length, rng, clips = round(plan.seconds * RATE), track.generator("cuts"), []
    for number in range(plan.clips):
        stretch = int(APART * length)
        at = number * stretch + int(rng.integers(0, stretch - length + 1))
        path = f"audio/{track.label}/{track.name}_{number:02d}.wav"
        soundfile.write(str(root / path), whole[at : at + length], RATE, subtype="PCM_16")
        clips.append(Clip(path, track.label, track.group))
    return clips


def produce(track: Track, plan: Plan) -> Audio:
    """The whole of a track, mastered; float32 (samples,) at 24 kHz."""
    samples = int(APART * round(plan.seconds * RATE)) * plan.clips
    rng = track.generator("track")
    if track.speaker:
        spoken = Reader(track.speaker, plan.overlap).read(samples / RATE, rng)
        return plan.master.finish(spoken, rng.uniform(0, 1), rng)
    piece = COMPOSERS[track.label](Commission(rng, plan.overlap, samples / RATE))
    return plan.master.finish(mix(piece, samples, rng), piece.density, rng)
