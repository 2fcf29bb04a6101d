"""What each metric was over the last minutes."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from .metrics import Key, combined

Point = tuple[float, float]  # seconds since 1970, value


@dataclass
class Series:
    """One metric with its labels, a point a sample."""

    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))


class History:
    """Every metric over the last `minutes`, as often as `sample` is called; safe in threads."""

    def __init__(self, minutes: float, clock: Callable[[], float] = time.time) -> None:
        self._seconds, self._clock = minutes * 60, clock
        self._lock = Lock()
        self._series: dict[Key, Series] = {}

    def sample(self, values: Mapping[Key, float]) -> None:
        """Note the values of now; what is older than the history goes."""
        now = self._clock()
        with self._lock:
            for key, value in values.items():
                series = self._series.setdefault(key, Series())
                series.times.append(now)
                series.values.append(value)
            for key in list(self._series):
                self._cut(key, now - self._seconds)

    def of(self, metric: str, minutes: float | None = None, **labels: str) -> list[Point]:
        """Points of a metric, oldest first; where several series have these labels, as `metrics.combined` has them."""
        first = self._clock() - (self._seconds if minutes is None else minutes * 60)
        points: dict[float, dict[Key, float]] = {}
        with self._lock:
            for key, series in self._series.items():
                start = bisect_left(series.times, first) if key[0] == metric else len(series.times)
                for when, value in zip(series.times[start:], series.values[start:], strict=True):
                    points.setdefault(when, {})[key] = value
        told = [(when, combined(points[when], metric, labels)) for when in sorted(points)]
        return [(when, value) for when, value in told if value is not None]

    def rate(self, metric: str, minutes: float, **labels: str) -> float | None:
        """Growth a second of a counter over the last minutes; None before there are two points."""
        points = self.of(metric, minutes, **labels)
        if len(points) < 2:
            return None
        (start, before), (end, after) = points[0], points[-1]
        return (after - before) / (end - start) if end > start else None

    def _cut(self, key: Key, limit: float) -> None:
        series = self._series[key]
        old = bisect_left(series.times, limit)
        del series.times[:old], series.values[:old]
        if not series.times:
            del self._series[key]
