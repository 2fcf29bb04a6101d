"""Deal groups out to parts so that every label keeps its share: greedy, then improved by moves and swaps."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]

MISSING = 1_000.0  # a label absent from a part outweighs any imbalance
ROUNDS = 20
PAIRS = 4_000  # swaps tried a round; with up to 90 groups that is all of them


def assign(counts: Mapping[str, Mapping[str, int]], fractions: Mapping[str, float], seed: int) -> dict[str, str]:
    """Choose a part for each group, given its clips a label; the same arguments give the same answer.

    The cost is Pearson's chi-squared between the clips a label and part has and those it should have
    (fraction × all clips of the label), plus a penalty for each label missing from a part.
    """
    groups, parts = sorted(counts), list(fractions)
    labels = sorted({label for row in counts.values() for label in row})
    table = np.array([[counts[group].get(label, 0) for label in labels] for group in groups], dtype=np.float64)
    dealer = random.Random(seed)
    deal = Deal(table, np.array([fractions[part] for part in parts]))
    order = list(range(len(groups)))
    dealer.shuffle(order)
    deal.fill(sorted(order, key=lambda group: -float(table[group].sum())))
    for _ in range(ROUNDS):
        if not (deal.move(order) | deal.swap(_pairs(order, dealer))):
            break
    return {group: parts[place] for group, place in zip(groups, deal.places, strict=True)}


def _pairs(order: list[int], dealer: random.Random) -> list[tuple[int, int]]:
    pairs = list(itertools.combinations(order, 2)) if len(order) <= 90 else []
    return pairs or [(dealer.choice(order), dealer.choice(order)) for _ in range(PAIRS)]


class Deal:
    """Groups in their parts, and what that costs; `table` is (groups, labels), `shares` (parts,)."""

    def __init__(self, table: Table, shares: Table) -> None:
        self.table = table
        self.places = [-1] * len(table)
        self.wanted = shares[:, None] * table.sum(axis=0)
        self.held = np.zeros_like(self.wanted)

    def cost(self, held: Table) -> float:
        """How far `held` is from the shares wanted; a label missing from a part outweighs everything else."""
        return float(((held - self.wanted) ** 2 / self.wanted).sum() + MISSING * (held == 0).sum())

    def fill(self, order: list[int]) -> None:
        """Greedy: the largest groups first, each to the part where it costs least."""
        for group in order:
            place = min(range(len(self.held)), key=lambda part: self.cost(self._with(group, part)))
            self.held, self.places[group] = self._with(group, place), place

    def move(self, order: list[int]) -> bool:
        """Move single groups while that lowers the cost; whether any moved."""
        moved = False
        for group, part in itertools.product(order, range(len(self.held))):
            moved |= part != self.places[group] and self._accept({group: part})
        return moved

    def swap(self, pairs: list[tuple[int, int]]) -> bool:
        """Let two groups change places while that lowers the cost; whether any did."""
        swapped = False
        for one, other in pairs:
            here, there = self.places[one], self.places[other]
            swapped |= here != there and self._accept({one: there, other: here})
        return swapped

    def _with(self, group: int, part: int) -> Table:
        held: Table = self.held.copy()
        held[part] += self.table[group]
        return held

    def _accept(self, changes: Mapping[int, int]) -> bool:
        held = self.held.copy()
        for group, part in changes.items():
            held[self.places[group]] -= self.table[group]
            held[part] += self.table[group]
        better = self.cost(held) < self.cost(self.held) - 1e-9
        if better:
            self.held = held
            for group, part in changes.items():
                self.places[group] = part
        return better
