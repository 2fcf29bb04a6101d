"""One speaker's clips, from the word to the file; runs in a process of its own, because espeak-ng keeps a state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile
from numpy.random import Generator

from corpora import acoustics
from corpora.audio import Audio, resample
from corpora.corpus import Clip
from corpora.espeak import Speech, open_espeak
from corpora.generated_speech.words import CONFUSABLE, DIGITS, UNRELATED
from corpora.speakers import ACCENTS, VARIANTS, Speaker

RATE = 16_000
SAMPLES = RATE  # one second
MARGIN = RATE // 50  # a word keeps 20 ms off the edges
LONGEST = 0.92 * SAMPLES  # a word longer than this is said again, faster
BACKGROUNDS = (*acoustics.BACKGROUNDS, "babble")
OWN_BACKGROUND = 0.6  # how often a speaker is heard in front of the background of the place, not a random one
OVERDRIVEN = 0.05  # how often a recording is too loud for its microphone
# What a clip without speech holds over its faint background.
EVENTS = MappingProxyType({"breath": acoustics.breath, "clicks": acoustics.clicks})
QUIETEST, LOUDEST = -65.0, -25.0  # dBFS of clips without speech


@dataclass(frozen=True)
class Script:
    """What every speaker says, and how it is recorded."""

    takes: int
    unknown: int
    confusable: float
    silence: int
    snr: tuple[float, float]
    loudness: tuple[float, float]
    throat: float


def record(speaker: Speaker, script: Script, root: Path) -> list[Clip]:
    """Make all clips of one speaker under `root`; returns their rows for labels.csv."""
    booth = Booth(speaker, script)
    clips = []
    for label, text, name in _lines(speaker, script):
        path = f"audio/{label}/{speaker.name}_{name}.wav"
        rng = speaker.generator(f"{label}/{name}")
        audio = booth.speech(text, rng) if text else booth.silence(rng)
        soundfile.write(str(root / path), audio, RATE, subtype="PCM_16")
        clips.append(Clip(path, label, speaker.voice))
    return clips


def _lines(speaker: Speaker, script: Script) -> list[tuple[str, str, str]]:
    """(label, text, file name) of each clip; no text means no speech."""
    rng = speaker.generator("script")
    close = round(script.confusable * script.unknown)
    others = _drawn(CONFUSABLE, close, rng) + _drawn(UNRELATED, script.unknown - close, rng)
    digits = [(word, word, f"{take:02d}") for word in DIGITS for take in range(script.takes)]
    unknown = [("unknown", str(word), f"{word}-{take:02d}") for take, word in enumerate(others)]
    return digits + unknown + [("silence", "", f"{take:02d}") for take in range(script.silence)]


def _drawn(words: Sequence[str], count: int, rng: Generator) -> list[str]:
    """`count` words in random order, each at most once until all are said."""
    return [word for _ in range(count // len(words) + 1) for word in rng.permutation(words)][:count]


class Booth:
    """A speaker at a microphone, in a room, with something going on behind."""

    def __init__(self, speaker: Speaker, script: Script) -> None:
        self.speaker = speaker
        self.script = script
        self.espeak = open_espeak()
        self.throat = 1 + script.throat * speaker.generator("throat").uniform(-1, 1)
        self.room = acoustics.room_response(RATE, speaker.reverberation, speaker.distance, speaker.generator("room"))
        self.crowd = self._gather(speaker.generator("crowd"))

    def speech(self, text: str, rng: Generator) -> Audio:
        """A word, spoken, in its room, somewhere in a second of background; float32 (16000,)."""
        # The word is placed dry, with time to ring by 20 dB where there is some; the rest may outlast the second.
        word = self._say(text, rng)
        tail = min(round(self.speaker.reverberation / 3 * RATE), SAMPLES - 2 * MARGIN - len(word))
        word = acoustics.place(np.append(word, np.zeros(max(tail, 0), np.float32)), SAMPLES, rng, MARGIN)
        heard = acoustics.reverberate(word, self.room)[:SAMPLES]
        heard = acoustics.tilt(heard, RATE, self.speaker.slope + rng.uniform(-1, 1))
        heard = acoustics.to_loudness(heard, rng.uniform(*self.script.loudness))
        mixed = acoustics.mix(heard, self._background(rng), rng.uniform(*self.script.snr))
        drive = rng.uniform(2, 4) if rng.uniform() < OVERDRIVEN else 1.0
        return acoustics.soft_clip(drive * mixed)

    def silence(self, rng: Generator) -> Audio:
        """A second without speech: background, and in half of all cases a breath or clicks over it."""
        level = rng.uniform(QUIETEST, LOUDEST)
        audio = acoustics.to_loudness(self._background(rng, talking=False), level)
        if rng.uniform() < 0.5:
            event = EVENTS[str(rng.choice(list(EVENTS)))](SAMPLES, RATE, rng)
            audio = audio + acoustics.to_loudness(event, min(level + rng.uniform(3, 25), -18))
        return acoustics.soft_clip(audio)

    def _say(self, text: str, rng: Generator) -> Audio:
        """The word at 16 kHz without pauses around it, said faster until it fits a second.

        Another vocal tract is the same sound played at another rate (formants and pitch go with its length), said as much
        slower as it is played faster.
        """
        speaker = self.speaker
        speed, pitch, pitch_range = (
            int(rng.integers(low, high + 1)) for low, high in (speaker.speed, speaker.pitch, speaker.pitch_range)
        )
        while True:
            speech = Speech(speaker.accent, speaker.variant, round(speed / self.throat), pitch, pitch_range)
            word = acoustics.trim(
                resample(self.espeak.speak(text, speech), round(self.espeak.rate * self.throat), RATE)
            )
            if len(word) <= LONGEST or speed >= 400:
                return _fade(word)
            speed = min(round(speed * 1.15), 400)

    def _background(self, rng: Generator, talking: bool = True) -> Audio:
        kind = self.speaker.background if rng.uniform() < OWN_BACKGROUND else str(rng.choice(BACKGROUNDS))
        if kind == "babble" and talking:
            return acoustics.babble(self.crowd, SAMPLES, rng)
        # Far talk is speech to a person's ear, so a clip called silence has none.
        return acoustics.BACKGROUNDS["pink" if kind == "babble" else kind](SAMPLES, RATE, rng)

    def _gather(self, rng: Generator) -> list[Audio]:
        """Words of others for the babble: six strangers, four unrelated words each, at one loudness."""
        crowd = []
        for variant in rng.choice(VARIANTS, 6, replace=False):
            for text in rng.choice(UNRELATED, 4, replace=False):
                speech = Speech(str(rng.choice(ACCENTS)), str(variant), int(rng.integers(140, 220)))
                word = resample(self.espeak.speak(str(text), speech), self.espeak.rate, RATE)
                crowd.append(acoustics.to_loudness(acoustics.trim(word), -20))
        return crowd


def _fade(word: Audio, samples: int = RATE // 200) -> Audio:
    """Fade 5 ms in and out, so that the cut itself makes no click."""
    ramp = np.linspace(0, 1, samples, dtype=np.float32)
    faded = word.copy()
    faded[:samples] *= ramp
    faded[-samples:] *= ramp[::-1]
    return faded
