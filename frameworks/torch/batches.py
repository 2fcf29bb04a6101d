"""Batches of clips: shuffled and padded for training, of one length each for answers, which padding must never change."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from frameworks.examples import Features, Part
from frameworks.torch.objectives import Answer

POOL = 16  # batches' worth of clips that are sorted by length together: little padding, and still a shuffle


@dataclass(frozen=True)
class Batch:
    """`features` (n, longest, …) padded with zeros, `lengths` (n,) frames of each clip, `rows` (n,) its place in the split,
    `labels` (n,) or, for transcribe, (n, phonemes) padded with -1, `told` what a teacher answers to `features`."""

    rows: Tensor
    features: Tensor
    lengths: Tensor
    labels: Tensor
    told: Answer | None = None


def shuffled(part: Part, size: int) -> Iterator[Batch]:
    """All clips once, in an order drawn from torch's seeded generator; sizes differ by one at most, so that no batch is too
    small for batch normalisation."""
    order = torch.randperm(len(part)).numpy()
    if isinstance(part.features, list):
        order = _pooled(order, np.array([len(clip) for clip in part.features]), size * POOL)
    chunks = np.array_split(order, -(-len(order) // size))
    for place in torch.randperm(len(chunks)).tolist():
        yield batch(part, chunks[place])


def batch(part: Part, rows: np.ndarray) -> Batch:
    """The clips at `rows`, padded to the longest of them."""
    features, lengths = padded(part.features, rows)
    return Batch(torch.from_numpy(rows), features, lengths, torch.from_numpy(part.labels[rows]).long())


def padded(features: Features, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """(features (n, longest, …), lengths (n,)) of the clips at `rows`."""
    if not isinstance(features, list):
        chosen = features[rows]
        return torch.from_numpy(chosen), torch.full((len(rows),), chosen.shape[1])
    lengths = [len(features[row]) for row in rows]
    whole = np.zeros((len(rows), max(lengths), *features[0].shape[1:]), np.float32)
    for place, row in enumerate(rows):
        whole[place, : lengths[place]] = features[row]
    return torch.from_numpy(whole), torch.tensor(lengths)


def same_length(features: Features, size: int) -> Iterator[np.ndarray]:
    """Rows of clips that are equally long, at most `size` at once: nothing is padded."""
    groups: dict[int, list[int]] = defaultdict(list)
    for row, clip in enumerate(features):
        groups[len(clip)].append(row)
    for rows in groups.values():
        yield from (np.array(rows[at : at + size]) for at in range(0, len(rows), size))


def _pooled(order: np.ndarray, lengths: np.ndarray, size: int) -> np.ndarray:
    pools: Sequence[np.ndarray] = np.array_split(order, -(-len(order) // size))
    return np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
