"""Many models under one budget: opened when asked for, closed in the order of use, and never under somebody's hands."""

from __future__ import annotations

import gc
import json
import logging
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from pianissimo import library as libraries

Stock = Callable[..., Path]
NAMES = ("one", "two", "three", "four")
CLIP = np.random.default_rng(3).normal(0, 0.1, 16000).astype(np.float32)
MODEL = 30  # MB that a model takes in this file's machine


class Machine:
    """A machine whose clock and memory a test turns: each open model takes MODEL MB, the rest of the process `other`."""

    def __init__(self) -> None:
        self.now, self.other, self.open = 0.0, 100, 0

    def clock(self) -> float:
        return self.now

    def resident(self) -> int:
        return (self.other + self.open * MODEL) * 2**20


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made, load, close = Machine(), libraries.load, pp.Model.close

    def counted_load(*given: Any, **named: Any) -> pp.Model:
        model = load(*given, **named)
        made.open += 1
        return model

    def counted_close(model: pp.Model) -> None:
        made.open -= 1
        close(model)

    monkeypatch.setattr(libraries, "load", counted_load)
    monkeypatch.setattr(pp.Model, "close", counted_close)
    return made


@pytest.fixture
def make(stocked: Stock, machine: Machine) -> Iterator[Callable[..., pp.Library]]:
    root, made = stocked(*NAMES), []
    machine.open = 0  # the golden vectors were made with models, too

    def opened(**switches: Any) -> pp.Library:
        made.append(pp.Library(root, keep=False, clock=machine.clock, resident=machine.resident, **switches))
        return made[-1]

    yield opened
    for library in made:
        library.close()


def held(library: pp.Library) -> list[str]:
    return [model["model"] for model in library.report()["models"]]


def ask(library: pp.Library, machine: Machine, *names: str) -> None:
    for name in names:
        machine.now += 1
        library.predict(name, CLIP, 16000)


def unloads(reason: str) -> float:
    values = pp.metrics.PROCESS.values().items()
    return sum(value for (name, labels), value in values if name == "ml_model_unloads_total" and labels[1] == reason)


def test_it_answers_as_the_model_does(make: Callable[..., pp.Library], stocked: Stock, tmp_path: Path) -> None:
    library = make(platform="edge")
    for name in NAMES:
        with pp.load(name, registry=tmp_path / "stock") as model:
            expected = model.predict(CLIP, 16000)
            assert library.predict(name, CLIP, 16000).scores == expected.scores
            assert library.predict_batch(name, [CLIP], 16000)[0].scores == expected.scores
            with library.use(name) as used:
                assert used.verify().clips == 3
    with pytest.raises(pp.ModelNotFoundError, match="known: four, one, three, two"):
        library.predict("five", CLIP, 16000)
    with pytest.raises(pp.PlatformNotFoundError, match="known: edge"):
        library.predict("one", CLIP, 16000, platform="moon")


def test_the_cache_of_models_is_bounded(make: Callable[..., pp.Library], machine: Machine) -> None:
    library = make(model_cache=2 * MODEL)
    ask(library, machine, "one", "two", "one", "three")
    assert held(library) == ["one", "three"]
    ask(library, machine, "one", "four")
    assert held(library) == ["one", "four"]
    assert machine.open == 2


def test_real_memory_is_what_counts(make: Callable[..., pp.Library], machine: Machine) -> None:
    """Whoever else in the process takes it: the least used models go until the budget is kept, the last one stays."""
    library, before = make(memory_budget=4 * MODEL), unloads("memory")
    ask(library, machine, *NAMES)
    assert held(library) == list(NAMES)
    machine.other += 2 * MODEL
    library.sweep()
    assert held(library) == ["three", "four"]
    assert unloads("memory") == before + 2
    machine.other += 10 * MODEL
    library.sweep()
    assert held(library) == ["four"]
    assert library.predict("four", CLIP, 16000).label


def test_the_idle_go(make: Callable[..., pp.Library], machine: Machine) -> None:
    library = make(idle_timeout=300)
    ask(library, machine, "one", "two")
    machine.now += 200
    ask(library, machine, "two")
    machine.now += 99
    library.sweep()
    assert held(library) == ["two"]
    machine.now += 201
    library.sweep()
    assert held(library) == []
    assert machine.open == 0


def test_what_is_in_use_stays(make: Callable[..., pp.Library], machine: Machine) -> None:
    library = make(model_cache=MODEL, idle_timeout=10)
    with library.use("one") as model:
        machine.now += 100
        ask(library, machine, "two", "three")
        library.sweep()
        assert held(library) == ["one", "three"]
        assert library.unload("one") == 1
        assert held(library) == ["three"]
        assert model.predict(CLIP, 16000).label  # it leaves with its last user
        before = machine.open
    assert machine.open == before - 1
    with pytest.raises(pp.BackendFailedError, match="closed"):
        model.predict(CLIP, 16000)


