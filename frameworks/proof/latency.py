"""Latency as ratios: calls of several sessions interleaved, so that a noisy neighbour slows them all alike."""

import time
from collections.abc import Callable

import numpy as np

Call = Callable[[], object]
WARM = 20  # calls before any is counted: caches, lazy allocation, clock ramps


def interleaved(calls: dict[str, Call], rounds: int) -> dict[str, dict[str, float]]:
    """p50, p95 and p99 in milliseconds of each call, by name, measured in turn, in an order drawn anew each round,
    after a warm-up; `cpu_p99` is the 99th percentile of the processor time of the calling thread.

    On a shared machine the wall clock's tail is the neighbours': a call of 0.1 ms that loses its core waits for 4 to 8.
    What runs on one thread is held to absolute limits by its own processor time.
    """
    for _ in range(WARM):
        for call in calls.values():
            call()
    times: dict[str, list[tuple[int, int]]] = {name: [] for name in calls}
    order, rng = list(calls), np.random.default_rng(0)
    for _ in range(rounds):
        rng.shuffle(order)  # nobody always runs on caches that the same neighbour left
        for name in order:
            call = calls[name]
            start, own = time.perf_counter_ns(), time.thread_time_ns()
            call()
            times[name].append((time.perf_counter_ns() - start, time.thread_time_ns() - own))
    return {name: _percentiles(taken) for name, taken in times.items()}


def _percentiles(nanoseconds: list[tuple[int, int]]) -> dict[str, float]:
    wall, own = np.array(nanoseconds).T / 1e6
    p50, p95, p99 = np.percentile(wall, [50, 95, 99])
    return {"p50": float(p50), "p95": float(p95), "p99": float(p99), "cpu_p99": float(np.percentile(own, 99))}
