"""The search for an int8 ONNX file: every way to calibrate, then the costliest nodes stay float.

It ends at the first attempts within the limit, in points and in answers kept, which is what the parity ladder will ask; where
none is, the best one is kept, and `why` says so.
"""

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pianissimo.backends import open_session

from frameworks import answers
from frameworks.examples import Examples, Features
from frameworks.formats import onnx_quantize, onnx_ranges
from frameworks.limit import Limit, did
from frameworks.metrics import Metric
from frameworks.proof import latency
from frameworks.recipe import Quantize

ROUNDS = 40  # interleaved calls: enough for a median, which only informs


@dataclass(frozen=True)
class Attempt:
    """One try: how it was calibrated, which nodes stayed float, and what it did to validation.

    `agreement` is the share of the float file's answers that it keeps, in percent, and `distance` the mean |difference| of
    outputs, which still ranks attempts whose scores are equal; `milliseconds` and `float_milliseconds` are medians of one
    example's interleaved calls on one thread.
    """

    method: str
    float_layers: tuple[str, ...]
    score: float
    drop: float
    agreement: float
    distance: float
    bytes: int
    milliseconds: float
    float_milliseconds: float


@dataclass(frozen=True)
class Found:
    """The attempt to ship, all there were in order, each node with the distance left when it alone stays float, the one
    that costs most first, and why the search ended where it did."""

    chosen: Attempt
    attempts: list[Attempt]
    layers: list[dict[str, Any]]
    why: str


def search(source: Path, examples: Examples, metric: Metric, recipe: Quantize) -> Found:
    """The best static int8 form of the float file `source`, every choice made on validation through the runtime."""
    limit = Limit(recipe.max_drop, answers.KEPT[examples.task])
    with tempfile.TemporaryDirectory() as folder:
        judge = _Judge(source, examples, metric, Path(folder))
        attempts = [judge.attempt(method) for method in onnx_ranges.METHODS]
        best = limit.best(attempts)
        layers = judge.sensitivity(best.method)
        if not limit.holds(best):
            for count in range(1, min(recipe.float_layers, len(layers) - 1) + 1):  # one stays int8
                attempts.append(judge.attempt(best.method, tuple(row["layer"] for row in layers[:count])))
                if limit.holds(attempts[-1]):
                    break
    chosen = limit.best(attempts)
    return Found(chosen, attempts, layers, _why(chosen, limit))


def make(source: Path, attempt: Attempt, calibration: Features, dest: Path) -> None:
    """Writes the file of an attempt again, the same bytes."""
    onnx_quantize.static(source, calibration, dest, float_nodes=attempt.float_layers, method=attempt.method)


class _Judge:
    """Makes int8 forms of one float file and scores them on validation, through the consumer's own backend."""

    def __init__(self, source: Path, examples: Examples, metric: Metric, folder: Path) -> None:
        self.source, self.metric, self.task, self.validation = source, metric, examples.task, examples.validation
        self.static = onnx_quantize.Static(source, examples.calibration.features, folder)
        self.file = folder / "attempt.onnx"
        self.expected = onnx_quantize.scores(source, self.validation.features)
        self.before = metric.measure(self.validation.labels, self.expected)

    def attempt(self, method: str, float_layers: tuple[str, ...] = ()) -> Attempt:
        """One form with all there is to know about it."""
        score, agreement, distance = self.score(method, float_layers)
        taken = self._race()
        return Attempt(
            method,
            float_layers,
            score,
            self.metric.drop(self.before, score),
            agreement,
            distance,
            self.file.stat().st_size,
            taken["int8"]["p50"],
            taken["float32"]["p50"],
        )

    def score(self, method: str, float_layers: tuple[str, ...]) -> tuple[float, float, float]:
        """(score, answers kept in percent, mean distance to float) of one form, which is left in `file`."""
        self.static.write(self.file, method=method, float_nodes=float_layers)
        given = onnx_quantize.scores(self.file, self.validation.features)
        score = self.metric.measure(self.validation.labels, given)
        return score, answers.agreement(self.task, self.expected, given), answers.distance(self.expected, given)[1]

    def sensitivity(self, method: str) -> list[dict[str, Any]]:
        """A row a node that holds weights: what is lost when it alone stays float; the costliest, which leaves least, first."""
        rows = []
        for name in self.static.weighted:
            score, _, distance = self.score(method, (name,))
            rows.append(
                {"layer": name, "distance_without": distance, "drop_without": self.metric.drop(self.before, score)}
            )
        return sorted(rows, key=lambda row: row["distance_without"])

    def _race(self) -> dict[str, dict[str, float]]:
        one = self.validation.features[0][None]
        with contextlib.ExitStack() as stack:
            int8, float32 = (
                stack.enter_context(contextlib.closing(open_session("onnx", path, 1)))
                for path in (self.file, self.source)
            )
            return latency.interleaved({"int8": lambda: int8.run(one), "float32": lambda: float32.run(one)}, ROUNDS)


def told(chosen: Attempt) -> str:
    """What an attempt did, in words."""
    kept = f" with {len(chosen.float_layers)} float nodes" if chosen.float_layers else ""
    return f"{chosen.method}{kept} {did(chosen)}"


def _why(chosen: Attempt, limit: Limit) -> str:
    if limit.holds(chosen):
        return f"{told(chosen)}, within {limit}, and of those within it is nearest to float"
    return f"{told(chosen)}, the best of all attempts; none was within {limit}"
