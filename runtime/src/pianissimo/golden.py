"""Golden vectors: audio, features and scores recorded when a model was made, replayed wherever it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from . import integrity
from .errors import VerificationError
from .manifest import File, Tolerance

Arrays = dict[str, NDArray[Any]]


class Verifiable(Protocol):
    """What a model offers here."""

    @property
    def info(self) -> Any:
        """Its model, platform and variant."""

    def features(self, audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """Front end of one clip."""

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network alone."""


@dataclass(frozen=True)
class Verification:
    """A replay that agreed: the largest distances over all clips, beside what was tolerated."""

    model: str
    variant: str
    clips: int
    features: float
    scores: float
    tolerance: Tolerance


def verify(model: Verifiable, path: Path, file: File, tolerance: Tolerance) -> Verification:
    """Compare features of the audio, and scores of the recorded features, so each fault shows alone."""
    integrity.check(path, file)
    info = model.info
    arrays = _read(path, info.model, f"scores/{info.platform}/{info.variant}")
    rate = int(arrays["sample_rate"])
    features = np.concatenate([model.features(clip, rate) for clip in arrays["audio"]])
    distances = {
        "features": _distance(features, arrays["features"]),
        "scores": _distance(model.scores(arrays["features"]), arrays["scores"]),
    }
    tolerances = {"features": tolerance.features, "scores": tolerance.scores}
    over = [
        f"{name} are {distances[name]:.3g} away (allowed {tolerances[name]:.3g})"
        for name in distances
        if not distances[name] <= tolerances[name]
    ]
    if over:
        raise VerificationError(info.model, f"{info.platform}/{info.variant}: {', '.join(over)}", distances, tolerances)
    return Verification(info.model, info.variant, len(features), distances["features"], distances["scores"], tolerance)


def _read(path: Path, model: str, scores: str) -> Arrays:
    """The arrays this variant needs, as audio, sample_rate, features and scores."""
    wanted = {"audio": "audio", "sample_rate": "sample_rate", "features": "features", "scores": scores}
    try:
        with np.load(path, allow_pickle=False) as archive:
            absent = [name for name in wanted.values() if name not in archive.files]
            if absent:
                raise VerificationError(model, f"golden vectors lack {', '.join(absent)}; there are {archive.files}")
            arrays = {key: np.asarray(archive[name]) for key, name in wanted.items()}
    except (OSError, ValueError, BadZipFile) as fault:
        raise VerificationError(model, f"golden vectors cannot be read ({fault})") from fault
    counts = {len(arrays[key]) if arrays[key].ndim else 0 for key in ("audio", "features", "scores")}
    if len(counts) != 1 or counts == {0} or arrays["sample_rate"].ndim:
        raise VerificationError(model, f"golden vectors of unequal shapes { {k: v.shape for k, v in arrays.items()} }")
    return arrays


def _distance(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Largest absolute difference; infinite when the shapes differ."""
    return float(np.abs(found - expected).max()) if found.shape == expected.shape else float("inf")
