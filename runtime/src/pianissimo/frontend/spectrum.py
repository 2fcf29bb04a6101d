"""Natural log of mel energies, which log-mel and MFCC front ends share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..audio import HIGHEST_RATE, LOWEST_RATE
from .mel import mel_filters
from .once import once
from .settings import within

Float64 = NDArray[np.float64]
LARGEST_FFT = 32_768


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

    def log_energies(self, frames: Float64) -> Float64:
        """Log mel energies (frames, mels) of frames (frames, fft), of which the first `frame` samples are heard."""
        first, last, filters = self._filters
        bins = np.fft.rfft(frames * self._window)[:, first:last]
        energies = (bins.real**2 + bins.imag**2) @ filters
        energies += self.floor
        logs: Float64 = np.log(energies, out=energies)
        return logs

    @once
    def _window(self) -> Float64:
        """Periodic Hann of one frame, then zeros up to fft; where the zeros stand changes no power."""
        window = np.zeros(self.fft)
        window[: self.frame] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.frame) / self.frame)
        return window

    @once
    def _filters(self) -> tuple[int, int, Float64]:
        """First and last bin that any filter reads, and the filters over those bins, (bins, mels)."""
        filters = mel_filters(self.sample_rate, self.fft, self.mels, self.fmin, self.fmax)
        used = np.flatnonzero(filters.any(axis=0))
        first, last = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 1)
        return first, last, np.ascontiguousarray(filters[:, first:last].T)
