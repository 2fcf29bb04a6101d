"""What test_service_shapes asks in a process of its own: a library and a model in forked workers."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread, current_thread, main_thread
from typing import Any

import pianissimo as pp
import pytest
from pianissimo.frontend.once import once

from tests.runtime.test_service_shapes import CLIPS, NAMES, Stock, expected, work


def test_forked_while_a_front_end_is_computed() -> None:
    """Its tables are made at first use; a fork at that moment takes no lock along that nobody will give back."""
    inside, go_on = Event(), Event()

    class Slow:
        @once
        def table(self) -> int:
            if current_thread() is not main_thread():
                inside.set()
                go_on.wait()
            return 7

    thread = Thread(target=lambda: Slow().table)
    thread.start()
    inside.wait()
    ours, theirs = multiprocessing.Pipe(duplex=False)
    worker = multiprocessing.get_context("fork").Process(target=lambda: theirs.send(Slow().table))
    worker.start()
    try:
        assert ours.poll(30), "a forked worker hangs"
        assert ours.recv() == 7
    finally:
        go_on.set()
        thread.join()
        worker.kill()
        worker.join()


def answer_in_worker(library: pp.Library, model: pp.Model, jobs: list[tuple[str, int]], pipe: Any) -> None:
    answers = [library.predict(name, CLIPS[at], 16000).scores for name, at in jobs]
    own = model.predict(CLIPS[0], 16000).scores
    asked = sum(value for (name, _), value in pp.metrics.PROCESS.values().items() if name == "ml_inference_total")
    pipe.send((answers, own, asked))
    pipe.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_workers(stocked: Stock) -> None:
    """Forked while other threads ask, so that locks are held at that moment: every worker answers, and counts its own."""
    root = stocked(*NAMES)
    right, jobs = expected(root), work(30)
    context = multiprocessing.get_context("fork")
    with pp.Library(root, prediction_cache=0) as library, pp.load("one", registry=root) as model:
        stop: list[bool] = []

        def go_on(number: int) -> None:
            while not stop:
                library.predict(NAMES[number % 3], CLIPS[number], 16000)

        threads = [Thread(target=go_on, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            workers = []
            for _ in range(4):
                ours, theirs = context.Pipe(duplex=False)
                worker = context.Process(target=answer_in_worker, args=(library, model, jobs, theirs))
                worker.start()
                workers.append((worker, ours))
            for worker, pipe in workers:
                assert pipe.poll(60), "a forked worker hangs"
                assert pipe.recv() == ([right[job] for job in jobs], right["one", 0], len(jobs) + 1)
                worker.join(10)
                assert worker.exitcode == 0
        finally:
            stop.append(True)
            for thread in threads:
                thread.join()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("variant", ["int8", "onnx"])
def test_a_backend_with_threads_of_its_own_in_a_forked_worker(draft: Callable[..., Path], variant: str) -> None:
    with pp.open_folder(draft(edge=[variant]), threads=2) as model:
        right = model.predict(CLIPS[0], 16000).scores
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=lambda: theirs.send(model.predict(CLIPS[0], 16000).scores))
        worker.start()
        assert ours.poll(60), "a forked worker hangs"
        assert ours.recv() == right
        worker.join(10)
        assert worker.exitcode == 0
