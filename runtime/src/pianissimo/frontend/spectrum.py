"""Natural log of mel energies, which log-mel and MFCC front ends share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..audio import HIGHEST_RATE, LOWEST_RATE
from ..products import product_into
from .framing import Signal, framed
from .mel import mel_filters
from .once import once
from .scratch import Scratches
from .settings import within

Float64 = NDArray[np.float64]
LARGEST_FFT = 32_768
BAND = 16  # filters in one product: BLAS computes so many columns side by side, and a part of them otherwise than all
UNROLLED = 4  # terms of a sum that BLAS takes together


@dataclass(frozen=True, kw_only=True)
class MelSpectrum:
    """The settings of a mel spectrum (librosa's Slaney filters, a periodic Hann window, power, natural log).

    `frame`, `hop` and `fft` are in samples, `fmin` and `fmax` in Hz; `floor` is added to every energy before the log.
    """

    sample_rate: int
    frame: int
    hop: int
    fft: int
    mels: int
    fmin: float
    fmax: float
    floor: float = 1e-6

    def __post_init__(self) -> None:
        """Refuse what cannot be computed, naming what can."""
        within("sample_rate", self.sample_rate, LOWEST_RATE, HIGHEST_RATE)
        within("fft", self.fft, 16, LARGEST_FFT)
        within("frame", self.frame, 2, self.fft, "at most fft")
        within("hop", self.hop, 1, HIGHEST_RATE)
        within("mels", self.mels, 1, self.fft // 2)
        within("fmax", self.fmax, 1e-3, self.sample_rate / 2, "half the sample rate")
        within("fmin", self.fmin, 0, float(np.nextafter(self.fmax, 0)), "below fmax")
        within("floor", self.floor, 1e-30, 1.0)

    def log_energies(self, audio: Signal) -> Float64:
        """Log mel energies (frames, mels) of a mono signal (n,), one frame every `hop` samples."""
        return self._logs(audio, apart=False)

    def log_energies_apart(self, audio: Signal) -> Float64:
        """The same, where no frame may know of the others: a product of many rows rounds otherwise than that of one."""
        return self._logs(audio, apart=True)

    def _logs(self, audio: Signal, *, apart: bool) -> Float64:
        """Block by block, which bounds memory, and no product so large that BLAS shares it out."""
        frames = framed(audio, self.frame, self.hop)
        energies = np.empty((len(frames), self.mels))
        scratch = self._scratches.take()
        for at in range(0, len(frames), scratch.rows):
            powers = scratch.powers(frames[at : at + scratch.rows], self._window, self._filters[0])
            block = energies[at : at + scratch.rows]
            for bins, mels, filters in self._bands:
                if apart:
                    np.matmul(powers[:, None, bins], filters, out=block[:, None, mels])
                else:
                    product_into(block[:, mels], powers[:, bins], filters)
        self._scratches.give_back(scratch)
        energies += self.floor
        logs: Float64 = np.log(energies, out=energies)
        return logs

    @once
    def _window(self) -> Float64:
        """Periodic Hann of one frame."""
        window: Float64 = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.frame) / self.frame)
        return window

    @once
    def _filters(self) -> tuple[int, int, Float64]:
        """First and last bin that any filter reads, and the filters over those bins, (bins, mels)."""
        filters = mel_filters(self.sample_rate, self.fft, self.mels, self.fmin, self.fmax)
        used = np.flatnonzero(filters.any(axis=0))
        first, last = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 1)
        return first, last, np.ascontiguousarray(filters[:, first:last].T)

    @once
    def _bands(self) -> list[tuple[slice, slice, Float64]]:
        """The filters BAND at a time: the bins that these read, which mels they are, and those filters (bins, mels).

        The zeros of a triangular filter are most of it. Adding none of them changes no sum.
        """
        filters, bands = self._filters[2], []
        for at in range(0, self.mels, BAND):
            some = filters[:, at : at + BAND]
            read = np.flatnonzero(some.any(axis=1)) if some.any() else np.zeros(1, int)
            bins = slice(int(read[0]) // UNROLLED * UNROLLED, -(-int(read[-1] + 1) // UNROLLED) * UNROLLED)
            bands.append((bins, slice(at, at + some.shape[1]), np.ascontiguousarray(some[bins])))
        return bands

    @once
    def _scratches(self) -> Scratches:
        first, last, _ = self._filters
        return Scratches(self.fft, last - first)
