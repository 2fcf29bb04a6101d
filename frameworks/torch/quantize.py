"""The search for int8: four post-training ways are measured side by side, then the costliest nodes stay float.

It ends at the first attempt within the limit; where none is, the best one is kept, and the facts say which and why.
"""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pianissimo.backends import open_session

from frameworks import FrameworkError, Scheme, answers, metrics
from frameworks.examples import Examples
from frameworks.formats import onnx_quantize
from frameworks.proof import latency
from frameworks.recipe import Quantize
from frameworks.torch import in_torch
from frameworks.torch.convert import METHODS
from frameworks.torch.export import export
from frameworks.torch.predict import predict

ROUNDS = 60  # of interleaved calls: enough to tell faster from slower, not to tell by how much


@dataclass(frozen=True)
class Attempt:
    """One try: how, which nodes stayed float, and what it did to validation. `distance` is the mean |difference| of
    probabilities to the float network, which still ranks attempts whose scores are equal; `faster` is the float file's
    time over this one's."""

    method: str
    network: str
    float_layers: tuple[str, ...]
    score: float
    drop: float
    distance: float
    bytes: int
    faster: float


class Search:
    """Tries ways to int8 on one network; `attempts` grows, and every file is scored through the consumer's backend."""

    def __init__(self, network: Any, examples: Examples, folder: Path) -> None:
        self.network, self.held, self.folder = network, examples.validation, folder
        self.metric = metrics.choose(examples.metric, examples.labels)
        self.expected = predict(network, self.held.features)
        self.before = self.metric.measure(self.held.labels, self.expected)
        self.float_file = folder / "float32.onnx"
        export(network, self.float_file)
        self.static = onnx_quantize.Static(self.float_file, examples.calibration.features, folder)
        self.example = in_torch.typical(self.held.features)
        self.attempts: list[Attempt] = []

    def attempt(self, method: str, float_layers: tuple[str, ...] = ()) -> Attempt:
        """Makes one file and measures it on validation."""
        file = self.folder / "attempt.onnx"
        METHODS[method](self.float_file, self.static, file, float_layers)
        scores = onnx_quantize.scores(file, self.held.features)
        score = self.metric.measure(self.held.labels, scores)
        return Attempt(
            method,
            "network",
            float_layers,
            score,
            self.metric.drop(self.before, score),
            answers.distance(self.expected, scores)[1],
            file.stat().st_size,
            self._faster(file),
        )

    def best(self, allowed: float) -> Attempt:
        """Of the attempts that lost at most `allowed` points and are faster than float the one nearest to float; where none
        is faster, the nearest of those within; where none is within, the one that lost least."""
        within = [a for a in self.attempts if a.drop <= allowed]
        quicker = [a for a in within if a.faster > 1]
        if within:
            return min(quicker or within, key=lambda a: a.distance)
        return min(self.attempts, key=lambda a: (a.drop, a.distance))

    def milliseconds(self, calls: dict[str, latency.Call], attempt: Attempt | None = None) -> dict[str, float]:
        """Median time of one clip on one thread of the `calls`, of the float file, and of an attempt's file."""
        files = {"float": self.float_file}
        if attempt:
            files["int8"] = self.folder / "chosen.onnx"
            METHODS[attempt.method](self.float_file, self.static, files["int8"], attempt.float_layers)
        return _timed(files, self.example, calls)

    def _faster(self, file: Path) -> float:
        taken = _timed({"float": self.float_file, "int8": file}, self.example, {})
        return taken["float"] / taken["int8"]


def quantize(network: Any, examples: Examples, recipe: Quantize) -> Scheme:
    """The scheme for int8; there is none for microcontrollers. Raises FrameworkError when asked to train for it."""
    if recipe.aware:
        raise FrameworkError("torch networks are not trained quantization-aware: leave quantize.aware out")
    with tempfile.TemporaryDirectory() as folder:
        search = Search(network, examples, Path(folder))
        search.attempts += [search.attempt(method) for method in METHODS]
        layers: list[dict[str, Any]] = []
        if search.best(recipe.max_drop).drop > recipe.max_drop and recipe.float_layers:
            layers = sensitivity(search)
            _mix(search, [layer["layer"] for layer in layers], recipe)
        chosen = search.best(recipe.max_drop)
        beside = in_torch.compare(search, chosen, recipe.max_drop)
    facts = {
        "method": chosen.method,
        "why": _why(chosen, recipe),
        "layers": layers,
        "attempts": [asdict(attempt) for attempt in search.attempts],
        "in_torch": beside,
    }
    target = {"method": chosen.method, "network": chosen.network, "float_layers": list(chosen.float_layers)}
    return Scheme({"network": network}, {"int8": target}, facts)


def sensitivity(search: Search) -> list[dict[str, Any]]:
    """Each node that holds weights with the distance left when it alone stays float; the one that costs most, which leaves
    least, first."""
    method = _best_static(search).method
    rows = []
    for name in onnx_quantize.weighted(search.float_file):
        attempt = search.attempt(method, (name,))
        rows.append({"layer": name, "distance_without": attempt.distance, "drop_without": attempt.drop})
    return sorted(rows, key=lambda row: row["distance_without"])


def _best_static(search: Search) -> Attempt:
    """The static attempt nearest to float: only there can nodes stay float at a gain."""
    return min((a for a in search.attempts if a.method != "dynamic"), key=lambda a: a.distance)


def _mix(search: Search, ranked: list[str], recipe: Quantize) -> None:
    """One, two, … of the costliest nodes stay float, until the drop is within the limit or `float_layers` is reached."""
    method = _best_static(search).method
    for count in range(1, min(recipe.float_layers, len(ranked)) + 1):
        search.attempts.append(search.attempt(method, tuple(ranked[:count])))
        if search.attempts[-1].drop <= recipe.max_drop:
            return


def _timed(files: dict[str, Path], example: np.ndarray, calls: dict[str, latency.Call]) -> dict[str, float]:
    sessions = {name: open_session("onnx", file, 1) for name, file in files.items()}
    try:
        asked = {name: lambda session=session: session.run(example) for name, session in sessions.items()}
        taken = latency.interleaved({**asked, **calls}, ROUNDS)
    finally:
        for session in sessions.values():
            session.close()
    return {name: times["p50"] for name, times in taken.items()}


def _why(chosen: Attempt, recipe: Quantize) -> str:
    lost = f"{chosen.method} lost {chosen.drop:.2f} points on validation"
    speed = f"runs {chosen.faster:.2f} times as fast as float"
    if chosen.drop > recipe.max_drop:
        return f"{lost}, the least of all attempts, and {speed}; none was within max_drop {recipe.max_drop:g}"
    if chosen.faster <= 1:
        return f"{lost}, within max_drop {recipe.max_drop:g}, but {speed}: no attempt within the limit was faster"
    return f"{lost}, within max_drop {recipe.max_drop:g}, {speed}, and is the nearest to float of those that are"
