"""What a process counted: answers and their durations, which backend was taken and why, loads, cache hits."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol
from weakref import WeakSet

from . import forks, memory

# Seconds: from one frame of a stream to a long clip on a small board.
BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
RECENT = 1024  # durations kept for the percentiles of the report


@dataclass(frozen=True)
class Family:
    """A metric: what it counts, and the names of its labels."""

    kind: str
    words: str
    labels: tuple[str, ...]


DURATION = "ml_inference_duration_seconds"
# `ml_backend_selected` only grows, but a Prometheus counter would have to end in _total: it goes out untyped.
FAMILIES = {
    DURATION: Family("histogram", "Time of one answer, front end included.", ("backend", "model")),
    "ml_inference_total": Family("counter", "Answers asked for.", ("backend", "model", "status")),
    "ml_backend_selected": Family("untyped", "Variants opened, by why this one was taken.", ("backend", "reason")),
    "ml_prediction_cache_total": Family("counter", "Predictions looked up in the cache.", ("result",)),
    "ml_model_loads_total": Family("counter", "Models a library opened.", ("model",)),
    "ml_model_unloads_total": Family("counter", "Models a library closed.", ("model", "reason")),
    "ml_throttled_seconds_total": Family("counter", "Time waited for the CPU limit.", ()),
    "ml_memory_bytes": Family("gauge", "Resident memory: of the process, and of what libraries hold.", ("kind",)),
    "ml_models_loaded": Family("gauge", "Models that libraries hold open.", ()),
    "ml_degraded": Family("gauge", "Libraries in degraded mode.", ()),
}
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")  # of the latest durations, for history and alerts
LABELS = {name: family.labels for name, family in FAMILIES.items() if name != DURATION} | dict.fromkeys(
    PERCENTILES, FAMILIES[DURATION].labels
)
Labels = tuple[str, ...]
Key = tuple[str, Labels]


class Source(Protocol):
    """Something that knows present values, such as a library."""

    def gauges(self) -> dict[Key, float]:
        """Values by name and labels; those of several sources are added up."""


@dataclass
class Durations:
    """A histogram in seconds, and the latest values themselves."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def add(self, seconds: float, times: int = 1) -> None:
        """So many more, each of which took so long."""
        self.counts[bisect_left(BUCKETS, seconds)] += times
        self.total += seconds * times
        if times == 1:
            self.recent.append(seconds)
        else:
            self.recent.extend([seconds] * times)

    def copy(self) -> Durations:
        """As it is now; nobody else changes it."""
        return Durations(list(self.counts), self.total, self.recent.copy())

    def figures(self) -> dict[str, float]:
        """Count, mean, and p50, p95, p99 of the latest, in milliseconds."""
        count, latest = sum(self.counts), sorted(self.recent)
        ranks = {name: latest[len(latest) * int(name[1:3]) // 100] * 1e3 for name in PERCENTILES}
        return {"count": count, "mean_ms": self.total / count * 1e3, **ranks}


class Metrics:
    """The counts of one process, safe in threads; a forked child starts from nothing."""

    def __init__(self) -> None:
        self._sources: WeakSet[Source] = WeakSet()
        self.renew()
        forks.watch(self)

    def renew(self) -> None:
        """Start counting anew: what the parent counted, the parent tells."""
        self._lock = Lock()
        self._counts: dict[Key, float] = {}
        self._durations: dict[Labels, Durations] = {}

    def answered(self, backend: str, model: str, seconds: float, clips: int = 1) -> None:
        """So many answers, each of which took so long."""
        with self._lock:
            durations = self._durations.get((backend, model))
            if durations is None:
                durations = self._durations[backend, model] = Durations()
            durations.add(seconds, clips)

    def count(self, name: str, labels: Labels = (), amount: float = 1) -> None:
        """Add to a counter of FAMILIES; `labels` in the order given there."""
        with self._lock:
            self._add((name, labels), amount)

    def watch(self, source: Source) -> None:
        """Ask this source for its gauges whenever values are wanted, as long as it lives."""
        self._sources.add(source)

    def values(self) -> dict[Key, float]:
        """Every counter and gauge as it is now."""
        with self._lock:
            values = dict(self._counts)
            for labels, durations in self._durations.items():
                values["ml_inference_total", (*labels, "ok")] = sum(durations.counts)
        values["ml_memory_bytes", ("process",)] = memory.resident()
        for source in list(self._sources):
            for key, value in source.gauges().items():
                values[key] = values.get(key, 0) + value
        return values

    def durations(self) -> dict[Labels, Durations]:
        """Durations by (backend, model)."""
        with self._lock:
            return {labels: durations.copy() for labels, durations in self._durations.items()}

    def report(self) -> dict[str, Any]:
        """Everything as JSON takes it: a list of labelled values a name, durations as figures."""
        told: dict[str, Any] = {name: [] for name in FAMILIES}
        for (name, labels), value in sorted(self.values().items()):
            told[name].append({**_named(name, labels), "value": value})
        for labels, durations in sorted(self.durations().items()):
            told[DURATION].append({**_named(DURATION, labels), **durations.figures()})
        return told

    def readings(self) -> dict[Key, float]:
        """Every counter and gauge, and the percentiles of the latest durations under their own names (PERCENTILES)."""
        told = self.values()
        for labels, durations in self.durations().items():
            told |= {(name, labels): value for name, value in durations.figures().items() if name in PERCENTILES}
        return told

    def _add(self, key: Key, amount: float) -> None:
        self._counts[key] = self._counts.get(key, 0) + amount


def combined(values: Mapping[Key, float], metric: str, labels: Mapping[str, str]) -> float | None:
    """One number of all values of a metric that have these labels: the worst percentile, the sum of all else."""
    names = LABELS[metric]
    chosen = [
        value
        for (known, given), value in values.items()
        if known == metric and labels.items() <= dict(zip(names, given, strict=True)).items()
    ]
    if not chosen:
        return None
    return max(chosen) if metric in PERCENTILES else sum(chosen)


def _named(name: str, labels: Iterable[str]) -> dict[str, str]:
    return dict(zip(FAMILIES[name].labels, labels, strict=True))


PROCESS = Metrics()  # what every model and library of the process counts into
