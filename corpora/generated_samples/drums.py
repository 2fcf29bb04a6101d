"""The five struck labels of generated samples: kick, snare, hat, clap, tom, with the ranges that make them so."""

from __future__ import annotations

from corpora import percussion
from corpora.audio import Audio
from corpora.generated_samples.draws import Draws
from corpora.generated_samples.kits import Kit
from corpora.synthesis import count


def kick(draws: Draws, kit: Kit, rate: int) -> Audio:
    """A bass drum; high and slow to fall, it is nearly a tom."""
    decay = kit.length * draws.ratio((0.25, 0.7), (0.12, 1.1))
    pitch = draws.ratio((42, 60), (34, 82)) * 2 ** (kit.pitch / 24)
    return percussion.kick(
        count(1.1 * decay + 0.03, rate), rate, draws.rng, pitch=pitch, start=pitch * draws.ratio((3, 8), (1.4, 14)),
        bend=draws.ratio((0.05, 0.15), (0.02, 0.4)), decay=decay, click=draws.ratio((0.1, 0.6), (0.02, 1.2)),
        dirt=draws.value((0, 1.5), (0, 5)),
    )  # fmt: skip


def tom(draws: Draws, kit: Kit, rate: int) -> Audio:
    """A tom; low and bent, it is nearly a kick."""
    decay = kit.length * draws.ratio((0.3, 0.8), (0.14, 1.1))
    return percussion.tom(
        count(decay + 0.03, rate), rate, draws.rng, pitch=draws.ratio((85, 210), (58, 270)) * 2 ** (kit.pitch / 12),
        bend=draws.ratio((1.1, 1.4), (1.02, 2.4)), decay=decay, skin=draws.ratio((0.15, 0.5), (0.02, 0.9)),
        stick=draws.ratio((0.1, 0.4), (0.02, 0.9)),
    )  # fmt: skip


def snare(draws: Draws, kit: Kit, rate: int) -> Audio:
    """A snare; short and without its skin, it is nearly a hat or a clap."""
    decay = kit.length * draws.ratio((0.15, 0.3), (0.05, 0.7))
    return percussion.snare(
        count(1.1 * decay + 0.03, rate), rate, draws.rng, pitch=draws.ratio((160, 230), (115, 330)) * 2 ** (kit.pitch / 12),
        body=draws.ratio((0.5, 1.0), (0.06, 1.4)), wires=draws.ratio((0.6, 1.1), (0.25, 1.4)), decay=decay,
        bright=kit.brightness * draws.ratio((2_200, 4_200), (1_100, 7_000)),
    )  # fmt: skip


def hat(draws: Draws, kit: Kit, rate: int) -> Audio:
    """A hi-hat, closed or open; all noise and dark, it is nearly a snare."""
    usual, wide = ((0.04, 0.12), (0.025, 0.2)) if draws.chance(0.6) else ((0.3, 0.8), (0.2, 1.3))
    decay = kit.length * draws.ratio(usual, wide)
    return percussion.hat(
        count(1.1 * decay + 0.02, rate), rate, draws.rng, pitch=draws.ratio((280, 500), (150, 900)),
        metal=draws.value((0.3, 0.9), (0, 1)), decay=decay, low=kit.brightness * draws.ratio((5_500, 7_500), (2_000, 8_000)),
    )  # fmt: skip


def clap(draws: Draws, kit: Kit, rate: int) -> Audio:
    """Hands; of one pair and wide, they are nearly a snare."""
    decay = kit.length * draws.ratio((0.1, 0.25), (0.05, 0.6))
    hands = 1 if draws.chance(0.3 * draws.overlap) else int(draws.rng.integers(2, 6))
    return percussion.clap(
        count(1.1 * decay + 0.06, rate), rate, draws.rng, hands=hands, spread=draws.ratio((0.008, 0.014), (0.004, 0.022)),
        decay=decay, centre=kit.brightness * draws.ratio((1_000, 1_700), (700, 3_400)), width=draws.value((1, 1.8), (0.7, 3)),
    )  # fmt: skip
