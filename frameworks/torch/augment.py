"""Augmentation of normalised features: shift, gain, noise, and SpecAugment's masks (Park et al. 2019)."""

from dataclasses import replace

import torch
from torch import Tensor

from frameworks import FrameworkError
from frameworks.recipe import Augment
from frameworks.torch.batches import Batch

FOR_BANDS = ("shift_bands", "gain", "mask_bands")  # a wave has one value a sample: these mean nothing there


def augmented(batch: Batch, settings: Augment) -> Batch:
    """The batch with each clip changed in its own way, what pads it left at zero; drawn from torch's seeded generator.

    Raises FrameworkError where features have no bands and the settings ask for them.
    """
    if settings == Augment():
        return batch
    if batch.features.ndim == 3:
        return replace(batch, features=_changed(batch.features, batch.lengths, settings))
    asked = [name for name in FOR_BANDS if getattr(settings, name)]
    if asked or batch.features.ndim != 2:
        raise FrameworkError(
            f"augment {', '.join(asked) or 'settings'} cannot be applied to features of shape "
            f"{tuple(batch.features.shape[1:])}; allowed: all on (frames, bands); shift, noise and mask_frames on (samples,)"
        )
    return replace(batch, features=_changed(batch.features[:, :, None], batch.lengths, settings)[:, :, 0])


def _changed(features: Tensor, lengths: Tensor, settings: Augment) -> Tensor:
    """One batch (n, frames, bands)."""
    count, frames, bands = features.shape
    moved = _moved(lengths, frames, settings.shift)
    features = features.gather(1, moved[:, :, None].expand(-1, -1, bands))
    if settings.shift_bands:  # another vocal tract moves formants along the mel axis (Jaitly and Hinton 2013)
        moved = _moved(torch.full((count,), bands), bands, settings.shift_bands)
        features = features.gather(2, moved[:, None, :].expand(-1, frames, -1))
    features = features + settings.gain * torch.randn(count, 1, 1) + settings.noise * torch.randn_like(features)
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
