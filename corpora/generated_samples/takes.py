"""All samples of one kit, from the first hit to the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile
from numpy.random import Generator

from corpora import acoustics
from corpora.audio import Audio
from corpora.corpus import Clip
from corpora.filters import crush, drive, peak
from corpora.generated_samples import drums, tones
from corpora.generated_samples.draws import Draws
from corpora.generated_samples.kits import Kit

RATE = 22_050
SAMPLES = round(1.5 * RATE)  # the longest
SHORTEST = RATE // 10
LAYER = (-20.0, -8.0)  # dB of a second sound under the first

SOUNDS: Mapping[str, Callable[[Draws, Kit, int], Audio]] = MappingProxyType(
    {
        "kick": drums.kick,
        "snare": drums.snare,
        "hat": drums.hat,
        "clap": drums.clap,
        "tom": drums.tom,
        "bass": tones.bass,
        "pluck": tones.pluck,
        "pad": tones.pad,
        "brass": tones.brass,
        "vocal": tones.vocal,
    }
)


@dataclass(frozen=True)
class Session:
    """How many samples of each label a kit has, and how they are taken."""

    takes: int
    overlap: float
    layering: float
    snr: tuple[float, float]
    loudness: tuple[float, float]


def record(kit: Kit, session: Session, root: Path) -> list[Clip]:
    """Make all samples of one kit under `root`; returns their rows for labels.csv."""
    room = acoustics.room_response(RATE, kit.reverberation, kit.distance, kit.generator("room"))
    clips = []
    for label in SOUNDS:
        for take in range(session.takes):
            path = f"audio/{label}/{kit.name}_{take:02d}.wav"
            audio = sample(label, kit, session, room, kit.generator(f"{label}/{take}"))
            soundfile.write(str(root / path), audio, RATE, subtype="PCM_16")
            clips.append(Clip(path, label, kit.name))
    return clips


def sample(label: str, kit: Kit, session: Session, room: Audio, rng: Generator) -> Audio:
    """One sample as the kit has it; float32 (samples,), 0.1 to 1.5 s."""
    dry = _layered(label, kit, session, rng)
    bent = drive(dry, kit.drive * rng.uniform(0.5, 1))
    heard = acoustics.reverberate(bent, room)[:SAMPLES] if rng.uniform() < 0.7 else bent[:SAMPLES]
    tilted = peak(acoustics.tilt(heard, RATE, kit.slope + rng.uniform(-1, 1)), rng.uniform(0.5, 1))
    whole = _cut(crush(tilted, RATE, kit.held_rate, kit.bits))
    levelled = acoustics.to_loudness(whole, rng.uniform(*session.loudness))
    hiss = acoustics.coloured_noise(len(levelled), str(rng.choice(["white", "pink"])), rng)
    return acoustics.soft_clip(acoustics.mix(levelled, hiss, rng.uniform(*session.snr)))


def _layered(label: str, kit: Kit, session: Session, rng: Generator) -> Audio:
    """A sound of the label, and sometimes one of another label under it, as producers stack them."""
    draws = Draws(rng, session.overlap)
    sound = SOUNDS[label](draws, kit, RATE)
    if not draws.chance(session.layering):
        return sound
    other = SOUNDS[draws.one([name for name in SOUNDS if name != label])](draws, kit, RATE)
    under = np.zeros_like(sound)
    length = min(len(sound), len(other))
    under[:length] = other[:length] * 10 ** (rng.uniform(*LAYER) / 20)
    return peak(sound + under)


def _cut(audio: Audio, below: float = 50.0) -> Audio:
    """End a sample where it stays `below` dB under its peak, with a fade of 5 ms; no shorter than `SHORTEST`."""
    heard = np.flatnonzero(np.abs(audio) > np.abs(audio).max() * 10 ** (-below / 20))
    length = max(int(heard[-1]) + 1, SHORTEST)
    whole = np.zeros(length, np.float32)
    whole[: min(length, len(audio))] = audio[:length]
    fade = min(RATE // 200, length)
    whole[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return whole
