"""The speakers of generated speech: who speaks with which accent, in which room, into which microphone."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from corpora.errors import CorpusError

ACCENTS = (
    "en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-us-nyc",
)  # fmt: skip
# The variants of espeak-ng 1.52 that could be people: no robots, no jokes, no whispers, no test settings.
VARIANTS = (
    "adam", "Alex", "Alicia", "Andrea", "Andy", "anika", "Annie", "antonio", "AnxiousAndy", "aunty", "belinda",
    "benjamin", "boris", "caleb", "croak", "david", "Denis", "Diogo", "ed", "edward", "edward2", "f1", "f2", "f3", "f4",
    "f5", "Gene", "Gene2", "grandma", "grandpa", "gustave", "Henrique", "Hugo", "ian", "iven", "iven2", "iven3", "iven4",
    "Jacky", "john", "kaukovalta", "klatt", "klatt2", "klatt3", "klatt4", "Lee", "linda", "m1", "m2", "m3", "m4", "m5",
    "m6", "m7", "m8", "marcelo", "Marco", "Mario", "max", "Michael", "michel", "miguel", "Mike", "mike2", "Mr serious",
    "Nguyen", "norbert", "pablo", "paul", "pedro", "quincy", "Reed", "RicishayMax", "rob", "robert", "sandro", "shelby",
    "steph", "steph2", "steph3", "Storm", "travis", "victor", "zac",
)  # fmt: skip
MOST = len(ACCENTS) * len(VARIANTS)


@dataclass(frozen=True)
class Speaker:
    """One group: ranges and places that stay the same over all its clips."""

    accent: str
    variant: str
    seed: int
    speed: tuple[int, int]
    pitch: tuple[int, int]
    pitch_range: tuple[int, int]
    reverberation: float
    distance: float
    slope: float
    background: str

    @property
    def voice(self) -> str:
        """The group in labels.csv: the same throat is the same voice in whatever accent."""
        return self.variant.lower().replace(" ", "-")

    @property
    def name(self) -> str:
        """Accent and voice, fit for a file name."""
        return f"{self.accent}-{self.variant}".lower().replace(" ", "-")

    def generator(self, purpose: str) -> Generator:
        """Random numbers that depend on seed, speaker and purpose alone, so that no part disturbs another."""
        return np.random.default_rng([self.seed, zlib.crc32(f"{self.name}/{purpose}".encode())])


def cast(count: int, seed: int, reverberation: float, backgrounds: tuple[str, ...]) -> tuple[Speaker, ...]:
    """Choose `count` speakers: every variant once, in changing accents, before any comes a second time."""
    if not 1 <= count <= MOST:
        raise CorpusError(f"{count} voices", place="voices", allowed=f"1 to {MOST}")
    rng = np.random.default_rng([seed, zlib.crc32(b"cast")])
    variants = [VARIANTS[index] for index in rng.permutation(len(VARIANTS))]
    pairs = [
        (ACCENTS[(index + turn) % len(ACCENTS)], variant)
        for turn in range(len(ACCENTS))
        for index, variant in enumerate(variants)
    ]
    return tuple(_invent(*pair, seed, reverberation, backgrounds, rng) for pair in pairs[:count])


def _invent(
    accent: str, variant: str, seed: int, reverberation: float, backgrounds: tuple[str, ...], rng: Generator
) -> Speaker:
    speed, pitch, pitch_range = (int(rng.integers(*limits)) for limits in ((140, 201), (30, 66), (25, 71)))
    return Speaker(
        accent, variant, seed,
        speed=(speed - 20, speed + 20), pitch=(pitch - 12, pitch + 12), pitch_range=(pitch_range - 15, pitch_range + 15),
        reverberation=float(rng.uniform(0.05, reverberation)), distance=float(rng.uniform(0.1, 0.8)),
        slope=float(rng.uniform(-3.0, 3.0)), background=str(rng.choice(backgrounds)),
    )  # fmt: skip
