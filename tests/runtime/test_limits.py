"""The switches and what they allow, and the limit on processor time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pianissimo.switches import Switches, variable
from pianissimo.throttle import BURST, Throttle

CLIP = np.random.default_rng(3).normal(0, 0.1, 16000).astype(np.float32)


def test_the_documented_defaults() -> None:
    switches = Switches.read({}, {})
    assert (switches.memory_budget, switches.model_cache, switches.idle_timeout) == (500, 200, 300)
    assert (switches.degraded_at, switches.max_cpu_percent, switches.verify) == (0.8, None, True)


def test_what_is_given_goes_before_the_environment() -> None:
    told = {"PIANISSIMO_MEMORY_BUDGET": "64", "PIANISSIMO_WORKERS": "3", "PIANISSIMO_VERIFY": "off"}
    told["PIANISSIMO_MAX_CPU_PERCENT"] = "12.5"
    switches = Switches.read({"workers": 5, "memory_budget": None}, told)
    assert (switches.memory_budget, switches.workers, switches.verify) == (64, 5, False)
    assert switches.max_cpu_percent == 12.5
    assert variable("idle_timeout") == "PIANISSIMO_IDLE_TIMEOUT"


def test_a_library_takes_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIANISSIMO_MODEL_CACHE", "50")
    assert pp.Library(keep=False).switches.model_cache == 50


@pytest.mark.parametrize(
    ("given", "told", "message"),
    [
        ({"memory": 1}, {}, "memory: found 1; allowed: the switches memory_budget, model_cache"),
        ({"memory_budget": 0}, {}, "a number from 1 to"),
        ({"workers": 1.5}, {}, "a whole number from 1 to 1024"),
        ({"workers": True}, {}, "a whole number"),
        ({"idle_timeout": float("nan")}, {}, "a number from"),
        ({"memory_budget": "many"}, {}, "memory_budget: found many"),
        ({"verify": 1}, {}, "true or false"),
        ({"recovered_at": 0.9}, {}, r"at most degraded_at, 0\.8"),
        ({}, {"PIANISSIMO_WORKERS": "two"}, "PIANISSIMO_WORKERS: found two; allowed: a whole number"),
        ({}, {"PIANISSIMO_IDLE_TIMEOUT": ""}, "PIANISSIMO_IDLE_TIMEOUT"),
        ({}, {"PIANISSIMO_VERIFY": "perhaps"}, "1, true, yes, on, 0"),
    ],
)
def test_what_a_switch_does_not_allow(given: dict[str, Any], told: dict[str, str], message: str) -> None:
    with pytest.raises(pp.SwitchError, match=message):
        Switches.read(given, told)


class World:
    """A clock that only work and sleep move."""

    def __init__(self) -> None:
        self.now = self.cpu = 0.0

    def work(self, seconds: float) -> None:
        self.now += seconds
        self.cpu += seconds

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(
    percent=st.floats(1, 100),
    turns=st.lists(st.tuples(st.floats(0.0001, 0.05), st.floats(0, 0.5)), min_size=1, max_size=80),
)
def test_the_share_is_kept_whatever_the_work(percent: float, turns: list[tuple[float, float]]) -> None:
    """At every moment no more was spent than the share of the time, a burst, and the turn that could not be foreseen."""
    world = World()
    throttle = Throttle(percent, 1, lambda: world.now, lambda: world.cpu, world.sleep)
    for cost, pause in turns:
        world.now += pause
        with throttle.turn():
            world.work(cost)
        assert world.cpu <= world.now * percent / 100 + BURST + 0.05 + 1e-9


def test_nobody_waits_who_stays_under_it() -> None:
    world = World()
    throttle = Throttle(50, 1, lambda: world.now, lambda: world.cpu, world.sleep)
    for _ in range(100):
        world.now += 0.02
        with throttle.turn():
            world.work(0.01)
    assert throttle.waited == 0


def test_a_turn_that_fails_is_paid_for() -> None:
    world = World()
    throttle = Throttle(10, 1, lambda: world.now, lambda: world.cpu, world.sleep)
    for _ in range(5):
        with suppress(ZeroDivisionError), throttle.turn():
            world.work(0.1)
            raise ZeroDivisionError
    assert throttle.waited > 2


def predict_for(seconds: float, library: pp.Library) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        library.predict("one", CLIP, 16000)


def test_it_really_throttles(stocked: Callable[..., Path]) -> None:
    """A quarter of a core, by the process's own clocks: of the seconds after the burst at most three tenths were spent. They
    are so many that one burst more, which a process saves up when a busy machine holds it back, stays below that."""
    with pp.Library(stocked("one"), max_cpu_percent=25, prediction_cache=0, keep=False) as library:
        predict_for(0.3 + BURST / 0.25, library)  # past the first burst
        wall, cpu = time.monotonic(), time.process_time()
        predict_for(4.0, library)
        share = (time.process_time() - cpu) / (time.monotonic() - wall)
    assert share < 0.3
