"""What the runtime costs, side by side in one run: `python -m benchmarks.runtime REGISTRY`.

Each figure stands beside what it must reach. Times are medians of calls taken in turn with what they are compared with, so
that a busy machine slows both alike; the tail of frames is also given in processor time, as on a shared machine the wall
clock's tail is the neighbours'. Threads can only gain what the machine has free: beside their throughput stands that of
work that needs nothing of Python, at the same moment. A model that the registry lacks is said to be missing.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from threading import Thread

import numpy as np
import pianissimo as pp
from pianissimo import memory
from rich.console import Console
from rich.table import Table

from benchmarks import bare, peers
from benchmarks.timing import Row, timed

RATE, SEED = 16_000, 1
THREADS = (("samples", "server", 1), ("phoneme", "server", 2), ("phoneme", "server", 8))  # and how many seconds: longer answers
RNG = np.random.default_rng(SEED)
COLD = """
import json, sys, time
from importlib import import_module
import numpy
import pianissimo as pp
from pianissimo import backends, loader
registry, name, platform, backend = sys.argv[1:]
import_module(backends.BACKENDS[backend].module)
started = time.perf_counter()
pp.load(name, platform, registry=registry)
print(json.dumps((time.perf_counter() - started) * 1e3))
"""


def main() -> int:
    """Prints the table; 1 when a goal was missed."""
    options = _options()
    rows: list[Row] = []
    with pp.load(options.model, options.platform, registry=options.registry) as model:
        rows += _clip(model, options.registry)
        for platform in options.also:
            with pp.load(options.model, platform, registry=options.registry) as other:
                rows += _clip(other, options.registry)
        for asked in ((options.model, options.platform, 1), *THREADS):
            rows += _threads(options.registry, *asked)
        rows += _cache(options)
        rows += _cold(model, options.registry)
        rows += _memory(model, options.answers)
    rows += _frames(options)
    rows += peers.rows()
    table = Table("what", title=f"pianissimo {pp.__version__}, {model.info.model} on {model.info.variant}")
    for name in ("figure", "goal", "met"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row.what, row.figure, row.goal, {None: "", True: "yes", False: "NO"}[row.met])
    Console(width=120).print(table)
    return int(any(row.met is False for row in rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runtime", description=__doc__)
    parser.add_argument("registry", help="a registry folder")
    parser.add_argument("--model", default="keywords", help="a model of one-second clips (default: keywords)")
    parser.add_argument("--platform", default="edge", help="default: edge")
    parser.add_argument("--also", nargs="*", default=["cloud"], help="platforms whose predict to look at too (cloud)")
    parser.add_argument("--frames", default="genre", help="a model of frames (default: genre)")
    parser.add_argument("--frames-platform", default="edge", help="default: edge")
    parser.add_argument("--answers", type=int, default=100_000, help="watched for memory (default: 100,000)")
    return parser.parse_args()


def _clip(model: pp.Model, registry: str) -> Iterator[Row]:
    """`predict` beside the bare session called on what the bare front end gives."""
    clip = RNG.normal(0, 0.1, RATE).astype(np.float32)
    front, session = pp.frontend.build(model.info.frontend), bare.session(model, registry)

    def alone() -> object:
        return session(front(clip)[None])

    ours, theirs = timed(lambda: model.predict(clip, RATE), alone, rounds=2000)
    whole = float(np.median(theirs))
    more = float(np.median(ours - theirs)) / whole * 100  # of neighbours in time: what slows one slows the other
    yield Row(f"{model.info.platform}, {model.info.variant}: front end and bare session, 1 s", f"{whole:.0f} µs")
    yield Row("… predict beyond it", f"{more * whole / 100:+.1f} µs, {more:+.1f} %", "at most 10 % more", more <= 10)


def _frames(options: argparse.Namespace) -> Iterator[Row]:
    """960 samples at a time, at 48 kHz."""
    try:
        model = pp.load(options.frames, options.frames_platform, registry=options.registry)
    except (pp.ModelNotFoundError, pp.PlatformNotFoundError) as fault:
        yield Row("frames of 960 samples", type(fault).__name__, "p99 < 2 ms")
        return
    with model:
        stream, front = pp.FrameClassifier(model), pp.frontend.build(model.info.frontend)
        session = bare.session(model, options.registry)
        frames = RNG.normal(0, 0.1, (64, stream.samples)).astype(np.float32)
        context = model.features(RNG.normal(0, 0.1, stream.sample_rate).astype(np.float32), stream.sample_rate)
        order = iter(np.tile(np.arange(64), 100))

        def ours() -> object:
            return stream.process_frame(frames[next(order)])

        def theirs() -> object:
            return front.one_frame(frames[0]), session(context)  # type: ignore[attr-defined]  # genre's is Mfcc

        wall = timed(ours, theirs, rounds=2000)
        cpu = timed(ours, rounds=2000, clock=time.thread_time_ns)[0]
    more = float(np.subtract(*np.median(wall, axis=1)))
    p50, p99 = np.percentile(wall[0], [50, 99]) / 1e3
    yield Row(
        f"a frame of {stream.samples} beyond front end and session", f"{more:+.0f} µs", "at most 100 µs", more <= 100
    )
    yield Row("a frame, p50 and p99", f"{p50:.3f}, {p99:.3f} ms", "p99 < 2 ms", bool(p99 < 2))
    yield Row("a frame, p99 of processor time", f"{np.percentile(cpu, 99) / 1e3:.3f} ms")


def _threads(registry: str, name: str, platform: str, seconds: int) -> Iterator[Row]:
    """Eight threads against one, with the library's pool; beside it what two cores give to work that needs no Python."""
    what = f"{name}, {platform}, {seconds} s"
    matrix = RNG.normal(0, 1, (300, 300)).astype(np.float32)
    with pp.Library(registry, platform, prediction_cache=0) as library:
        try:
            with library.use(name) as model:
                rate = int(model.info.frontend["sample_rate"])
        except (pp.ModelNotFoundError, pp.PlatformNotFoundError) as fault:
            yield Row(f"8 threads against 1: {what}", type(fault).__name__, "at least 1.6 ×")
            return
        clips = RNG.normal(0, 0.1, (8, rate * seconds)).astype(np.float32)

        def answer(number: int) -> object:
            return library.predict(name, clips[number], rate)

        answer(0)
        alone, ratios = _ratios(answer)
        free = [_together(2, lambda _: np.sin(matrix)) / _together(1, lambda _: np.sin(matrix)) for _ in range(3)]
        answered = _all_answered(500, answer)
    best = max(free)
    told = None if best < 1.6 else bool(np.median(ratios) >= 1.6)
    yield Row(f"8 threads against 1: {what}, {alone:,.0f} a second", f"{np.median(ratios):.2f} ×", "at least 1.6 ×", told)
    yield Row("… two threads of numpy.sin, just then", f"{best:.2f} ×" + (" (no core is free)" if best < 1.6 else ""))
    yield Row("… 500 at once, answered", f"{answered}", "500", answered == 500)


