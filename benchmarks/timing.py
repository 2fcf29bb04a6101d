"""Calls timed in turn, and a figure beside its goal."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Call = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A figure beside its goal; `met` is None where there is no goal, or it cannot be told here."""

    what: str
    figure: str
    goal: str = ""
    met: bool | None = None


def timed(
    *calls: Call, rounds: int = 300, warm: int = 20, clock: Callable[[], int] = time.perf_counter_ns
) -> np.ndarray:
    """Microseconds (calls, rounds) of each call, taken in turn, after as many as `warm` turns."""
    took = np.empty((len(calls), warm + rounds))
    for number in range(warm + rounds):
        for at, call in enumerate(calls):
            started = clock()
            call()
            took[at, number] = (clock() - started) / 1e3
    return took[:, warm:]
