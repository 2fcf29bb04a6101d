"""Arrays that the transform of frames works in, kept from clip to clip: fresh memory costs as much as a third of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .framing import Signal

Float64 = NDArray[np.float64]
# Bytes of frames transformed at once: bounds memory, and yet seconds of speech go in one piece. Every step lets go of Python's
# lock, and threads that ask at once pay for each.
BLOCK = 2**20
KEPT = 4  # sets of arrays, for as many threads; of any number of threads the others make their own
INTO = int(np.__version__.split(".")[0]) >= 2  # whether numpy's transforms write into an array they are given


class Scratch:
    """For `rows` frames of `fft` samples at a time, of whose spectrum `bins` are read. One thread's at a time."""

    def __init__(self, fft: int, bins: int) -> None:
        self.rows = max(1, BLOCK // (8 * fft))
        self._windowed = np.zeros((self.rows, fft))  # stays zero behind the window
        self._spectra = np.empty((self.rows, fft // 2 + 1), complex)
        self._squares, self._powers = np.empty((self.rows, 2 * bins)), np.empty((self.rows, bins))

    def powers(self, frames: Signal, window: Float64, first: int) -> Float64:
        """Powers (frames, bins) from bin `first` on of at most `rows` frames (frames, samples) under a window (samples,).

        They lie in the scratch itself, and are gone with its next use.
        """
        count, bins = len(frames), self._powers.shape[1]
        parts = self._spectra_of(frames, window).view(np.float64)  # real and imaginary in turn
        squares = np.square(parts[:, 2 * first : 2 * (first + bins)], out=self._squares[:count])
        powers: Float64 = np.add(squares[:, ::2], squares[:, 1::2], out=self._powers[:count])
        return powers

    def _spectra_of(self, frames: Signal, window: Float64) -> NDArray[np.complex128]:
        windowed = self._windowed[: len(frames)]
        np.multiply(frames, window, out=windowed[:, : len(window)])
        return np.fft.rfft(windowed, out=self._spectra[: len(frames)]) if INTO else np.fft.rfft(windowed)


class Scratches:
    """Those of one front end that are free; copied or sent elsewhere, it starts with none. Safe in threads."""

    def __init__(self, fft: int, bins: int) -> None:
        self._settings, self._free = (fft, bins), list[Scratch]()

    def __reduce__(self) -> tuple[type[Scratches], tuple[int, int]]:
        return Scratches, self._settings

    def take(self) -> Scratch:
        """One that nobody else uses until it is given back; one that never is, is forgotten."""
        try:
            return self._free.pop()
        except IndexError:
            return Scratch(*self._settings)

    def give_back(self, scratch: Scratch) -> None:
        """For the next clip."""
        if len(self._free) < KEPT:
            self._free.append(scratch)
