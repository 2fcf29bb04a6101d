"""Answers that are given again when the very same clip comes back, bounded in memory and in age."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from threading import Lock
from time import monotonic, perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .decode import Prediction

OVERHEAD = 1024  # bytes an entry costs beside its clip: the answer, the key, their places in the tables


@dataclass(frozen=True)
class Entry:
    """An answer, when it was made, and what it costs."""

    answer: Prediction
    made: float
    bytes: int


class PredictionCache:
    """Least recently used out first; safe in threads.

    A clip is its own key, byte for byte: two clips never share an answer, and comparing 64 kB costs less than any
    digest of it would.
    """

    def __init__(self, limit: int, age: float, clock: Callable[[], float] = monotonic) -> None:
        self.limit, self._age, self._clock = limit, age, clock
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def key(self, owner: Hashable, audio: ArrayLike, sample_rate: object) -> tuple[Any, ...] | None:
        """The key of a clip for `owner`, or None for what cannot be kept: nothing, too much, or no plain numbers."""
        if not isinstance(audio, np.ndarray) or audio.dtype.kind not in "fi" or not isinstance(sample_rate, int):
            return None
        if not 0 < audio.nbytes <= self.limit // 8:
            return None
        return owner, sample_rate, audio.dtype.str, audio.shape, audio.tobytes()

    def get(self, key: Hashable, started: float) -> Prediction | None:
        """The answer, or None; its `milliseconds` count from `started`, a perf_counter, as of any other answer."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if self._clock() - entry.made >= self._age:
                self._drop(key)
                return None
            self._entries.move_to_end(key)
        answer = entry.answer  # its scores are copied, as whoever gets them may write to them
        return replace(answer, scores=dict(answer.scores), milliseconds=(perf_counter() - started) * 1e3)

    def put(self, key: Hashable, answer: Prediction, clip_bytes: int) -> None:
        """Keep an answer; the oldest unused ones go until it fits."""
        size = clip_bytes + OVERHEAD
        with self._lock:
            if key in self._entries:
                self._drop(key)
            while self._entries and self.bytes + size > self.limit:
                self._drop(next(iter(self._entries)))
            if size <= self.limit:
                self._entries[key] = Entry(replace(answer, scores=dict(answer.scores)), self._clock(), size)
                self.bytes += size

    def forget(self, belongs: Callable[[Any], bool] = lambda key: True) -> None:
        """Drop every entry whose key belongs, all by default."""
        with self._lock:
            for key in [key for key in self._entries if belongs(key)]:
                self._drop(key)

    def expire(self) -> None:
        """Drop what is too old: a clip nobody asks for again would otherwise stay until the room is needed."""
        with self._lock:
            now = self._clock()
            for key in [key for key, entry in self._entries.items() if now - entry.made >= self._age]:
                self._drop(key)

    def _drop(self, key: Hashable) -> None:
        self.bytes -= self._entries.pop(key).bytes
