"""Fit features to the input a network declares."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray


def fitted(features: NDArray[np.float32], declared: Sequence[int | None]) -> NDArray[np.float32]:
    """Features (n, ...) with the axes a network declares after its batch axis; None is a free axis.

    A network often has one more axis of size one, for its channel; anything that changes the order or the
    number of values is refused with ValueError.
    """
    wanted = [-1 if size is None else size for size in declared[1:]]
    values = prod(features.shape[1:])
    if -1 not in wanted:
        if prod(wanted) != values:
            raise ValueError(f"features of shape {features.shape[1:]} for an input of shape {tuple(wanted)}")
        return features.reshape(len(features), *wanted)
    if wanted.count(-1) == 1:
        return features.reshape(len(features), *wanted)
    if len(wanted) != features.ndim - 1:
        raise ValueError(f"features of shape {features.shape[1:]} for an input of {len(wanted)} free axes")
    return features
