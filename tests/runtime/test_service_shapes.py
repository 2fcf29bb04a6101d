"""How services use it: hundreds of threads at once, an event loop, forked workers; nothing wrong, nothing lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from pianissimo.pool import SessionPool

Stock = Callable[..., Path]
NAMES = ("one", "two", "three")
RNG = np.random.default_rng(8)
CLIPS = [RNG.normal(0, 0.1, 16000).astype(np.float32) for _ in range(10)]


def expected(root: Path) -> dict[tuple[str, int], dict[str, float]]:
    """Every model's answer to every clip, one after another."""
    said = {}
    for name in NAMES:
        with pp.load(name, registry=root) as model:
            said |= {(name, at): model.predict(clip, 16000).scores for at, clip in enumerate(CLIPS)}
    return said


def work(count: int) -> list[tuple[str, int]]:
    return [(NAMES[number % 3], number * 7 % len(CLIPS)) for number in range(count)]


@pytest.mark.parametrize("count", [100, 500])
@pytest.mark.parametrize("cache", [0, 16])
def test_threads_at_once(stocked: Stock, count: int, cache: int) -> None:
    """As many threads as requests, all let go together; models come and go meanwhile."""
    root = stocked(*NAMES)
    right, jobs = expected(root), work(count)
    barrier, answers = Barrier(count + 1), [None] * count
    with pp.Library(root, prediction_cache=cache, model_cache=1, keep=False) as library:

        def ask(number: int) -> None:
            name, at = jobs[number]
            barrier.wait()
            answers[number] = library.predict(name, CLIPS[at], 16000).scores

        threads = [Thread(target=ask, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        barrier.wait()
        for _ in range(20):
            library.unload()
        for thread in threads:
            thread.join()
    assert answers == [right[job] for job in jobs]


@pytest.mark.parametrize("count", [100, 500])
def test_an_event_loop(stocked: Stock, count: int) -> None:
    root = stocked(*NAMES)
    right, jobs = expected(root), work(count)

    async def ask_all() -> list[dict[str, float]]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0.001)

        heart = asyncio.ensure_future(beat())
        asked = [library.predict_async(name, CLIPS[at], 16000, platform="edge") for name, at in jobs]
        answers = await asyncio.gather(*asked)
        heart.cancel()
        assert beats > 1  # the loop went on meanwhile
        return [answer.scores for answer in answers]

    with pp.Library(root, prediction_cache=0, keep=False) as library:
        assert asyncio.run(ask_all()) == [right[job] for job in jobs]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_workers() -> None:
    """In a process of their own, like a service's: where Prefect has run, its hook at exit fails in every fork."""
    file = Path(__file__).with_name("forked.py")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(words, cwd=file.parents[2], capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


@pytest.mark.parametrize("variant", ["int8", "float", "onnx"])
def test_sessions_for_threads(published: Callable[..., Path], variant: str) -> None:
    """With several sessions, as with one: each thread gets its own clip's answer."""
    root = published(edge=[variant])
    with pp.load("tones", registry=root) as one, pp.load("tones", registry=root, sessions=4) as several:
        right = [one.predict(clip, 16000).scores for clip in CLIPS]
        jobs = [number % len(CLIPS) for number in range(200)]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda at: several.predict(CLIPS[at], 16000).scores, jobs))
    assert answers == [right[at] for at in jobs]


class Busy:
    """A session that says when it is used by two at once."""

    alive = 0

    def __init__(self) -> None:
        self.inside = 0
        Busy.alive += 1

    def run(self, features: np.ndarray) -> np.ndarray:
        self.inside += 1
        assert self.inside == 1
        sum(range(2000))
        self.inside -= 1
        return features * 2

    def close(self) -> None:
        assert self.inside == 0
        Busy.alive -= 1


@pytest.fixture
def eager() -> Any:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager")
def test_a_pool_never_lends_one_session_twice() -> None:
    Busy.alive = 0
    pool = SessionPool("busy", Busy, 3)
    assert Busy.alive == 1  # more are opened when threads meet
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda value: float(pool.run(np.float32([value]))[0]), range(500)))
    assert answers == [2.0 * value for value in range(500)]
    assert 1 <= Busy.alive <= 3
    pool.resize(1)
    assert Busy.alive == 1
    assert pool.run(np.float32([1])) == 2
    pool.close()
    assert Busy.alive == 0
    with pytest.raises(pp.BackendFailedError, match="closed"):
        pool.run(np.float32([1]))


@pytest.mark.usefixtures("eager")
def test_a_pool_that_cannot_grow_goes_on_with_what_it_has(caplog: pytest.LogCaptureFixture) -> None:
    Busy.alive = 0

    def open_one() -> Busy:
        if Busy.alive:
            raise pp.BackendFailedError("busy", "f", "no memory")
        return Busy()

    pool = SessionPool("busy", open_one, 4)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda value: float(pool.run(np.float32([value]))[0]), range(300)))
    assert answers == [2.0 * value for value in range(300)]
    pool.close()
    assert Busy.alive == 0
