"""Who goes first, by a clock that the test turns: models by their last use, answers by use, size and age."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pianissimo.cache import OVERHEAD, PredictionCache
from pianissimo.decode import Prediction
from pianissimo.pressure import Pressure
from pianissimo.residents import Resident, Residents

NAMES = st.sampled_from("abcdef")


class Clock:
    """Seconds, turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Books(RuleBasedStateMachine):
    """The books of a library against a plain list in the order of use."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.books: Residents[str, str] = Residents(self.clock)
        self.order: list[str] = []  # least recently used first
        self.used: dict[str, float] = {}
        self.cost: dict[str, int] = {}
        self.held: list[Resident[str, str]] = []

    @rule(name=NAMES, cost=st.integers(1, 100))
    def ask(self, name: str, cost: int) -> None:
        held = self.books.borrow(name)
        assert (held is not None) == (name in self.order)
        if held is None:
            self.books.add(name, name, cost)
            self.cost[name] = cost
            held = self.books.borrow(name)
        assert held is not None
        self.held.append(held)
        self.note(name)

    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        if self.held:
            held = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
            last = self.books.give_back(held)
            assert last == (held.leaving and held not in self.held)
            if not held.leaving:
                self.note(held.key)

    @rule(seconds=st.floats(0.1, 50))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(timeout=st.floats(0.1, 100))
    def idle(self, timeout: float) -> None:
        expected = [name for name in self.order if not self.users(name) and self.clock.now - self.used[name] >= timeout]
        assert [each.key for each in self.books.idle(timeout)] == expected

    @rule(limit=st.integers(0, 300))
    def over(self, limit: int) -> None:
        """The least recently used go, no more of them than it takes, and never the last one used."""
        due = [each.key for each in self.books.over(limit)]
        spare = [name for name in self.order[:-1] if not self.users(name)]
        assert due == spare[: len(due)]
        left = sum(self.cost[name] for name in self.order) - sum(self.cost[name] for name in due)
        assert left <= limit or due == spare
        assert not due or left + self.cost[due[-1]] > limit

    @rule()
    def make_room(self) -> None:
        oldest = self.books.oldest()
        spare = [name for name in self.order[:-1] if not self.users(name)]
        assert (oldest.key if oldest else None) == (spare[0] if spare else None)
        if oldest is not None:
            assert self.books.remove(oldest)
            self.order.remove(oldest.key)

    @rule(name=NAMES)
    def unload(self, name: str) -> None:
        for held in self.books:
            if held.key == name:
                free = not self.users(name)
                assert self.books.remove(held) == free
                self.order.remove(name)

    @invariant()
    def same_order(self) -> None:
        assert [each.key for each in self.books] == self.order
        assert self.books.bytes == sum(self.cost[name] for name in self.order)

    def users(self, name: str) -> int:
        return sum(held.key == name and not held.leaving for held in self.held)

    def note(self, name: str) -> None:
        self.used[name] = self.clock.now
        self.order = [other for other in self.order if other != name] + [name]


TestBooks = Books.TestCase


def answer(label: str) -> Prediction:
    return Prediction(label, 1.0, {label: 1.0}, "numpy", 1.0)


@given(st.lists(st.tuples(NAMES, st.integers(1, 8), st.floats(0, 3)), max_size=60))
def test_the_cache_is_bounded_and_forgets_the_least_used(asked: list[tuple[str, int, float]]) -> None:
    """Against an ordered table: what is there, what it says, and how much it takes; entries live five seconds."""
    clock, limit = Clock(), 4 * OVERHEAD
    cache = PredictionCache(limit, 5.0, clock)
    table: OrderedDict[str, tuple[float, int]] = OrderedDict()
    for name, size, wait in asked:
        clock.now += wait
        if name in table and clock.now - table[name][0] >= 5.0:
            del table[name]
        found = cache.get(name, 0.0)
        assert (found is not None) == (name in table)
        if found is not None:
            assert found.label == name
            table.move_to_end(name)
            continue
        cost = size * OVERHEAD // 4 + OVERHEAD
        cache.put(name, answer(name), cost - OVERHEAD)
        while table and sum(size for _, size in table.values()) + cost > limit:
            table.popitem(last=False)
        table[name] = (clock.now, cost)
        assert cache.bytes == sum(size for _, size in table.values()) <= limit
        assert len(cache) == len(table)
    clock.now += 5.1
    cache.expire()
    assert (len(cache), cache.bytes) == (0, 0)


def test_an_answer_from_the_cache_may_be_written_to() -> None:
    cache = PredictionCache(2**20, 10.0)
    cache.put("clip", answer("a"), 10)
    for _ in range(2):
        found = cache.get("clip", 0.0)
        assert found is not None
        assert found.scores == {"a": 1.0}
        found.scores.clear()


@pytest.mark.parametrize("changed", ["sample", "rate", "type", "shape", "owner"])
def test_another_clip_has_another_key(changed: str) -> None:
    cache = PredictionCache(2**20, 10.0)
    clip = np.arange(100, dtype=np.int16)
    other = {
        "sample": (1, clip + (np.arange(100) == 99), 16000),
        "rate": (1, clip, 8000),
        "type": (1, clip.view(np.uint16).astype(np.int32), 16000),
        "shape": (1, clip.reshape(50, 2), 16000),
        "owner": (2, clip, 16000),
    }[changed]
    assert cache.key(1, clip, 16000) == cache.key(1, clip.copy(), 16000)
    assert cache.key(1, clip, 16000) != cache.key(*other)


def test_what_has_no_key() -> None:
    cache = PredictionCache(8000, 10.0)
    for clip in ([0.0] * 100, np.zeros(0, np.float32), np.zeros(2000, np.float32), np.array(["a"])):
        assert cache.key(1, clip, 16000) is None


@given(st.lists(st.floats(0, 2), max_size=50))
def test_degraded_mode_has_hysteresis(shares: list[float]) -> None:
    """On at 0.8 and above, off below 0.7, unchanged between."""
    pressure, expected = Pressure(0.8, 0.7), False
    for share in shares:
        before, expected = expected, share >= 0.8 or (expected and share >= 0.7)
        assert pressure.update(share) == (before != expected)
        assert pressure.on == expected
