"""Mean and deviation of training features, clip by clip, so that they need not all be in one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import FrontEndError

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
DIGITS = 4  # behind the point: finer than any network notices, and short in a manifest


def moments(features: Sequence[Float32], axes: tuple[int, ...] | None) -> tuple[Float64, Float64]:
    """Mean and standard deviation over all clips and these axes of each (None: all), rounded to 4 digits."""
    if not len(features):
        raise FrontEndError("features", "none", "the features of at least one clip")
    total = np.asarray(sum(np.sum(clip, axes, np.float64) for clip in features))
    count = sum(clip.size for clip in features) // total.size
    mean = total / count
    square = np.asarray(sum(np.sum((clip - mean) ** 2, axes, np.float64) for clip in features))
    deviation: Float64 = np.sqrt(square / count)
    return np.round(mean, DIGITS), np.round(deviation, DIGITS)
