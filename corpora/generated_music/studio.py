"""From parts to a recording: the mix, the room, the master, and what cheap equipment leaves of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from corpora import acoustics
from corpora.audio import Audio
from corpora.filters import drive, high_pass, low_pass, peak
from corpora.generated_music.score import RATE, Piece, perform

FADERS = -20.0  # dBFS of a part at level 0


@dataclass(frozen=True)
class Master:
    """How recordings end: loudness in dBFS, SNR in dB, the share of low fidelity, the steepest tilt in dB an octave."""

    loudness: tuple[float, float]
    snr: tuple[float, float]
    lofi: float
    slope: float

    def finish(self, sound: Audio, density: float, rng: Generator) -> Audio:
        """Compress, colour, perhaps coarsen, add noise, set the level; (samples,) gives (samples,)."""
        sound = drive(peak(sound), density)
        sound = acoustics.tilt(sound, RATE, rng.uniform(-self.slope, self.slope))
        if rng.uniform() < self.lofi:
            sound = high_pass(low_pass(sound, RATE, rng.uniform(2_500, 6_000), 4), RATE, rng.uniform(60, 300))
        levelled = acoustics.to_loudness(sound, rng.uniform(*self.loudness))
        kind = str(rng.choice(["white", "pink", "pink", "hum"]))
        hiss = acoustics.BACKGROUNDS[kind](len(levelled), RATE, rng)
        return acoustics.soft_clip(acoustics.mix(levelled, hiss, rng.uniform(*self.snr)))


def mix(piece: Piece, samples: int, rng: Generator) -> Audio:
    """All parts of a piece at their levels, in its room; float32 (samples,)."""
    total = np.zeros(samples, np.float32)
    for part in piece.parts:
        total += acoustics.to_loudness(perform(part, piece.pulse, samples, rng), FADERS + part.level)
    room = acoustics.room_response(RATE, piece.reverberation, piece.distance, rng)
    return acoustics.reverberate(total, room)[:samples]
