"""Check a clip at the door and bring it to mono float32 at the rate a model wants."""

from __future__ import annotations

from math import isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import AudioError
from .resample import Float32, resample

MINIMUM_SAMPLES = 16  # fewer than any model can say anything about; a clip of two samples is a mistake
LOWEST_RATE, HIGHEST_RATE = 4_000, 192_000  # Hz
MOST_CHANNELS = 8
LOUDEST = 32.0  # 30 dB over full scale: floats beyond this are PCM that was never scaled
LOUDEST_ENERGY = LOUDEST**2
PIECE = 8_192  # samples of one product; of more than 10,000 OpenBLAS takes all cores
FLOAT32 = np.dtype(np.float32)

# dtype -> full scale. 24-bit PCM comes as int32, the sample in its upper three bytes.
SCALES = {
    np.dtype(np.float16): 1.0,
    np.dtype(np.float32): 1.0,
    np.dtype(np.float64): 1.0,
    np.dtype(np.int16): 2.0**15,
    np.dtype(np.int32): 2.0**31,
}


def prepare(audio: ArrayLike, sample_rate: int, target_rate: int, max_seconds: float) -> Float32:
    """Mono float32 (n,) at `target_rate` Hz from a clip at `sample_rate` Hz.

    `audio` is float in -1..1 (a little beyond is let pass), or int16 or int32 PCM, which is scaled. Its
    shape is (n,), (n, channels) or (channels, n): of two axes the shorter one is the channels, at most 8, and
    they are averaged. Silence and clipped audio are legal. Raises AudioError for anything else: empty, fewer
    than 16 samples, longer than `max_seconds`, NaN or infinite, another dtype or shape, a rate outside
    4,000..192,000 Hz.
    """
    if (  # the usual case: what the steps below would make of it, at less than their cost
        type(audio) is np.ndarray
        and audio.dtype is FLOAT32
        and audio.ndim == 1
        and audio.flags.c_contiguous
        and type(sample_rate) is int
        and sample_rate == target_rate
        and LOWEST_RATE <= target_rate <= HIGHEST_RATE
        and MINIMUM_SAMPLES <= audio.size <= max_seconds * target_rate
        and _energy(audio) <= LOUDEST_ENERGY
    ):
        return audio
    rate = check_rate(sample_rate)
    clip = _shaped(_typed(audio), rate, max_seconds)
    return resample(_finite(_mono(clip)), rate, target_rate)


def prepare_frame(samples: ArrayLike, count: int) -> Float32:
    """Mono float32 (count,) from one frame of a stream: floats in -1..1, or int16 or int32 PCM, which is scaled.

    Raises AudioError for another number of samples, another type or shape, NaN and infinity.
    """
    frame = _typed(samples)
    if frame.shape != (count,):
        raise AudioError(f"a frame of shape {frame.shape}", f"mono frames of {count} samples, shape ({count},)")
    return _finite(_mono(frame))


def prepare_piece(samples: ArrayLike) -> Float32:
    """Mono float32 (n,) from a piece of a stream of any length, none included; the rest as `prepare_frame` has it."""
    piece = _typed(samples)
    if piece.ndim != 1:
        raise AudioError(f"a piece of shape {piece.shape}", "mono pieces of any length, shape (n,)")
    return _finite(_mono(piece)) if piece.size else np.zeros(0, np.float32)


def check_rate(sample_rate: object) -> int:
    """A whole sample rate in Hz within 4,000..192,000, or AudioError."""
    numeric = isinstance(sample_rate, (int, float, np.integer, np.floating)) and not isinstance(sample_rate, bool)
    rate = float(sample_rate) if numeric else 0.0  # type: ignore[arg-type]
    if not LOWEST_RATE <= rate <= HIGHEST_RATE or not rate.is_integer():
        raise AudioError(f"sample rate {sample_rate!r}", f"a whole number of Hz, {LOWEST_RATE:,} to {HIGHEST_RATE:,}")
    return int(rate)


def _energy(mono: Float32) -> float:
    """The sum of squares; NaN and infinity are contagious. In pieces that BLAS leaves to the calling thread."""
    total = 0.0
    for at in range(0, len(mono), PIECE):
        piece = mono[at : at + PIECE]
        total += float(np.vdot(piece, piece))  # which warns of nothing, as `dot` would
    return total


def _typed(audio: ArrayLike) -> NDArray[np.generic]:
    try:
        clip = np.asarray(audio)
    except ValueError as ragged:
        raise AudioError(f"not an array ({ragged})", "one array of samples") from ragged
    if clip.dtype.newbyteorder("=") not in SCALES:
        raise AudioError(f"samples of type {clip.dtype}", ", ".join(map(str, SCALES)))
    return clip


def _shaped(clip: NDArray[np.generic], rate: int, max_seconds: float) -> NDArray[np.generic]:
    """(n,) or (n, channels), of a legal length."""
    if clip.size == 0:
        raise AudioError("empty audio", f"at least {MINIMUM_SAMPLES} samples")
    if clip.ndim > 2 or clip.ndim == 0 or (clip.ndim == 2 and min(clip.shape) > MOST_CHANNELS):
        raise AudioError(
            f"audio of shape {clip.shape}",
            f"(n,), (n, channels) or (channels, n), at most {MOST_CHANNELS} channels",
        )
    if clip.ndim == 2 and clip.shape[0] < clip.shape[1]:
        clip = clip.T
    samples = clip.shape[0]
    if samples < MINIMUM_SAMPLES:
        raise AudioError(f"{samples} samples", f"at least {MINIMUM_SAMPLES} samples")
    if samples > max_seconds * rate:
        raise AudioError(f"a clip of {samples / rate:.1f} s", f"at most {max_seconds:g} s; cut it into shorter clips")
    return clip


def _mono(clip: NDArray[np.generic]) -> Float32:
    """Scaled to -1..1 and averaged over channels."""
    scale = SCALES[clip.dtype.newbyteorder("=")]
    mono = clip.astype(np.float32, copy=False)
    if mono.ndim == 2:
        mono = mono.mean(axis=1)
    return np.ascontiguousarray(mono) if scale == 1.0 else mono * np.float32(1.0 / scale)


def _finite(mono: Float32) -> Float32:
    """Not NaN, not infinite, not unscaled PCM; the two extremes tell, as NaN is contagious."""
    # No sample is louder than all together: one product, which warns of nothing, clears nearly every clip.
    if _energy(mono) <= LOUDEST_ENERGY:
        return mono
    lowest, highest = float(mono.min()), float(mono.max())
    if not (isfinite(lowest) and isfinite(highest)):
        bad = np.flatnonzero(~np.isfinite(mono))
        raise AudioError(f"{bad.size} samples are NaN or infinite, the first at {bad[0]}", "finite numbers")
    if max(-lowest, highest) > LOUDEST:
        raise AudioError(
            f"floats as loud as {max(-lowest, highest):g}", "floats in -1..1, or PCM given as int16 or int32"
        )
    return mono
