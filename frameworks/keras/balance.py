"""Class weights, so that a rare class counts as much in a loss as a common one."""

from typing import Any

import numpy as np

from frameworks.examples import Examples


def class_weights(examples: Examples, recipe: Any) -> np.ndarray | None:
    """(classes,) float32, n / (k n_c) for each of the k classes that occur n_c times in train's n clips, so that the mean
    over clips is 1; None where `recipe` does not ask for `balance`. (King and Zeng 2001, weighting.)"""
    if not getattr(recipe, "balance", False):
        return None
    counts = np.bincount(examples.train.labels, minlength=len(examples.labels))
    occurring = max(int(np.count_nonzero(counts)), 1)
    return np.asarray(counts.sum() / (occurring * np.maximum(counts, 1)), np.float32)


def weighted_mean(values: np.ndarray, labels: np.ndarray, weights: np.ndarray | None) -> float:
    """Mean of one value a clip (n,), each counted by its label's weight."""
    return float(np.mean(values if weights is None else values * weights[labels]))
