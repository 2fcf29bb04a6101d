"""The search for int8: post-training first, as the converter rounds and fitted to what it rounds (`formats.tflite_fit`), then
quantization-aware training, then the costliest layers stay float.

It ends once an attempt holds: within the limit, and with as many answers kept as the parity ladder will ask for. A
form may lose no point and yet answer anew, which training does. Where none holds the best one is kept, and the facts say why.
"""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pianissimo.backends import open_session

from frameworks import Scheme, metrics
from frameworks.answers import KEPT, agreement
from frameworks.examples import Examples
from frameworks.formats import tflite as file_format
from frameworks.formats import tflite_fit
from frameworks.keras import aware, tflite
from frameworks.keras.answers import fixed
from frameworks.keras.predict import predict
from frameworks.limit import Limit, did
from frameworks.recipe import Quantize


@dataclass(frozen=True)
class Attempt:
    """One try: how, which layers stayed float, and what it did to validation. `agreement` is the share of the float network's
    answers that it keeps, in percent, and `distance` the mean |difference| of probabilities, which still ranks attempts whose
    scores are equal."""

    method: str
    network: str
    float_layers: tuple[str, ...]
    score: float
    drop: float
    agreement: float
    distance: float
    bytes: int


class Search:
    """Tries ways to int8 on one network; `attempts` grows, and every file is scored through the consumer's backend."""

    def __init__(self, network: Any, examples: Examples, max_drop: float) -> None:
        self.network, self.examples = network, examples
        self.metric = metrics.choose(examples.metric, examples.labels)
        self.expected = predict(network, examples.validation.features)
        self.before = self.metric.measure(examples.validation.labels, self.expected)
        self.limit = Limit(max_drop, KEPT[examples.task])
        self.attempts: list[Attempt] = []

    def judge(
        self, method: str, content: bytes, network: str = "network", float_layers: tuple[str, ...] = ()
    ) -> Attempt:
        """Scores a file's content on validation."""
        scores = answers(content, fixed(self.examples.validation.features, "quantize"))
        score = self.metric.measure(self.examples.validation.labels, scores)
        return Attempt(
            method,
            network,
            float_layers,
            score,
            self.metric.drop(self.before, score),
            agreement(self.examples.task, self.expected, scores),
            float(np.mean(np.abs(scores - self.expected))),
            len(content),
        )

    def best(self, *, integer: bool = False) -> Attempt:
        """The limit's best of the attempts so far; `integer` leaves out those with float layers."""
        return self.limit.best([a for a in self.attempts if not (integer and a.float_layers)])

    def ended(self) -> bool:
        """Whether an attempt is within the limit."""
        return self.limit.holds(self.best())


def quantize(network: Any, examples: Examples, recipe: Quantize) -> Scheme:
    """The scheme for int8, and for micro, where no layer may stay float."""
    search = Search(network, examples, recipe.max_drop)
    curve: list[dict[str, Any]] = []
    networks = {"network": network}
    calibration = fixed(examples.calibration.features, "quantize")
    whole = tflite.int8(network, calibration)
    search.attempts.append(search.judge("post_training", whole))
    search.attempts.append(search.judge("fitted", tflite_fit.fitted(whole, tflite.float32(network), calibration)))
    unaware = ""
    if recipe.aware and not search.ended():
        unaware = aware.refusal(network)
        if not unaware:
            networks["aware"], curve = aware.trained(network, examples, recipe.aware)
            search.attempts.append(search.judge("aware", tflite.aware(networks["aware"]), "aware"))
    layers = sensitivity(search, calibration, whole)
    if not search.ended():
        _mix(search, calibration, [layer["layer"] for layer in layers], recipe)
    chosen, micro = search.best(), search.best(integer=True)
    plan = {"int8": _target(chosen), "micro": _target(micro)}
    networks = {name: made for name, made in networks.items() if name in {"network", chosen.network, micro.network}}
    facts = {
        "method": chosen.method,
        "why": _why(chosen, search.limit),
        "layers": layers,
        "attempts": [asdict(attempt) for attempt in search.attempts],
        **({"no_aware": unaware} if unaware else {}),
    }
    return Scheme(networks, plan, facts, curve)


def sensitivity(search: Search, calibration: np.ndarray, whole: bytes) -> list[dict[str, Any]]:
    """Each layer with the distance left when it alone stays float; the layer that costs most, which leaves least, first."""
    mixed = tflite.Mixed(search.network, calibration)
    rows = []
    for name in _layer_names(whole):
        attempt = search.judge("mixed", mixed.keeping([name]), float_layers=(name,))
        rows.append({"layer": name, "distance_without": attempt.distance, "drop_without": attempt.drop})
    return sorted(rows, key=lambda row: row["distance_without"])


def answers(content: bytes, features: np.ndarray) -> np.ndarray:
    """What a TFLite file's content answers to features, through the runtime's own backend."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "attempt.tflite"
        file.write_bytes(content)
        session = open_session("tflite", file, 1)
        try:
            return session.run(features)
        finally:
            session.close()


def _mix(search: Search, calibration: np.ndarray, ranked: list[str], recipe: Quantize) -> None:
    """One, two, … of the costliest layers stay float, until an attempt holds or `float_layers` is reached."""
    mixed = tflite.Mixed(search.network, calibration)
    for count in range(1, min(recipe.float_layers, len(ranked)) + 1):
        kept = tuple(ranked[:count])
        search.attempts.append(search.judge("mixed", mixed.keeping(kept), float_layers=kept))
        if search.ended():
            return


def _layer_names(content: bytes) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "whole.tflite"
        file.write_bytes(content)
        return file_format.layers(file)


def _target(attempt: Attempt) -> dict[str, Any]:
    return {"method": attempt.method, "network": attempt.network, "float_layers": list(attempt.float_layers)}


def _why(chosen: Attempt, limit: Limit) -> str:
    told = f"{chosen.method} {did(chosen)}"
    return f"{told}, within {limit}" if limit.holds(chosen) else f"{told}, the best of all attempts; none was within {limit}"
