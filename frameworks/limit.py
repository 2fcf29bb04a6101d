"""What int8 may do to validation, and which of several attempts at it ships: one rule for every library."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


class Tried(Protocol):
    """What an attempt did to validation."""

    @property
    def drop(self) -> float:
        """Points lost on validation; negative where it gained."""

    @property
    def agreement(self) -> float:
        """Percent of float's answers."""

    @property
    def distance(self) -> float:
        """Mean |difference| of outputs to float's."""


T = TypeVar("T", bound=Tried)


@dataclass(frozen=True)
class Limit:
    """Points an attempt may lose, and the percent of float's answers that it has to keep (`frameworks.answers.KEPT`)."""

    max_drop: float
    kept: float

    def holds(self, attempt: Tried) -> bool:
        """Whether the attempt is within both."""
        return attempt.drop <= self.max_drop and attempt.agreement >= self.kept

    def best(self, attempts: Sequence[T]) -> T:
        """The attempt within the limit that is nearest to float; else, of those that keep enough answers, if any do, the one
        that lost least."""
        holding = [attempt for attempt in attempts if self.holds(attempt)]
        if holding:
            return min(holding, key=lambda a: a.distance)
        return min(attempts, key=lambda a: (a.agreement < self.kept, a.drop, a.distance))

    def __str__(self) -> str:
        return f"max_drop {self.max_drop:g} and {self.kept:g} %"


def did(attempt: Tried) -> str:
    """What an attempt did, in words."""
    return f"lost {attempt.drop:.2f} points on validation and keeps {attempt.agreement:.1f} % of answers"
