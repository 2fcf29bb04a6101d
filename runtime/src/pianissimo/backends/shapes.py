"""Fit features to the input a network declares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray


def fitted(features: NDArray[np.float32], declared: Sequence[int | None]) -> NDArray[np.float32]:
    """Features (n, ...) with the axes a network declares after its batch axis; None is a free axis.

    A network often has one more axis of size one, for its channel; anything that changes the order or the
    number of values is refused with ValueError.
    """
    return features.reshape(_fitting(features.shape, tuple(declared)))


@lru_cache(maxsize=256)
def _fitting(shape: tuple[int, ...], declared: tuple[int | None, ...]) -> tuple[int, ...]:
    """What a shape becomes. Kept, as it is asked for with every answer and takes as long as a small layer."""
    clips, given, wanted = shape[0], shape[1:], declared[1:]
    if None not in wanted and prod(size or 0 for size in wanted) == prod(given):
        return clips, *(size or 0 for size in wanted)
    if matches(given, wanted):
        return shape
    plain = [size for size in wanted if size != 1]  # without the axes of a channel
    if matches(given, plain):
        sizes = iter(given)
        return clips, *(1 if size == 1 else next(sizes) for size in wanted)
    raise ValueError(f"features of shape {given} for an input of shape {wanted}")


def matches(given: Sequence[int], wanted: Sequence[int | None]) -> bool:
    """Whether a shape is the wanted one; None stands for any length but zero."""
    pairs = zip(given, wanted, strict=False)
    return len(given) == len(wanted) and all(size == axis or (size is None and axis > 0) for axis, size in pairs)


def worded(shape: Sequence[int | None]) -> str:
    """'any, 40' for (None, 40)."""
    return ", ".join("any" if size is None else str(size) for size in shape)
