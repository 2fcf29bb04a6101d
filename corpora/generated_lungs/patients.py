"""The patients of generated lungs: how each breathes, what is wrong with each, and through what each is heard."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from corpora import acoustics

# What a stethoscope passes, in Hz, before each patient's own copy of it differs a little: bell, diaphragm, an
# electronic one with its filter on, a contact microphone (the kinds ICBHI 2017 was recorded with).
STETHOSCOPES = ((25.0, 600.0), (80.0, 900.0), (60.0, 1_300.0), (30.0, 2_200.0))


@dataclass(frozen=True)
class Patient:
    """One group: what stays the same over all its events. Frequencies in Hz, shares of 1, slopes in dB an octave."""

    name: str
    seed: int
    breaths: float  # a minute
    inspiration: float  # share of a breath
    corner: float  # where the spectrum of the breath begins to fall
    fall: float
    heartbeats: float  # a minute
    fine: float  # how many of its crackles are fine ones
    wheeze: float
    rhonchus: float
    band: tuple[float, float]
    slope: float
    background: str

    def generator(self, purpose: str) -> Generator:
        """Random numbers that depend on seed, patient and purpose alone, so that no part disturbs another."""
        return np.random.default_rng([self.seed, zlib.crc32(f"{self.name}/{purpose}".encode())])


def admit(count: int, seed: int, children: float) -> tuple[Patient, ...]:
    """`count` patients, of which the share `children` are some years old and the others grown up."""
    rng = np.random.default_rng([seed, zlib.crc32(b"patients")])
    young = rng.permutation(count) < round(children * count)
    return tuple(_meet(number, bool(child), seed, rng) for number, child in enumerate(young))


def _meet(number: int, child: bool, seed: int, rng: Generator) -> Patient:
    """Rates at rest of age 2-12 and of adults (Fleming et al., Lancet 2011); a child's breath is brighter.

    The fall of the spectrum is that of Gavriely, Palti and Alroy, "Spectral characteristics of normal breath sounds",
    J. Appl. Physiol. 1981; wheezes and rhonchi begin where Sovijärvi et al. (CORSA, Eur. Respir. Rev. 2000) have them.
    """
    breaths, heartbeats = ((18, 34), (80, 125)) if child else ((12, 22), (55, 95))
    low, high = STETHOSCOPES[int(rng.integers(len(STETHOSCOPES)))]
    return Patient(
        name=f"p{number:03d}", seed=seed,
        breaths=float(rng.uniform(*breaths)), inspiration=float(rng.uniform(0.32, 0.48)),
        corner=float(rng.uniform(150, 300) * (1.5 if child else 1.0)), fall=float(rng.uniform(12, 20)),
        heartbeats=float(rng.uniform(*heartbeats)), fine=float(rng.choice([0.15, 0.85])),
        wheeze=float(np.exp(rng.uniform(np.log(180), np.log(800)))), rhonchus=float(rng.uniform(70, 165)),
        band=(float(low * rng.uniform(0.8, 1.25)), float(high * rng.uniform(0.8, 1.25))),
        slope=float(rng.uniform(-2, 2)), background=str(rng.choice(list(acoustics.BACKGROUNDS))),
    )  # fmt: skip