def test_degraded_mode_and_back(
    make: Callable[..., pp.Library], machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    """At 80 % the prediction cache is emptied and idle models hurry; below 70 % all is as before, between nothing moves."""
    library = make(memory_budget=100, degraded_at=0.8, recovered_at=0.7, idle_timeout=300)
    told: list[tuple[bool, int]] = []

    def look(other: int) -> None:
        machine.other = 100 + other
        library.sweep()
        report = library.report()
        told.append((report["memory"]["degraded"], report["prediction_cache"]["entries"]))

    ask(library, machine, "one")
    with caplog.at_level(logging.WARNING, "pianissimo"):
        look(49)  # and the model's 30
        look(50)
        ask(library, machine, "one")
        look(41)
        look(39)
    assert told == [(False, 1), (True, 0), (True, 0), (False, 0)]
    assert len(caplog.records) == 2  # on and off, each once
    ask(library, machine, "one")
    assert library.report()["prediction_cache"]["entries"] == 1
    machine.other = 151
    library.sweep()
    machine.now += 31  # a tenth of the timeout
    library.sweep()
    assert held(library) == []


def test_the_same_clip_is_answered_from_the_cache(make: Callable[..., pp.Library], machine: Machine) -> None:
    library = make(prediction_age=60)
    cache = lambda result: pp.metrics.PROCESS.values().get(("ml_prediction_cache_total", (result,)), 0)  # noqa: E731
    hits, misses = cache("hit"), cache("miss")
    first = library.predict("one", CLIP, 16000)
    again = library.predict("one", CLIP.copy(), 16000)
    assert (again.label, again.scores, again.backend) == (first.label, first.scores, first.backend)
    assert (cache("hit"), cache("miss")) == (hits + 1, misses + 1)
    library.predict("two", CLIP, 16000)  # another model has its own answer
    machine.now += 61
    library.predict("one", CLIP, 16000)
    assert (cache("hit"), cache("miss")) == (hits + 1, misses + 3)
    library.unload()
    assert library.report()["prediction_cache"] == {"entries": 0, "bytes": 0}


def test_answers_of_a_variant_go_with_it(stocked: Stock) -> None:
    """What a variant said before it failed to verify is not said again."""
    root = stocked("tones", variants=["plain", "spare"], wrong=["plain"])
    with pp.Library(root, verify=False, keep=False) as library:
        wrong = library.predict("tones", CLIP, 16000).scores
        with library.use("tones") as model, pytest.raises(pp.VerificationError):
            model.verify()
        right = library.predict("tones", CLIP, 16000).scores
        assert right != wrong
        assert library.predict("tones", CLIP, 16000).scores == right


def test_a_library_answers_only_from_variants_that_verified(stocked: Stock, caplog: pytest.LogCaptureFixture) -> None:
    """Opened ten times, told once."""
    root = stocked("tones", variants=["plain", "spare"], wrong=["plain"])
    with caplog.at_level(logging.WARNING, "pianissimo"), pp.Library(root, keep=False) as library:
        for _ in range(10):
            library.predict("tones", CLIP, 16000)
            (row,) = library.report()["models"]
            assert (row["variant"], row["fallbacks"][0]["variant"]) == ("spare", "plain")
            library.unload()
    assert len(caplog.records) == 1


def test_threads_that_ask_at_once_open_it_once(make: Callable[..., pp.Library], machine: Machine) -> None:
    library, barrier = make(), Barrier(16)

    def ask_together(_: int) -> str:
        barrier.wait()
        return library.predict("one", CLIP, 16000).label

    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(ask_together, range(16)))) == 1
    assert machine.open == 1


def test_a_model_that_cannot_be_opened_leaves_nothing(
    make: Callable[..., pp.Library], machine: Machine, tmp_path: Path
) -> None:
    library = make()
    blobs = [path for path in (tmp_path / "stock" / "blobs").rglob("*") if path.is_file()]
    kept = {path: path.read_bytes() for path in blobs}
    for path in blobs:
        path.write_bytes(b"x" * len(kept[path]))
    with pytest.raises(pp.IntegrityError):
        library.predict("one", CLIP, 16000)
    assert held(library) == []
    for path, data in kept.items():
        path.write_bytes(data)
    assert library.predict("one", CLIP, 16000).label


def test_closing(make: Callable[..., pp.Library], machine: Machine) -> None:
    library = make()
    ask(library, machine, "one", "two")
    library.close()
    library.close()
    assert machine.open == 0
    with pytest.raises(pp.BackendFailedError, match="the library was closed"):
        library.predict("one", CLIP, 16000)


def test_the_keeper_closes_what_is_idle_and_ends_with_its_library(stocked: Stock) -> None:
    library = pp.Library(stocked("one"), idle_timeout=0.05, sample_seconds=0.05)
    library.predict("one", CLIP, 16000)
    wait_until(lambda library=library: not held(library))
    wait_until(lambda library=library: bool(library.history.of("ml_models_loaded")))
    watch = weakref.ref(library)
    del library
    wait_until(lambda: gc.collect() >= 0 and watch() is None)
    assert watch() is None, "its keeper holds it"


def wait_until(done: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_report_is_json(make: Callable[..., pp.Library], machine: Machine) -> None:
    library = make()
    ask(library, machine, "one", "one", "two")
    report = json.loads(json.dumps(library.report(), allow_nan=False))
    assert [(row["model"], row["uses"], row["users"], row["bytes"]) for row in report["models"]] == [
        ("one", 2, 0, MODEL * 2**20),
        ("two", 1, 0, MODEL * 2**20),
    ]
    assert report["memory"] == {"used_bytes": 2 * MODEL * 2**20, "budget_bytes": 500 * 2**20, "degraded": False}
    assert report["diagnostics"]["backends"]["numpy"] == "comes with numpy"
    assert report["switches"]["idle_timeout"] == 300
