"""One patient's events, from the breath to the file; runs in a process of its own like every group of a corpus."""

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
from corpora.generated_lungs import adventitious, breathing
from corpora.generated_lungs.adventitious import COARSE, FINE, Sound
from corpora.generated_lungs.patients import Patient

RATE = 8_000
SECONDS = (1.0, 2.0)
STEP = RATE // 100  # a length without large prime factors is transformed quickly
OWN_BACKGROUND = 0.7  # how often a patient is heard in front of the background of the ward, not a random one
SMOOTH = 51  # bins of the spectrum that a sound has to stand out of


@dataclass(frozen=True)
class Place:
    """Where the chest piece lies: how much brighter the breath is, how strong its way out, and the heart in dB."""

    brightness: float
    out: tuple[float, float]
    heart: tuple[float, float]


PLACES = (
    Place(3.0, (0.8, 1.1), (-35.0, -18.0)),  # trachea
    Place(1.3, (0.4, 0.8), (-15.0, 3.0)),  # front
    Place(1.0, (0.3, 0.7), (-28.0, -8.0)),  # back
    Place(0.9, (0.3, 0.7), (-25.0, -5.0)),  # side
)
USUAL = (0.1, 0.3, 0.4, 0.2)


@dataclass(frozen=True)
class Script:
    """What is heard of every patient, and how it is recorded: levels and SNR in dB, loudness in dBFS."""

    clips: int
    level: tuple[float, float]
    snr: tuple[float, float]
    friction: float
    loudness: tuple[float, float]


def _crackle(samples: int, patient: Patient, rng: Generator) -> Sound:
    return adventitious.crackles(samples, RATE, FINE if rng.uniform() < patient.fine else COARSE, rng)


def _wheeze(samples: int, patient: Patient, rng: Generator) -> Sound:
    return adventitious.wheeze(samples, RATE, patient.wheeze * 2 ** rng.uniform(-0.5, 0.5), rng)


def _rhonchus(samples: int, patient: Patient, rng: Generator) -> Sound:
    return adventitious.rhonchus(samples, RATE, patient.rhonchus * 2 ** rng.uniform(-0.25, 0.25), rng)


ADVENTITIOUS: Mapping[str, Callable[[int, Patient, Generator], Sound]] = MappingProxyType(
    {"crackle": _crackle, "wheeze": _wheeze, "rhonchi": _rhonchus}
)
LABELS = ("normal", *ADVENTITIOUS)
# The share of events in inspiration. Crackles are mostly there, wheezes and rhonchi mostly not; a normal event may be in
# either, so the half of the breath alone tells little.
INSPIRATION = MappingProxyType({"normal": 0.55, "crackle": 0.75, "wheeze": 0.3, "rhonchi": 0.35})


def record(patient: Patient, script: Script, root: Path) -> list[Clip]:
    """Make all events of one patient under `root`; returns their rows for labels.csv."""
    clips = []
    for label, number in _program(script.clips):
        path = f"audio/{label}/{patient.name}_{number:03d}.wav"
        audio = hear(patient, label, script, patient.generator(f"{label}/{number}"))
        soundfile.write(str(root / path), audio, RATE, subtype="PCM_16")
        clips.append(Clip(path, label, patient.name))
    return clips


def _program(clips: int) -> list[tuple[str, int]]:
    """Label and number of each event: a fifth of them for each adventitious sound, the rest (two fifths) normal.

    All patients have all labels, so that what is a patient's own (rate, stethoscope, ward) tells nothing of the label.
    """
    each = max(1, round(clips / (len(LABELS) + 1)))
    counts = {"normal": clips - each * len(ADVENTITIOUS)} | dict.fromkeys(ADVENTITIOUS, each)
    return [(label, number) for label, count in counts.items() for number in range(count)]


def hear(patient: Patient, label: str, script: Script, rng: Generator) -> Audio:
    """One event of 1 to 2 s about a moment of inspiration or expiration; float32 (samples,) at 8 kHz."""
    samples = int(rng.uniform(*SECONDS) * RATE) // STEP * STEP
    healthy = _healthy(patient, label, samples, script, rng)
    heard = healthy
    if label in ADVENTITIOUS:
        sound = _through(ADVENTITIOUS[label](samples, patient, rng), patient)
        heard = healthy + sound * 10 ** ((rng.uniform(*script.level) - audibility(sound, healthy)) / 20)
    if rng.uniform() < script.friction:
        rub = _through(breathing.friction(samples, RATE, rng), patient)
        heard = heard + acoustics.to_loudness(rub, acoustics.loudness(healthy) + rng.uniform(-6, 12))
    return acoustics.soft_clip(acoustics.to_loudness(heard, rng.uniform(*script.loudness)))


def _healthy(patient: Patient, label: str, samples: int, script: Script, rng: Generator) -> Sound:
    """Breath and heart through the stethoscope, and the noise of the ward."""
    place = PLACES[int(rng.choice(len(PLACES), p=USUAL))]
    period = 60 / patient.breaths * rng.uniform(0.85, 1.15)
    times = (np.arange(samples) - samples / 2) / RATE + _moment(patient.inspiration, label, rng) * period
    air = breathing.flow(times, period, patient.inspiration)
    corner = patient.corner * place.brightness * rng.uniform(0.85, 1.15)
    chest = breathing.breath(air, RATE, corner, patient.fall, rng.uniform(*place.out), rng)
    beats = breathing.heart(times, patient.heartbeats * rng.uniform(0.9, 1.1), rng)
    chest = chest + acoustics.to_loudness(beats, acoustics.loudness(chest) + rng.uniform(*place.heart))
    kind = patient.background if rng.uniform() < OWN_BACKGROUND else str(rng.choice(list(acoustics.BACKGROUNDS)))
    noise = acoustics.BACKGROUNDS[kind](samples, RATE, rng)
    heard = acoustics.mix(_through(chest, patient).astype(np.float32), noise, rng.uniform(*script.snr))
    return heard.astype(np.float64)


def _moment(inspiration: float, label: str, rng: Generator) -> float:
    """Where in the breath (0 to 1) the middle of the event is, off the ends of either half."""
    if rng.uniform() < INSPIRATION[label]:
        return float(rng.uniform(0.25, 0.75) * inspiration)
    return float(inspiration + rng.uniform(0.15, 0.6) * (1 - inspiration))


def _through(sound: Sound, patient: Patient) -> Sound:
    """A sound of the chest as this patient's stethoscope passes it on."""
    return acoustics.tilt(breathing.shape(sound, RATE, *patient.band, 24), RATE, patient.slope).astype(np.float64)


def audibility(sound: Sound, background: Sound) -> float:
    """How far a sound stands out, in dB: its energy over the background's power, pitch by pitch.

    That is the deflection coefficient of a matched filter in coloured noise (Kay, Detection Theory, 1998, ch. 4): the
    same number is as hard to hear for a burst as for a line, and a sound loud only where the breath is too gains nothing.
    """
    powers = np.pad(np.abs(np.fft.rfft(background)) ** 2, SMOOTH // 2, "reflect")
    power = np.convolve(powers, np.full(SMOOTH, 1 / SMOOTH), "valid")
    power = np.maximum(power, acoustics.QUIET)
    return float(10 * np.log10(2 * (np.abs(np.fft.rfft(sound)) ** 2 / power).sum()))
