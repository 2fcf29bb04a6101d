"""What a training stage may see: features and labels of train, calibration and validation, never of test."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Part:
    """One split: `features` (n, frames, bands) float32 and `labels` (n,) int64, indices into Examples.labels."""

    features: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Examples:
    """The splits a stage works with. `calibration` is a fixed part of `train`."""

    labels: tuple[str, ...]
    metric: str
    train: Part
    calibration: Part
    validation: Part

    @property
    def shape(self) -> tuple[int, int]:
        """(frames, bands) of one example."""
        frames, bands = self.train.features.shape[1:]
        return int(frames), int(bands)
