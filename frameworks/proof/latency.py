"""Latency as ratios: calls of several sessions interleaved, so that a noisy neighbour slows them all alike."""

import time
from collections.abc import Callable

import numpy as np

Call = Callable[[], object]
WARM = 20  # calls before any is counted: caches, lazy allocation, clock ramps


def interleaved(calls: dict[str, Call], rounds: int) -> dict[str, dict[str, float]]:
    """p50, p95 and p99 in milliseconds of each call, by name, measured in turn, in an order drawn anew each round,
    after a warm-up."""
    for _ in range(WARM):
        for call in calls.values():
            call()
    times: dict[str, list[int]] = {name: [] for name in calls}
    order, rng = list(calls), np.random.default_rng(0)
    for _ in range(rounds):
        rng.shuffle(order)  # nobody always runs on caches that the same neighbour left
        for name in order:
            call = calls[name]
            start = time.perf_counter_ns()
            call()
            times[name].append(time.perf_counter_ns() - start)
    return {name: _percentiles(taken) for name, taken in times.items()}


def _percentiles(nanoseconds: list[int]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(np.array(nanoseconds) / 1e6, [50, 95, 99])
    return {"p50": float(p50), "p95": float(p95), "p99": float(p99)}
