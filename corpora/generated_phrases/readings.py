"""One voice's phrases, from the words to the file; runs in a process of its own, because espeak-ng keeps a state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator

from corpora import acoustics
from corpora.acoustics import Signal
from corpora.audio import Audio, resample
from corpora.corpus import Clip
from corpora.errors import CorpusError
from corpora.espeak import Speech, open_espeak
from corpora.generated_phrases.phones import fold
from corpora.generated_phrases.words import WORDS
from corpora.speakers import Speaker

ACCENT = "en-us"
RATE = 16_000
SHORTEST = 0.8 * RATE  # samples of a clip; silence makes up what words lack
LONGEST = 2.0 * RATE  # samples of speech; a longer phrase is said again, faster
FASTEST = 450  # words a minute, espeak-ng's own limit
BEFORE, AFTER = (0.05, 0.2), (0.1, 0.3)  # seconds of silence around the phrase


@dataclass(frozen=True)
class Script:
    """How much every voice says, and how it is recorded: speed in words a minute, SNR in dB, loudness in dBFS."""

    phrases: int
    words: tuple[int, int]
    rooms: int
    speed: tuple[float, float]
    reverberation: float
    snr: tuple[float, float]
    loudness: tuple[float, float]


@dataclass(frozen=True)
class Room:
    """Where a voice is recorded, into which microphone (dB an octave), in front of what."""

    response: Audio
    slope: float
    background: str


def record(speaker: Speaker, script: Script, root: Path) -> list[Clip]:
    """Make all clips of one voice under `root`; returns their rows for labels.csv."""
    folder = root / "audio" / speaker.voice
    folder.mkdir(parents=True)
    booth = Booth(speaker, script)
    clips = []
    for number, words in enumerate(_phrases(speaker, script)):
        path = f"audio/{speaker.voice}/{number:03d}_{'-'.join(words)}.wav"
        audio, phones = booth.read(" ".join(words), speaker.generator(f"phrase/{number}"))
        soundfile.write(str(root / path), audio, RATE, subtype="PCM_16")
        clips.append(Clip(path, " ".join(phones), speaker.voice))
    return clips


def _phrases(speaker: Speaker, script: Script) -> list[list[str]]:
    """Words drawn for this voice alone, so no two voices share a phrase except by chance."""
    rng = speaker.generator("script")
    low, high = script.words
    counts = rng.integers(low, high + 1, script.phrases)
    return [[str(word) for word in rng.choice(WORDS, count, replace=False)] for count in counts]


class Booth:
    """A voice in one of the rooms it is recorded in."""

    def __init__(self, speaker: Speaker, script: Script) -> None:
        self.speaker = speaker
        self.script = script
        self.espeak = open_espeak()
        self.speed = speaker.generator("speed").uniform(*script.speed)
        self.rooms = [_furnish(script.reverberation, speaker.generator(f"room/{room}")) for room in range(script.rooms)]

    def read(self, text: str, rng: Generator) -> tuple[Audio, tuple[str, ...]]:
        """A phrase in a room, float32 (samples,) of 0.8 to 2.5 s at 16 kHz, and its phones as they are said."""
        phones = fold(" ".join(self.espeak.phonemes(text, ACCENT)))
        room = self.rooms[int(rng.integers(len(self.rooms)))]
        dry = _framed(self._say(text, rng), rng)
        heard = acoustics.reverberate(dry, room.response)[: len(dry)]
        heard = acoustics.tilt(heard, RATE, room.slope + rng.uniform(-1, 1))
        heard = acoustics.to_loudness(heard, rng.uniform(*self.script.loudness))
        noise = acoustics.BACKGROUNDS[room.background](len(heard), RATE, rng)
        return acoustics.soft_clip(acoustics.mix(heard, noise, rng.uniform(*self.script.snr))), phones

    def _say(self, text: str, rng: Generator) -> Audio:
        """The phrase at 16 kHz without silence around it, said faster until it is short enough."""
        pitch, pitch_range = (
            int(rng.integers(low, high + 1)) for low, high in (self.speaker.pitch, self.speaker.pitch_range)
        )
        speed = int(np.clip(self.speed * rng.uniform(0.92, 1.08), *self.script.speed))
        while True:
            speech = Speech(ACCENT, self.speaker.variant, speed, pitch, pitch_range)
            said = acoustics.trim(resample(self.espeak.speak(text, speech), self.espeak.rate, RATE))
            if len(said) <= LONGEST:
                return said
            if speed == FASTEST:
                seconds = f"at most {LONGEST / RATE:g} s at {FASTEST} words a minute"
                raise CorpusError(f"{len(said) / RATE:.1f} s", place=repr(text), allowed=seconds)
            speed = min(round(speed * 1.15), FASTEST)


def _furnish(reverberation: float, rng: Generator) -> Room:
    response = acoustics.room_response(RATE, rng.uniform(0.05, reverberation), rng.uniform(0.1, 0.8), rng)
    return Room(response, float(rng.uniform(-3, 3)), str(rng.choice(list(acoustics.BACKGROUNDS))))


def _framed(said: Signal, rng: Generator) -> Audio:
    """The phrase with silence before and after it, more of it where the phrase is short."""
    before, after = (int(rng.uniform(*limits) * RATE) for limits in (BEFORE, AFTER))
    missing = max(int(SHORTEST) - before - len(said) - after, 0)
    early = int(rng.integers(0, missing + 1))
    return np.pad(said, (before + early, after + missing - early)).astype(np.float32)