def _ratios(answer: Callable[[int], object]) -> tuple[float, list[float]]:
    """Answers a second of one thread, and how many times as many eight give, three times in turn."""
    pairs = [(_together(1, answer), _together(8, answer)) for _ in range(3)]
    return float(np.median([one for one, _ in pairs])), [eight / one for one, eight in pairs]


def _together(count: int, work: Callable[[int], object], seconds: float = 1.0) -> float:
    """Calls a second of so many threads."""
    done, end = [0] * count, time.perf_counter() + seconds

    def go_on(number: int) -> None:
        while time.perf_counter() < end:
            work(number)
            done[number] += 1

    threads = [Thread(target=go_on, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


def _all_answered(count: int, work: Callable[[int], object]) -> int:
    answers: list[object] = [None] * count

    def ask(number: int) -> None:
        answers[number] = work(number % 8)

    threads = [Thread(target=ask, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answer is not None for answer in answers)


def _cache(options: argparse.Namespace) -> Iterator[Row]:
    """Twenty clips, asked for a thousand times in an order drawn by chance."""
    clips = RNG.normal(0, 0.1, (20, RATE)).astype(np.float32)
    before = _looked_up()
    with pp.Library(options.registry, options.platform) as library:
        for number in RNG.integers(0, 20, 1000):
            library.predict(options.model, clips[number], RATE)
        after = _looked_up()
        hit = float(np.median(timed(lambda: library.predict(options.model, clips[0], RATE))))
    hits, misses = after[0] - before[0], after[1] - before[1]
    share = hits / (hits + misses) * 100
    yield Row("prediction cache, hits of a repeated pattern", f"{share:.1f} %", "at least 90 %", share >= 90)
    yield Row("a hit, 1 s", f"{hit:.0f} µs", "< 50 µs", hit < 50)


def _looked_up() -> tuple[float, float]:
    values = pp.metrics.PROCESS.values()
    hits, misses = (values.get(("ml_prediction_cache_total", (result,)), 0.0) for result in ("hit", "miss"))
    return hits, misses


def _cold(model: pp.Model, registry: str) -> Iterator[Row]:
    """`pp.load` in fresh processes that have imported the backend already."""
    info = model.info
    words = [registry, info.model, info.platform, info.backend]
    took = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", COLD, *words], capture_output=True, text=True, check=True)
        took.append(float(json.loads(done.stdout)))
    cold = float(np.median(took))
    yield Row("cold pp.load, beyond the backend's import", f"{cold:.0f} ms", "< 150 ms", cold < 150)


def _memory(model: pp.Model, answers: int) -> Iterator[Row]:
    """What the process grows by, after a thousand answers to begin with."""
    clips = RNG.normal(0, 0.1, (16, RATE)).astype(np.float32)
    for number in range(1000):
        model.predict(clips[number % 16], RATE)
    before = memory.resident()
    for number in range(answers):
        model.predict(clips[number % 16], RATE)
    grown = (memory.resident() - before) / 2**20
    yield Row(f"memory over {answers:,} answers", f"{grown:+.2f} MB", "< 2 MB", grown < 2)


if __name__ == "__main__":
    sys.exit(main())
