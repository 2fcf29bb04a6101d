"""Drum kits as instruments by name: acoustic with sticks, with brushes, a drum machine; and an orchestra's kettledrums."""

from __future__ import annotations

import functools
from collections.abc import Callable

from numpy.random import Generator

from corpora import percussion
from corpora.audio import Audio
from corpora.generated_music.score import RATE, Instrument
from corpora.synthesis import count, hertz

Kit = dict[str, Instrument]


def acoustic(rng: Generator) -> Kit:
    """Kick, snare, hats, crash, ride and tom of a rock or pop drummer."""
    kick = _once(
        percussion.kick, 0.45, rng, pitch=rng.uniform(48, 66), start=rng.uniform(120, 260), bend=0.06,
        decay=rng.uniform(0.2, 0.45), click=rng.uniform(0.3, 0.9), dirt=rng.uniform(0, 1.5),
    )  # fmt: skip
    snare = _once(
        percussion.snare, 0.4, rng, pitch=rng.uniform(160, 230), body=rng.uniform(0.4, 1.0), wires=rng.uniform(0.6, 1.2),
        decay=rng.uniform(0.15, 0.35), bright=rng.uniform(2_000, 4_500),
    )  # fmt: skip
    tom = _once(percussion.tom, 0.5, rng, pitch=rng.uniform(85, 130), bend=1.2, decay=0.5, skin=0.3, stick=0.3)
    return {"kick": kick, "snare": snare, "tom": tom} | _metal(rng, low=(4_500, 7_500))


def brushed(rng: Generator) -> Kit:
    """A jazz drummer's: an open kick felt more than heard, a brush drawn and one tapped, a long dry ride."""
    kick = _once(
        percussion.kick, 0.4, rng, pitch=rng.uniform(55, 80), start=rng.uniform(90, 150), bend=0.05,
        decay=rng.uniform(0.2, 0.4), click=rng.uniform(0.05, 0.2),
    )  # fmt: skip
    stroke = _once(percussion.brush, 0.45, rng, bright=rng.uniform(2_500, 5_000), swell=rng.uniform(0.3, 0.7))
    tap = _once(
        percussion.snare, 0.2, rng, pitch=rng.uniform(180, 260), body=0.3, wires=1.0, decay=rng.uniform(0.08, 0.16),
        bright=rng.uniform(2_500, 5_000),
    )  # fmt: skip
    return {"kick": kick, "brush": stroke, "snare": tap} | _metal(rng, low=(5_000, 8_000))


def machine(rng: Generator) -> Kit:
    """A drum machine: a deep kick, claps for a snare, tight hats, a shaker."""
    kick = _once(
        percussion.kick, 0.6, rng, pitch=rng.uniform(42, 58), start=rng.uniform(180, 500), bend=rng.uniform(0.04, 0.12),
        decay=rng.uniform(0.25, 0.6), click=rng.uniform(0.05, 0.5), dirt=rng.uniform(0, 3),
    )  # fmt: skip
    clap = _once(
        percussion.clap, 0.35, rng, hands=int(rng.integers(2, 5)), spread=0.01, decay=rng.uniform(0.1, 0.3),
        centre=rng.uniform(1_000, 1_800), width=rng.uniform(1, 2),
    )  # fmt: skip
    shaken = _once(percussion.shaker, 0.12, rng, bright=rng.uniform(4_000, 7_000), decay=0.1)
    return {"kick": kick, "snare": clap, "shaker": shaken} | _metal(rng, low=(5_500, 8_500))


def timpani(rng: Generator) -> Instrument:
    """Kettledrums, tuned to the note."""

    def play(pitch: float, seconds: float) -> Audio:
        samples = count(max(seconds, 0.8), RATE)
        return percussion.tom(samples, RATE, rng, pitch=hertz(pitch), bend=1.02, decay=1.5, skin=0.4, stick=0.1)

    return play


def _metal(rng: Generator, low: tuple[float, float]) -> Kit:
    bronze = {"pitch": rng.uniform(250, 500), "metal": rng.uniform(0.2, 0.8), "low": rng.uniform(*low)}
    pitch = rng.uniform(280, 420)
    return {
        "closed": _once(percussion.hat, 0.12, rng, decay=rng.uniform(0.05, 0.12), **bronze),
        "open": _once(percussion.hat, 0.5, rng, decay=rng.uniform(0.3, 0.6), **bronze),
        "crash": _once(percussion.cymbal, 1.8, rng, pitch=pitch, decay=rng.uniform(1.2, 2.5), bell=0.1),
        "ride": _once(
            percussion.cymbal, 1.0, rng, pitch=1.2 * pitch, decay=rng.uniform(0.8, 1.8), bell=rng.uniform(0.5, 1.2)
        ),
    }


def _once(drum: Callable[..., Audio], seconds: float, rng: Generator, **character: float) -> Instrument:
    """A drum that is struck when it is first needed, and sounds the same ever after."""

    @functools.cache
    def hit() -> Audio:
        return drum(count(seconds, RATE), RATE, rng, **character)

    return lambda _pitch, _seconds: hit()
