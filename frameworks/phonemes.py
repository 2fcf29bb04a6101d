"""Phoneme error rate: edit distance between what was said and what CTC's greedy path answers, over what was said."""

from collections.abc import Sequence

import numpy as np
from pianissimo.decode import greedy
from rapidfuzz.distance import Levenshtein


def errors(labels: np.ndarray, outputs: Sequence[np.ndarray]) -> np.ndarray:
    """(n, 2): substitutions, insertions and deletions of each clip, and its phonemes. `labels` (n, longest) is padded with
    -1; `outputs` are (frames, classes + 1) each, the last class being CTC's blank."""
    said = [tuple(int(label) for label in row[row >= 0]) for row in labels]
    heard = [greedy(output) for output in outputs]
    return np.array(
        [(Levenshtein.distance(one, other), len(one)) for one, other in zip(said, heard, strict=True)], np.int64
    )


def error_rate(rows: np.ndarray) -> float:
    """Errors over phonemes said, in percent; above 100 where more is made up than was said."""
    return float(100 * rows[:, 0].sum() / max(int(rows[:, 1].sum()), 1))
