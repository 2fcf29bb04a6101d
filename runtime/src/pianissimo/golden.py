"""Golden vectors: audio, features and scores recorded when a model was made, replayed wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from . import archive, integrity
from .errors import VerificationError
from .manifest import File, Tolerance

Array = NDArray[Any]
Clips = list[Array]
Float32 = NDArray[np.float32]


class Verifiable(Protocol):
    """What a model offers here."""

    @property
    def info(self) -> Any:
        """Its model, platform and variant."""

    def features(self, audio: Float32, sample_rate: int) -> Float32:
        """Front end of one clip."""

    def scores(self, features: Sequence[Float32]) -> Sequence[Float32]:
        """The network alone, clip by clip."""


@dataclass(frozen=True)
class Verification:
    """A replay that agreed: the largest distances over all clips, beside what was tolerated."""

    model: str
    variant: str
    clips: int
    features: float
    scores: float
    tolerance: Tolerance


def write(
    path: Path,
    clips: Sequence[Array],
    rate: int,
    features: Sequence[Array],
    scores: Mapping[str, Sequence[Array]],
) -> None:
    """Write golden vectors; the same content gives the same bytes.

    `clips`, `features` and each entry of `scores`, whose keys are "platform/variant", hold one array a clip, without
    a batch axis. Where all are of one shape each is stored as one array (`audio`, `features`,
    `scores/platform/variant`), otherwise each clip is stored alone (`audio/0`, `features/0`, …).
    Raises ValueError when they do not hold the same number of clips.
    """
    named: dict[str, Clips] = {"audio": _clips(clips), "features": _clips(features)}
    named |= {f"scores/{name}": _clips(rows) for name, rows in scores.items()}
    counts = {name: len(rows) for name, rows in named.items()}
    if len(set(counts.values())) != 1 or not len(clips):
        raise ValueError(f"golden vectors of {counts} clips; allowed: as many of each, at least one")
    arrays: dict[str, Array] = {"sample_rate": np.array(rate)}
    if all(len({row.shape for row in rows}) == 1 for rows in named.values()):
        arrays |= {name: np.stack(rows) for name, rows in named.items()}
    else:
        arrays |= {f"{name}/{at}": row for name, rows in named.items() for at, row in enumerate(rows)}
    archive.write(path, arrays)


def verify(model: Verifiable, path: Path, file: File, tolerance: Tolerance) -> Verification:
    """Compare features of the audio, and scores of the recorded features, so each fault shows alone."""
    integrity.check(path, file)
    info = model.info
    rate, audio, features, scores = _read(path, info.model, f"scores/{info.platform}/{info.variant}")
    distances = {
        "features": _distance([model.features(clip, rate)[0] for clip in audio], features),
        "scores": _distance(model.scores(features), scores),
    }
    tolerances = {"features": tolerance.features, "scores": tolerance.scores}
    over = [
        f"{name} are {distances[name]:.3g} away (allowed {tolerances[name]:.3g})"
        for name in distances
        if not distances[name] <= tolerances[name]
    ]
    if over:
        raise VerificationError(info.model, f"{info.platform}/{info.variant}: {', '.join(over)}", distances, tolerances)
    return Verification(info.model, info.variant, len(audio), distances["features"], distances["scores"], tolerance)


def _read(path: Path, model: str, scores: str) -> tuple[int, Clips, Clips, Clips]:
    """The sample rate, and the clips, features and scores this variant needs, one array a clip."""
    try:
        arrays = archive.read(path)
    except ValueError as fault:
        raise VerificationError(model, f"golden vectors cannot be read ({fault})") from fault
    named = {name: _gathered(arrays, name) for name in ("audio", "features", scores)}
    absent = [name for name, rows in named.items() if rows is None] + ["sample_rate"] * ("sample_rate" not in arrays)
    if absent:
        raise VerificationError(model, f"golden vectors lack {', '.join(absent)}; there are {list(arrays)}")
    audio, features, answers = (rows or [] for rows in named.values())
    if not len(audio) == len(features) == len(answers) or not audio or arrays["sample_rate"].ndim:
        shapes = {name: array.shape for name, array in arrays.items()}
        raise VerificationError(model, f"golden vectors of unequal shapes {shapes}")
    return int(arrays["sample_rate"]), audio, features, answers


def _gathered(arrays: Mapping[str, Array], name: str) -> Clips | None:
    """One array a clip, stored together under a name or each under the name and its number; None when absent."""
    if name in arrays:
        return list(arrays[name]) if arrays[name].ndim else []
    count = sum(key.startswith(f"{name}/") and key.removeprefix(f"{name}/").isdigit() for key in arrays)
    rows = [arrays[f"{name}/{at}"] for at in range(count) if f"{name}/{at}" in arrays]
    return rows or None


def _clips(rows: Sequence[Array]) -> Clips:
    return [np.asarray(row) for row in rows]


def _distance(found: Sequence[Array], expected: Sequence[Array]) -> float:
    """Largest absolute difference; infinite when the shapes differ."""
    pairs = zip(found, expected, strict=True)
    return max(float(np.abs(a - b).max()) if a.shape == b.shape else float("inf") for a, b in pairs)
