"""Augmentation of normalised features in the input pipeline: shift, gain, noise, and SpecAugment's masks (Park et al. 2019)."""

from typing import Any

import numpy as np
import tensorflow as tf

from frameworks import FrameworkError
from frameworks.examples import Part
from frameworks.keras.answers import fixed
from frameworks.recipe import Augment


def augmented(part: Part, recipe: Any, beside: np.ndarray | None = None) -> Any:
    """A shuffled, batched tf.data.Dataset of (features, labels); `recipe` has batch_size and may have `augment`.

    With `beside`, one array row a clip, it is ((features, beside), labels): what stands beside is never changed.
    """
    features = fixed(part.features, "augment")
    settings = getattr(recipe, "augment", Augment())
    if settings != Augment() and features.ndim != 3:
        raise FrameworkError(
            f"augment changes features (frames, bands); here one clip's are of shape {features.shape[1:]}"
        )
    if settings.stretch:
        raise FrameworkError(
            f"augment stretch makes clips longer or shorter; here each is of shape {features.shape[1:]}; allowed: 0"
        )
    data = tf.data.Dataset.from_tensor_slices((features if beside is None else (features, beside), part.labels))
    data = data.shuffle(len(part), reshuffle_each_iteration=True).batch(recipe.batch_size)
    if settings != Augment():
        # In order, on one thread: the random numbers, and so the run, are the same every time.
        data = data.map(lambda batch, labels: (_only_features(batch, settings), labels))
    return data.prefetch(2)


def _only_features(batch: Any, settings: Augment) -> Any:
    if isinstance(batch, tuple):
        return _changed(batch[0], settings), batch[1]
    return _changed(batch, settings)


def _changed(batch: Any, settings: Augment) -> Any:
    """One batch (n, frames, bands), each example changed in its own way."""
    count = tf.shape(batch)[0]
    frames, bands = batch.shape[1], batch.shape[2]
    batch = tf.gather(batch, _moved(count, frames, settings.shift), axis=1, batch_dims=1)
    if (
        settings.shift_bands
    ):  # a longer or shorter vocal tract moves formants along the mel axis (Jaitly and Hinton 2013)
        turned = tf.transpose(batch, [0, 2, 1])
        turned = tf.gather(turned, _moved(count, bands, settings.shift_bands), axis=1, batch_dims=1)
        batch = tf.transpose(turned, [0, 2, 1])
    batch += tf.random.normal([count, 1, 1], 0, settings.gain) + tf.random.normal(tf.shape(batch), 0, settings.noise)
    for _ in range(settings.masks):
        across_time = _mask(count, frames, settings.mask_frames)[:, :, None]
        batch *= across_time * _mask(count, bands, settings.mask_bands)[:, None, :]
    return batch


def _moved(count: Any, size: int, most: int) -> Any:
    """(count, size) indices, each row moved by up to `most`. Clamping repeats the edge: a wrapped word would end where it
    begins."""
    offset = tf.random.uniform([count, 1], -most, most + 1, dtype=tf.int32)
    return tf.clip_by_value(tf.range(size)[None, :] + offset, 0, size - 1)


def _mask(count: Any, size: int, longest: int) -> Any:
    """(count, size) of ones with one run of zeros, up to `longest`; zero is the mean of normalised features."""
    length = tf.random.uniform([count, 1], 0, longest + 1, dtype=tf.int32)
    start = tf.random.uniform([count, 1], 0, size, dtype=tf.int32)
    place = tf.range(size)[None, :]
    return tf.cast((place < start) | (place >= start + length), tf.float32)
