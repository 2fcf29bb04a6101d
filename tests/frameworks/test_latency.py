"""Latency is measured in turn, after a warm-up, and told as three percentiles."""

from __future__ import annotations

import time

from frameworks.proof import latency


def test_calls_take_turns_after_a_warm_up() -> None:
    called: list[str] = []
    taken = latency.interleaved({name: lambda name=name: called.append(name) for name in "abc"}, 40)
    turns = [called[at : at + 3] for at in range(0, len(called), 3)]
    assert len(turns) == latency.WARM + 40
    assert all(sorted(turn) == ["a", "b", "c"] for turn in turns)
    assert len({tuple(turn) for turn in turns[latency.WARM :]}) > 1  # nobody always follows the same neighbour
    assert list(taken) == ["a", "b", "c"]


def test_percentiles_rise() -> None:
    for found in latency.interleaved({"sum": lambda: sum(range(100))}, 50).values():
        assert set(found) == {"p50", "p95", "p99", "cpu_p99"}
        assert 0 < found["p50"] <= found["p95"] <= found["p99"]


def test_percentiles_are_in_milliseconds() -> None:
    expected = {"p50": 2.0, "p95": 2.0, "p99": 2.0, "cpu_p99": 1.0}
    assert latency._percentiles([(2_000_000, 1_000_000)] * 10) == expected


def test_processor_time_is_not_the_wait() -> None:
    """A call that waits for others costs the wall clock and not the processor."""
    (found,) = latency.interleaved({"wait": lambda: time.sleep(0.002)}, 30).values()
    assert found["p50"] >= 2.0
    assert found["cpu_p99"] < found["p50"]
