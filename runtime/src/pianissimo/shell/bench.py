"""`bench`: how long a model takes on this machine, and where the time goes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from .. import frontend, memory
from ..model import Model
from . import arguments, output

Float32 = NDArray[np.float32]
FACTS = ("model", "version", "platform", "variant", "backend")
HEADINGS = ("what", "p50 ms", "p95 ms", "p99 ms")
WARM_UP = 10  # calls that are not counted
MOST_ROUNDS = 100_000


def configure(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    arguments.model(parser)
    parser.add_argument("--seconds", type=float, default=1.0, help="of the clip; 1 by default")
    parser.add_argument("--rounds", type=_rounds, default=200, help="calls that are counted; 200 by default")
    parser.add_argument("--threads", type=int, help="for one answer; 1 by default (PIANISSIMO_THREADS)")


def run(chosen: argparse.Namespace) -> int:
    """0."""
    started = perf_counter()
    with arguments.opened(chosen, threads=chosen.threads) as model:
        loaded = perf_counter()
        front = frontend.build(model.info.frontend)
        clip = np.random.default_rng(0).normal(0, 0.1, round(chosen.seconds * front.sample_rate)).astype(np.float32)
        features = model.features(clip, front.sample_rate)
        model.run(features)
        first = perf_counter()
        rows = {name: _percentiles(call, chosen.rounds) for name, call in _calls(model, front, clip, features).items()}
        facts = {
            **{name: getattr(model.info, name) for name in FACTS},
            "load_ms": round((loaded - started) * 1e3, 3),
            "first_answer_ms": round((first - loaded) * 1e3, 3),
            "memory_bytes": memory.resident(),
        }
    if chosen.json:
        output.document({**facts, "seconds": chosen.seconds, "rounds": chosen.rounds, "milliseconds": rows})
    else:
        output.facts(facts)
        output.table(HEADINGS, [(name, *(f"{value:.3f}" for value in row.values())) for name, row in rows.items()])
    return 0


def _calls(model: Model, front: frontend.FrontEnd, clip: Float32, features: Float32) -> dict[str, Callable[[], object]]:
    """The whole way, and its two parts."""
    name = "embed" if model.info.task == "verify" else "predict"
    whole = getattr(model, name)
    return {
        name: lambda: whole(clip, front.sample_rate),
        "front end": lambda: front(clip),
        "network": lambda: model.run(features),
    }


def _percentiles(call: Callable[[], object], rounds: int) -> dict[str, float]:
    spent = np.empty(rounds)
    for at in range(-WARM_UP, rounds):
        started = perf_counter()
        call()
        if at >= 0:
            spent[at] = perf_counter() - started
    values = np.percentile(spent * 1e3, [50, 95, 99]).tolist()
    return dict(zip(("p50", "p95", "p99"), values, strict=True))


def _rounds(text: str) -> int:
    count = int(text)
    if not 1 <= count <= MOST_ROUNDS:
        raise argparse.ArgumentTypeError(f"{text}; allowed: 1 to {MOST_ROUNDS:,}")
    return count
