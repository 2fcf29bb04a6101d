"""Augmentation of normalised features: stretch (Ko et al. 2015), shift, gain, noise, SpecAugment's masks (Park et al. 2019)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from frameworks import FrameworkError
from frameworks.examples import Part
from frameworks.recipe import Augment
from frameworks.torch.batches import Batch, shuffled

FOR_BANDS = ("shift_bands", "gain", "mask_bands")  # a wave has one value a sample: these mean nothing there


def epoch(part: Part, recipe: Any) -> Iterator[Batch]:
    """All clips of `part` once, shuffled, batched and augmented; `recipe` has batch_size and may have `augment`.

    Raises FrameworkError where the clips must stay as long as they are and `augment` would stretch them.
    """
    settings = getattr(recipe, "augment", Augment())
    if settings.stretch and isinstance(part.features, np.ndarray):
        raise FrameworkError(
            f"augment stretch makes clips longer or shorter; allowed where a front end gives clips of any length, "
            f"here each is of shape {part.features.shape[1:]}"
        )
    return (augmented(batch, settings) for batch in shuffled(part, recipe.batch_size))


def augmented(batch: Batch, settings: Augment) -> Batch:
    """The batch with each clip changed in its own way, what pads it left at zero; drawn from torch's seeded generator.

    Raises FrameworkError where features have no bands and the settings ask for them.
    """
    if settings == Augment():
        return batch
    wave = batch.features.ndim == 2
    asked = [name for name in FOR_BANDS if getattr(settings, name)]
    if (wave and asked) or batch.features.ndim not in (2, 3):
        raise FrameworkError(
            f"augment {', '.join(asked) or 'settings'} cannot be applied to features of shape "
            f"{tuple(batch.features.shape[1:])}; allowed: all on (frames, bands); stretch, shift, noise and mask_frames on "
            "(samples,)"
        )
    features, lengths = batch.features[:, :, None] if wave else batch.features, batch.lengths
    if settings.stretch:
        features, lengths = _stretched(features, lengths, settings.stretch)
    features = _changed(features, lengths, settings)
    return replace(batch, features=features[:, :, 0] if wave else features, lengths=lengths)


def _stretched(features: Tensor, lengths: Tensor, most: float) -> tuple[Tensor, Tensor]:
    """Each clip of (n, frames, bands) said slower or faster by up to that share, and how many frames it has now."""
    factor = 1 + most * (2 * torch.rand(len(lengths)) - 1)
    longer = (lengths * factor).round().long().clamp(min=1)
    place = torch.arange(int(longer.max()))[None, :] * ((lengths - 1) / (longer - 1).clamp(min=1))[:, None]
    place = place.minimum((lengths - 1)[:, None])
    before = place.long()
    after = (before + 1).minimum((lengths - 1)[:, None])
    share = (place - before)[:, :, None]
    earlier, later = (features.gather(1, at[:, :, None].expand(-1, -1, features.shape[2])) for at in (before, after))
    return earlier + share * (later - earlier), longer


def _changed(features: Tensor, lengths: Tensor, settings: Augment) -> Tensor:
    """One batch (n, frames, bands)."""
    count, frames, bands = features.shape
    moved = _moved(lengths, frames, settings.shift)
    features = features.gather(1, moved[:, :, None].expand(-1, -1, bands))
    if settings.shift_bands:  # another vocal tract moves formants along the mel axis (Jaitly and Hinton 2013)
        moved = _moved(torch.full((count,), bands), bands, settings.shift_bands)
        features = features.gather(2, moved[:, None, :].expand(-1, frames, -1))
    features = features + settings.gain * torch.randn(count, 1, 1) + settings.noise * torch.randn_like(features)
    for _ in range(settings.masks):
        features = features * _mask(lengths, frames, settings.mask_frames)[:, :, None]
        features = features * _mask(torch.full((count,), bands), bands, settings.mask_bands)[:, None, :]
    inside = torch.arange(frames)[None, :] < lengths[:, None]
    return features * inside[:, :, None]


def _moved(lengths: Tensor, size: int, most: int) -> Tensor:
    """(n, size) indices, each row moved by up to `most`. Clamping repeats the edge: a wrapped word would end where it
    begins."""
    offset = torch.randint(-most, most + 1, (len(lengths), 1))
    return (torch.arange(size)[None, :] + offset).clamp(min=0).minimum(lengths[:, None] - 1)


def _mask(lengths: Tensor, size: int, longest: int) -> Tensor:
    """(n, size) of ones with one run of zeros, up to `longest`; zero is the mean of normalised features."""
    length = torch.randint(0, longest + 1, (len(lengths), 1))
    start = (torch.rand(len(lengths), 1) * lengths[:, None]).long()
    place = torch.arange(size)[None, :]
    return ((place < start) | (place >= start + length)).float()
