"""Which models are open, who uses them, and which go first: the books of a library, without the models' own affairs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


@dataclass(eq=False)
class Resident(Generic[K, T]):
    """Something held open: what it costs, and how it was used; `serial` tells one opening from the next."""

    key: K
    value: T
    bytes: int
    serial: int
    last_used: float
    users: int = 0
    uses: int = 0
    leaving: bool = False


class Residents(Generic[K, T]):
    """Held open in the order of their last use. Not safe in threads: the library holds its lock.

    What is in use is never due, and neither is what was used last for want of room: a model that is too large alone
    still has to answer.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._serial = clock, 0
        self._held: OrderedDict[K, Resident[K, T]] = OrderedDict()

    def __iter__(self) -> Iterator[Resident[K, T]]:
        """Least recently used first."""
        return iter(list(self._held.values()))

    def __len__(self) -> int:
        return len(self._held)

    @property
    def bytes(self) -> int:
        """What all of them cost."""
        return sum(each.bytes for each in self._held.values())

    def add(self, key: K, value: T, cost: int) -> Resident[K, T]:
        """Hold one more, used last."""
        self._serial += 1
        self._held[key] = held = Resident(key, value, cost, self._serial, self._clock())
        return held

    def borrow(self, key: K) -> Resident[K, T] | None:
        """The one of this key, in use from now on, or None."""
        held = self._held.get(key)
        if held is not None:
            held.users += 1
            held.uses += 1
            self._touch(held)
        return held

    def give_back(self, held: Resident[K, T]) -> bool:
        """End one use; True when it was the last and the resident is to leave."""
        held.users -= 1
        if held.leaving:
            return held.users == 0
        self._touch(held)
        return False

    def remove(self, held: Resident[K, T]) -> bool:
        """Let go of one; True when nobody uses it, else it leaves with its last user."""
        if self._held.get(held.key) is held:
            del self._held[held.key]
        held.leaving = True
        return held.users == 0

    def idle(self, timeout: float) -> list[Resident[K, T]]:
        """Unused for so many seconds, the longest first."""
        now = self._clock()
        return [each for each in self if not each.users and now - each.last_used >= timeout]

    def over(self, limit: int) -> list[Resident[K, T]]:
        """Those whose leaving brings the cost of all under `limit` bytes, as far as that goes."""
        due, cost = [], self.bytes
        for each in self._spare():
            if cost <= limit:
                break
            due.append(each)
            cost -= each.bytes
        return due

    def oldest(self) -> Resident[K, T] | None:
        """The one that goes next for want of room."""
        return next(iter(self._spare()), None)

    def _spare(self) -> list[Resident[K, T]]:
        return [each for each in list(self)[:-1] if not each.users]

    def _touch(self, held: Resident[K, T]) -> None:
        held.last_used = self._clock()
        self._held.move_to_end(held.key)
