"""The search for int8: static ONNX by every way to calibrate, dynamic ONNX, and what torch itself could do beside them."""

import contextlib
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pianissimo.backends import open_session

from frameworks import FrameworkError, Scheme, answers, metrics
from frameworks.examples import Examples, Features
from frameworks.formats import onnx_quantize, onnx_search
from frameworks.formats.onnx_search import Attempt, told
from frameworks.limit import Limit
from frameworks.metrics import Metric
from frameworks.proof import latency
from frameworks.recipe import Quantize
from frameworks.torch import in_torch
from frameworks.torch.convert import int8
from frameworks.torch.export import export

ROUNDS = 60  # of interleaved calls: enough to tell faster from slower, not to tell by how much


def quantize(network: Any, examples: Examples, recipe: Quantize) -> Scheme:
    """The scheme for int8; there is none for microcontrollers. Raises FrameworkError when asked to train for it."""
    if recipe.aware:
        raise FrameworkError("torch networks are not trained quantization-aware: leave quantize.aware out")
    metric = metrics.choose(examples.metric, examples.labels)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "float32.onnx"
        export(network, source)
        found = onnx_search.search(source, examples, metric, recipe)
        attempts = [*found.attempts, _dynamic(source, examples, metric)]
        limit = Limit(recipe.max_drop, answers.KEPT[examples.task])
        chosen = best(attempts, limit)
        target = {"method": chosen.method, "network": "network", "float_layers": list(chosen.float_layers)}
        example = typical(examples.validation.features)
        own = in_torch.forms(network, examples, metric, example)
        int8(source, target, examples.calibration.features, source.with_name("int8.onnx"))
        files = {"onnx_float": source, "onnx_int8": source.with_name("int8.onnx")}
        with in_torch.one_thread():
            taken = _timed(files, example, own.calls)
    facts = {
        "method": chosen.method,
        "why": why(chosen, limit),
        "layers": found.layers,
        "attempts": [asdict(attempt) for attempt in attempts],
        "milliseconds": taken,
        "in_torch": {**own.facts, "why": beside(chosen, taken, own, recipe.max_drop)},
    }
    return Scheme({"network": network}, {"int8": target}, facts)


def best(attempts: list[Attempt], limit: Limit) -> Attempt:
    """The limit's best of the attempts within it that are faster than float; else of those within it; else of those faster than
    float. Only where all are beyond the limit and slower is it the best of all: dynamic int8 keeps the most answers and took
    twenty times as long as float, which helps nobody.
    """
    holding = [attempt for attempt in attempts if limit.holds(attempt)]
    quicker = [attempt for attempt in attempts if _faster(attempt) > 1]
    both = [attempt for attempt in quicker if attempt in holding]
    return limit.best(both or holding or quicker or attempts)


def why(chosen: Attempt, limit: Limit) -> str:
    """Why this attempt is to ship, in words."""
    speed = f"runs {_faster(chosen):.2f} times as fast as float"
    if not limit.holds(chosen):
        return f"{told(chosen)}, the best of all attempts, and {speed}; none was within {limit}"
    if _faster(chosen) <= 1:
        return f"{told(chosen)}, within {limit}, but {speed}: no attempt within the limit was faster"
    return f"{told(chosen)}, within {limit}, {speed}, and is the nearest to float of those that are both"


def beside(chosen: Attempt, taken: dict[str, float], own: in_torch.Forms, allowed: float) -> str:
    """What torch's own forms would have changed, in words."""
    lost, quick, ships = own.facts["dynamic"]["drop"], taken["torch_dynamic"], taken["onnx_int8"]
    compared = (
        f"torch's dynamic int8 takes {quick:.3f} ms and loses {lost:.2f} points, {chosen.method} ONNX {ships:.3f} ms"
    )
    if lost <= allowed and quick < ships:
        return f"{compared}: it would be the better one, but it cannot ship, as the runtime has no torch"
    return f"{compared} and {chosen.drop:.2f}: the better one ships"


def _faster(attempt: Attempt) -> float:
    return attempt.float_milliseconds / attempt.milliseconds


def _dynamic(source: Path, examples: Examples, metric: Metric) -> Attempt:
    """The form that is not calibrated: weights in int8, ranges of activations found at each call."""
    held, file = examples.validation, source.with_name("dynamic.onnx")
    onnx_quantize.dynamic(source, file)
    expected, given = onnx_quantize.scores(source, held.features), onnx_quantize.scores(file, held.features)
    score = metric.measure(held.labels, given)
    taken = _timed({"float32": source, "int8": file}, typical(held.features), {})
    return Attempt(
        "dynamic",
        (),
        score,
        metric.drop(metric.measure(held.labels, expected), score),
        answers.agreement(examples.task, expected, given),
        answers.distance(expected, given)[1],
        file.stat().st_size,
        taken["int8"],
        taken["float32"],
    )


def typical(features: Features) -> np.ndarray:
    """The clip of median length, with a batch axis of one."""
    order = np.argsort([len(clip) for clip in features], kind="stable")
    return np.asarray(features[int(order[len(order) // 2])], np.float32)[None]


def _timed(files: dict[str, Path], example: np.ndarray, calls: dict[str, latency.Call]) -> dict[str, float]:
    """Median milliseconds of `example` on one thread: ONNX files through the runtime, and other calls beside them."""
    with contextlib.ExitStack() as stack:
        sessions = {
            name: stack.enter_context(contextlib.closing(open_session("onnx", file, 1))) for name, file in files.items()
        }
        asked = {name: lambda session=session: session.run(example) for name, session in sessions.items()}
        taken = latency.interleaved({**asked, **calls}, ROUNDS)
    return {name: times["p50"] for name, times in taken.items()}
