"""Mel filters as librosa makes them: Slaney's scale (Auditory Toolbox, 1998), each triangle of area one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

LINEAR = 200.0 / 3  # Hz a mel below the bend
BEND = 1000.0  # Hz: linear below, logarithmic above
STEP = np.log(6.4) / 27.0  # log Hz a mel above it


def to_mel(hertz: Float64) -> Float64:
    """Hz to Slaney mels, same shape."""
    above = BEND / LINEAR + np.log(np.maximum(hertz, BEND) / BEND) / STEP
    return np.where(hertz < BEND, hertz / LINEAR, above)


def to_hertz(mels: Float64) -> Float64:
    """Slaney mels to Hz, same shape."""
    bend = BEND / LINEAR
    return np.where(mels < bend, mels * LINEAR, BEND * np.exp(STEP * (np.maximum(mels, bend) - bend)))


def mel_filters(sample_rate: int, fft: int, mels: int, fmin: float, fmax: float) -> Float64:
    """Triangular filters (mels, 1 + fft // 2) over the bins of a power spectrum; fmin and fmax in Hz."""
    bins = np.fft.rfftfreq(fft, 1.0 / sample_rate)
    low, high = to_mel(np.array([fmin, fmax]))
    edges = to_hertz(np.linspace(low, high, mels + 2))
    rising = (bins[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]
