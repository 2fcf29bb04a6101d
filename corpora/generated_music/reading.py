"""Speech for generated music: a voice reads sentences in a room, with music or other noise behind it, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from corpora import acoustics
from corpora.audio import Audio, resample
from corpora.espeak import Espeak, Speech, open_espeak
from corpora.generated_music.score import RATE, Commission
from corpora.generated_music.studio import mix
from corpora.generated_music.styles import COMPOSERS
from corpora.speakers import Speaker

WHO = (
    "my neighbour", "the old doctor", "a young teacher", "our captain", "the woman next door", "nobody", "every farmer",
    "the last visitor", "her brother", "a quiet child", "the whole village", "the minister", "some people",
)  # fmt: skip
DID = (
    "found", "carried", "forgot", "painted", "wanted", "remembered", "sold", "described", "lost", "borrowed", "had never seen",
    "was looking for", "could not explain",
)  # fmt: skip
WHAT = (
    "a wooden box", "the morning paper", "three green bottles", "an orange umbrella", "the music of her youth", "a letter",
    "the road to the harbour", "his winter coat", "seven questions", "an empty house", "the price of bread", "a camera",
)  # fmt: skip
WHERE = (
    "behind the church", "in the kitchen", "after the storm", "on the first of April", "near the station", "before breakfast",
    "without a word", "in spite of the rain", "at the end of the summer", "under the bridge", "for twenty years",
)  # fmt: skip
LINKS = (". ", ", and ", ", but ", "; then ", ". However, ", ". ")
UNDER = (6.0, 22.0)  # dB by which the voice is above what is behind it


@dataclass(frozen=True)
class Reader:
    """A speaker at a microphone for the length of a recording."""

    speaker: Speaker
    overlap: float

    def read(self, seconds: float, rng: Generator) -> Audio:
        """Read for so many seconds, from somewhere in a sentence; float32 (samples,) at 24 kHz."""
        samples = round(seconds * RATE)
        words = np.concatenate(list(self._sentences(1.2 * seconds, rng)))
        start = int(rng.integers(0, len(words) - samples + 1))
        room = acoustics.room_response(RATE, self.speaker.reverberation, self.speaker.distance, rng)
        heard = acoustics.reverberate(words[start : start + samples], room)[:samples]
        heard = acoustics.tilt(heard, RATE, self.speaker.slope)
        return self._in_front_of_something(heard, seconds, rng)

    def _sentences(self, seconds: float, rng: Generator) -> list[Audio]:
        """Sentences until there is enough, each said in one breath."""
        espeak, said, length = open_espeak(), [], 0
        while length < seconds * RATE:
            said.append(self._say(espeak, rng))
            length += len(said[-1])
        return said

    def _say(self, espeak: Espeak, rng: Generator) -> Audio:
        speaker = self.speaker
        speed, pitch, pitch_range = (
            int(rng.integers(low, high + 1)) for low, high in (speaker.speed, speaker.pitch, speaker.pitch_range)
        )
        text = _clause(rng) + str(rng.choice(LINKS)) + _clause(rng) + "."
        speech = Speech(speaker.accent, speaker.variant, speed, pitch, pitch_range)
        return resample(espeak.speak(text, speech), espeak.rate, RATE)

    def _in_front_of_something(self, voice: Audio, seconds: float, rng: Generator) -> Audio:
        """Faint music, where styles borrow; else, now and then, the noise of the place."""
        if rng.uniform() < 0.6 * self.overlap:
            style = str(rng.choice(list(COMPOSERS)))
            piece = COMPOSERS[style](Commission(rng, self.overlap, seconds))
            behind = mix(piece, len(voice), rng)
        elif rng.uniform() < 0.5:
            behind = acoustics.BACKGROUNDS[self.speaker.background](len(voice), RATE, rng)
        else:
            return voice
        return acoustics.mix(voice, behind, rng.uniform(*UNDER))


def _clause(rng: Generator) -> str:
    return " ".join(str(rng.choice(words)) for words in (WHO, DID, WHAT, WHERE))
