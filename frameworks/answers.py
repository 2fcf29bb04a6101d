"""Two forms of one network beside each other: how many answers they share, and how far their outputs are apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
from pianissimo.decode import greedy
from rapidfuzz.distance import Levenshtein

# Percent of its answers that a quantized form keeps, by task. A phoneme has neighbours on either side to merge with or be lost
# to; a label has none. The search for int8 asks for it on validation, the parity ladder on test.
KEPT = {"classify": 98.0, "transcribe": 95.0, "verify": 98.0}


def agreement(task: str, before: Any, after: Any) -> float:
    """Answers that stay as they were, in percent: labels of classify; phonemes of transcribe (100 less the error rate
    against `before`, not below 0); for verify the mean cosine between vectors, times 100."""
    return AGREEMENTS[task](before, after)


def distance(before: Any, after: Any) -> tuple[float, float]:
    """(largest, mean) absolute difference of outputs; infinite where shapes differ, which no two forms of one network do."""
    pairs = list(zip(before, after, strict=True))
    if any(one.shape != other.shape for one, other in pairs):
        return float("inf"), float("inf")
    apart = np.concatenate([np.abs(one.astype(np.float64) - other).ravel() for one, other in pairs])
    return float(apart.max()), float(apart.mean())


def _labels(before: np.ndarray, after: np.ndarray) -> float:
    return float(100 * np.mean(before.argmax(axis=1) == after.argmax(axis=1)))


def _phonemes(before: Any, after: Any) -> float:
    pairs = [(greedy(one), greedy(other)) for one, other in zip(before, after, strict=True)]
    changed = sum(Levenshtein.distance(one, other) for one, other in pairs)
    return max(0.0, 100 * (1 - changed / max(sum(len(one) for one, _ in pairs), 1)))


def _directions(before: np.ndarray, after: np.ndarray) -> float:
    if before.shape != after.shape:
        return 0.0
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return float(100 * np.mean(np.sum(before * after, axis=1) / np.maximum(lengths, 1e-12)))


AGREEMENTS: dict[str, Callable[[Any, Any], float]] = {
    "classify": _labels,
    "transcribe": _phonemes,
    "verify": _directions,
}
