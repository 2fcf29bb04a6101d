"""What a training stage may see: features and labels of train, calibration and validation, never of test."""

from dataclasses import dataclass, replace

import numpy as np

Features = np.ndarray | list[np.ndarray]
"""(n, ...) float32 where every clip has one shape; a list of (frames, ...) arrays where lengths differ."""


def shape(features: Features) -> tuple[int | None, ...]:
    """The shape of one example; None for an axis whose length differs from clip to clip."""
    if isinstance(features, list):
        return (None, *features[0].shape[1:])
    return tuple(int(size) for size in features.shape[1:])


@dataclass(frozen=True)
class Part:
    """One split.

    `labels` by task: classify, (n,) indices into Examples.labels; transcribe, (n, longest) such indices, padded with -1;
    verify, (n,) numbers of speakers. `heard` is what the teacher hears, where its front end is not the one that ships.
    """

    features: Features
    labels: np.ndarray
    heard: Features | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def as_heard(self) -> "Part":
        """The same clips as the teacher hears them."""
        return self if self.heard is None else replace(self, features=self.heard, heard=None)

    def teacher_features(self) -> Features:
        """What the teacher takes: `heard`, or the features themselves."""
        return self.features if self.heard is None else self.heard


@dataclass(frozen=True)
class Examples:
    """The splits a stage works with. `calibration` is a fixed part of `train`. `task` and `metric` are the model's."""

    labels: tuple[str, ...]
    task: str
    metric: str
    train: Part
    calibration: Part
    validation: Part

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape of one example's features: (frames, bands), say; None for a free axis."""
        return shape(self.train.features)

    def as_heard(self) -> "Examples":
        """The same examples as the teacher hears them."""
        parts = {name: getattr(self, name).as_heard() for name in ("train", "calibration", "validation")}
        return replace(self, **parts)
