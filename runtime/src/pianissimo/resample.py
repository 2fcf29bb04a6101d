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

from .errors import AudioError
from .products import product_into

Float32 = NDArray[np.float32]

CROSSINGS = 64  # zero crossings each side: the transition band is then a tenth of Nyquist wide
BETA = 10.0  # Kaiser window: stop band about 100 dB down, below the noise of 16-bit audio
ROLLOFF = 0.945  # middle of the transition band: flat below 0.89 of Nyquist, nothing above 1.0
LARGEST_MATRIX = 4_000_000  # entries (16 MB); rates without a small common ratio take the slower path
BAND = 32  # outputs in one product: vector units are full, and most inputs that none of them reads are left out
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


class Resampler:
    """`resample` for a stream, piece by piece: the same samples within 1e-6, and exactly the same however it is cut.

    What comes out lags by the kernel's reach and at most one block, 10 to 20 ms. Raises AudioError for rates whose
    common ratio is not small: their filters would have to be made afresh all the time.
    """

    def __init__(self, rate: int, target: int) -> None:
        divisor = gcd(rate, target)
        self._up, self._down = target // divisor, rate // divisor
        self._same, self._reach = rate == target, _reach(self._up, self._down)
        if self._up * (self._down + 2 * self._reach) > LARGEST_MATRIX:
            allowed = "the model's own rate, or one with a small common ratio, as 8,000, 44,100 and 48,000 Hz have"
            raise AudioError(f"a stream at {rate:,} Hz for a model at {target:,} Hz", allowed)
        self.reset()

    def reset(self) -> None:
        """What comes next follows silence."""
        self._held = np.zeros(self._reach - 1, np.float32)
        self._taken = self._given = 0

    def __call__(self, audio: Float32) -> Float32:
        """What can be told so far: float32 (m,) of the next samples (n,)."""
        self._taken += len(audio)
        return audio if self._same else self._blocks(audio)

    def finish(self) -> Float32:
        """What is still held, as if silence followed; `resample` gives as many samples in all. Starts afresh."""
        missing = (2 * self._taken * self._up + self._down) // (2 * self._down) - self._given
        silence = np.zeros(2 * self._reach + ceil(missing * self._down / self._up), np.float32)
        rest = silence[:0] if self._same else self._blocks(np.append(silence, np.zeros(self._step, np.float32)))
        self.reset()
        return rest[:missing]

    @property
    def _step(self) -> int:
        """Input samples a block moves on by."""
        return self._down * _periods(self._up, self._down)

    def _blocks(self, audio: Float32) -> Float32:
        """One product a block: a product of several rounds otherwise, and answers must not depend on the pieces."""
        matrix, step = _widened(self._up, self._down, _periods(self._up, self._down)), self._step
        held = np.append(self._held, audio)
        starts = range(0, len(held) - len(matrix) + 1, step)
        self._held = held[len(starts) * step :]
        made = [held[at : at + len(matrix)] @ matrix for at in starts]
        self._given += sum(map(len, made))
        return np.concatenate(made) if made else np.zeros(0, np.float32)


def _periods(up: int, down: int) -> int:
    """Periods to a block: so many that blocks overlap little and the product is a real one."""
    reach = _reach(up, down)
    return max(1, min(2 * reach // down, LARGEST_MATRIX // (up * 2 * reach)))


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
    """All blocks at once, a band of outputs after the other."""
    reach, periods = _reach(up, down), _periods(up, down)
    width, outputs = _widened(up, down, periods).shape
    step, blocks = down * periods, ceil(length / outputs)
    padded = _padded(audio, (blocks - 1) * step + width, reach)
    windows = np.ascontiguousarray(sliding_window_view(padded, width)[::step][:blocks])
    made = np.empty((blocks, outputs), np.float32)
    for inputs, band, matrix in _bands(up, down, periods):
        product_into(made[:, band], windows[:, inputs], matrix)
    return made.reshape(-1)[:length]


@lru_cache(maxsize=16)
def _bands(up: int, down: int, periods: int) -> list[tuple[slice, slice, Float32]]:
    """The matrix of a block BAND outputs at a time: the inputs these read, which outputs they are, and their part of it."""
    whole, bands = _widened(up, down, periods), []
    for at in range(0, whole.shape[1], BAND):
        some = whole[:, at : at + BAND]
        read = np.flatnonzero(some.any(axis=1))
        inputs = slice(int(read[0]), int(read[-1]) + 1)
        bands.append((inputs, slice(at, at + some.shape[1]), np.ascontiguousarray(some[inputs])))
    return bands


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
