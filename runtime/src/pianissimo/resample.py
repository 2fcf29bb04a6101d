"""Change a sample rate by a polyphase Kaiser-windowed sinc (Smith, Digital Audio Resampling), in numpy.

The kernel is h(t) = c sinc(c t) w(t), t in input samples, cutoff c = ROLLOFF min(1, target / rate) of the
input's Nyquist frequency. With the rates reduced to up / down, output n stands at t = n down / up, so there
are `up` different filters and the pattern repeats every `down` input samples: one block of inputs times one
matrix gives one block of outputs, and the whole signal is a single matrix product.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

CROSSINGS = 64  # zero crossings each side: the transition band is then a tenth of Nyquist wide
BETA = 10.0  # Kaiser window: stop band about 100 dB down, below the noise of 16-bit audio
ROLLOFF = 0.945  # middle of the transition band: flat below 0.89 of Nyquist, nothing above 1.0
LARGEST_MATRIX = 4_000_000  # entries (16 MB); rates without a small common ratio take the slower path
ROWS = 256  # filters computed at a time on that path, which bounds its memory


def resample(audio: Float32, rate: int, target: int) -> Float32:
    """Resample float32 (n,) from `rate` to `target` Hz: float32 (round(n target / rate),), never empty.

    The signal counts as zero beyond its ends. Flat within 1e-4 below 0.89 of the lower Nyquist frequency.
    """
    if rate == target:
        return audio
    divisor = gcd(rate, target)
    up, down = target // divisor, rate // divisor
    length = max(1, (2 * len(audio) * up + down) // (2 * down))
    path = _by_blocks if up * (down + 2 * _reach(up, down)) <= LARGEST_MATRIX else _by_rows
    return path(audio, up, down, length)


def _reach(up: int, down: int) -> int:
    """Input samples the kernel reaches to each side."""
    return ceil(CROSSINGS / _cutoff(up, down))


def _cutoff(up: int, down: int) -> float:
    return float(ROLLOFF * min(1.0, up / down))


def _filters(phases: NDArray[np.int64], up: int, down: int) -> Float32:
    """Filters of outputs that lie phases / up after an input sample: (phases, 2 reach), each of sum 1."""
    reach, cutoff = _reach(up, down), _cutoff(up, down)
    t = np.arange(1 - reach, reach + 1)[None, :] - (phases / up)[:, None]
    window = np.i0(BETA * np.sqrt(np.clip(1 - (t * cutoff / CROSSINGS) ** 2, 0, None)))
    kernel = np.where(np.abs(t * cutoff) < CROSSINGS, np.sinc(cutoff * t) * window, 0.0)
    filters: Float32 = (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)
    return filters


@lru_cache(maxsize=16)
def _matrix(up: int, down: int) -> Float32:
    """One period as a matrix (inputs, outputs): column n holds output n's filter at the inputs it reads."""
    reach = _reach(up, down)
    outputs = np.arange(up)
    filters = _filters(outputs * down % up, up, down)
    matrix = np.zeros((down + 2 * reach, up), np.float32)
    rows = (outputs * down // up)[:, None] + np.arange(2 * reach)[None, :]
    matrix[rows, outputs[:, None]] = filters
    matrix.setflags(write=False)
    return matrix


def _padded(audio: Float32, size: int, reach: int) -> Float32:
    """The signal with `reach - 1` zeros before it and zeros after it up to `size`."""
    padded = np.zeros(max(size, reach - 1 + len(audio)), np.float32)
    padded[reach - 1 : reach - 1 + len(audio)] = audio
    return padded


def _by_blocks(audio: Float32, up: int, down: int, length: int) -> Float32:
    """Several periods to a block, so that blocks overlap little and the product is a real one."""
    reach = _reach(up, down)
    periods = max(1, min(2 * reach // down, LARGEST_MATRIX // (up * 2 * reach)))
    matrix = _widened(up, down, periods)
    step, width = down * periods, matrix.shape[0]
    blocks = ceil(length / matrix.shape[1])
    padded = _padded(audio, (blocks - 1) * step + width, reach)
    windows = sliding_window_view(padded, width)[::step][:blocks]
    return (np.ascontiguousarray(windows) @ matrix).reshape(-1)[:length]


@lru_cache(maxsize=16)
def _widened(up: int, down: int, periods: int) -> Float32:
    """The matrix of several periods: the one-period matrix repeated down a staircase."""
    matrix = _matrix(up, down)
    wide = np.zeros((matrix.shape[0] + down * (periods - 1), up * periods), np.float32)
    for period in range(periods):
        wide[period * down : period * down + matrix.shape[0], period * up : (period + 1) * up] = matrix
    wide.setflags(write=False)
    return wide


def _by_rows(audio: Float32, up: int, down: int, length: int) -> Float32:
    """Rates such as 44,101 Hz: filters made as they are needed, each used once a period."""
    reach = _reach(up, down)
    periods = ceil(length / up)
    padded = _padded(audio, periods * down + 2 * reach, reach)
    windows = sliding_window_view(padded, 2 * reach)
    result = np.zeros((periods, up), np.float32)
    for first in range(0, min(up, length), ROWS):
        outputs = np.arange(first, min(first + ROWS, up))
        filters = _filters(outputs * down % up, up, down)
        for period in range(periods):
            result[period, outputs] = np.einsum("ij,ij->i", windows[outputs * down // up + period * down], filters)
    return result.reshape(-1)[:length]
