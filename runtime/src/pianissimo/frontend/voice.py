"""What a voice sounds like, whatever it says: statistics over the frames in which somebody speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..products import product
from .framing import Signal, framed
from .once import once
from .settings import within
from .spectrum import Float64, MelSpectrum

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

LOUD = 95  # percentile of the frames' energy that is a clip's own level: one click does not move it
QUIETEST = 1e-20  # energy of a frame below which a clip has no level; 16-bit samples of one step have 1e-8
REACH = 2  # frames before and after, between which a coefficient's movement is measured
BLOCK = 256  # frames transformed at once, which bounds the memory of a long clip
OCTAVE = 0.03  # of the autocorrelation, that a lag twice as long must be better by (Boersma 1993 has 0.01)
OTHERS = 10  # numbers that are no coefficient's


@dataclass(frozen=True, kw_only=True)
class VoiceStatistics(MelSpectrum):
    """Statistics of MFCC, pitch and spectral balance over the active frames of a clip of any length.

    Shape: audio (n,) -> (5 coefficients + 10,), in this order: mean of MFCC 1.. over voiced frames, over unvoiced ones,
    over all active ones; their deviation; the deviation of their movement over four frames; then of log pitch (natural
    log of Hz) the median, the distance between quartiles, and the 10th and 90th percentile; the voiced share; the mean
    periodicity of voiced frames; mean and deviation of the spectral centroid (0 at `fmin`, 1 at `fmax` on the mel
    scale) and of the log ratio of the upper to the lower half of the mel bands.

    A frame is active within `activity` dB of the clip's level, and voiced when its autocorrelation, divided by the
    window's (Boersma 1993), reaches `voicing` at a lag between `pitch_high` and `pitch_low` Hz. Energies are divided by
    the clip's level before `floor` is added, so the gain changes nothing. A clip without speech still gives finite
    numbers: of silence all frames count as active; without voiced frames the pitch is the middle of its range.
    """

    KIND: ClassVar[str] = "voice_statistics"

    coefficients: int
    activity: float = 40.0
    voicing: float = 0.5
    pitch_low: float = 70.0
    pitch_high: float = 400.0

    def __post_init__(self) -> None:
        """Refuse what cannot be computed, naming what can."""
        super().__post_init__()
        within("mels", self.mels, 2, self.fft // 2)
        within("coefficients", self.coefficients, 1, self.mels - 1, "below mels")
        within("activity", self.activity, 1, 200)
        within("voicing", self.voicing, 0.01, 0.99)
        within("pitch_high", self.pitch_high, 1, self.sample_rate / 4, "a quarter of the sample rate")
        within("pitch_low", self.pitch_low, 1, float(np.nextafter(self.pitch_high, 0)), "below pitch_high")
        within("frame", self.frame, self._longest + 1, self.fft, "longer than a period of pitch_low, at most fft")
        within("fft", self.fft, self.frame + self._longest, np.inf, "frame and a period of pitch_low")

    @once
    def spec(self) -> dict[str, Any]:
        """All settings, with the kind."""
        return {"kind": self.KIND, **asdict(self)}

    @once
    def shape(self) -> tuple[int | None, ...]:
        """(numbers,): the same for every clip."""
        return (5 * self.coefficients + OTHERS,)

    def fitted(self, features: Sequence[Float32]) -> VoiceStatistics:  # noqa: ARG002
        """Itself: the scaler is the first layer of the network that reads these numbers."""
        return self

    def __call__(self, audio: Float32) -> Float32:
        """Statistics of a mono clip (n,) at `sample_rate`: float32 (5 coefficients + 10,)."""
        frames = framed(audio, self.frame, self.hop)
        blocks = [self._measured(frames[at : at + BLOCK]) for at in range(0, len(frames), BLOCK)]
        energies, power, periodicity, pitch = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        level = max(float(np.percentile(power, LOUD)), QUIETEST)
        active = power > level * 10 ** (-self.activity / 10)
        if not active.any():
            active[:] = True
        energies = energies / level + self.floor
        voiced = active & (periodicity > self.voicing)
        numbers = [
            *self._timbre(product(np.log(energies), self._cosines), active, voiced),
            *self._voice(np.log(pitch[voiced]), voiced.sum() / active.sum(), periodicity[voiced]),
            *_balance(energies[active]),
        ]
        return np.concatenate([np.atleast_1d(part) for part in numbers]).astype(np.float32)

    def _measured(self, frames: Signal) -> tuple[Float64, Float64, Float64, Float64]:
        """Mel energies (frames, mels), energy, periodicity and pitch in Hz (frames,) of frames (frames, frame)."""
        first, last, filters = self._filters
        bins = np.fft.rfft(frames * self._window, self.fft)
        power = bins.real**2 + bins.imag**2
        correlation = np.fft.irfft(power)[:, : self._longest + 1]
        whole = correlation[:, 0]
        likeness = correlation[:, self._shortest :] / np.maximum(whole, QUIETEST)[:, None] / self._window_correlation
        best = (likeness - self._cost).argmax(axis=1)
        periodicity = likeness[np.arange(len(best)), best]
        return product(power[:, first:last], filters), whole, periodicity, self.sample_rate / (best + self._shortest)

    def _timbre(self, cepstra: Float64, active: Mask, voiced: Mask) -> list[Float64]:
        """Means, deviations and movement of coefficients (frames, coefficients)."""
        heard = cepstra[active]
        moved = (cepstra[2 * REACH :] - cepstra[: -2 * REACH])[active[REACH:-REACH]]
        return [
            _mean(cepstra[voiced], heard),
            _mean(cepstra[active & ~voiced], heard),
            heard.mean(axis=0),
            heard.std(axis=0),
            moved.std(axis=0) if len(moved) else np.zeros(self.coefficients),
        ]

    def _voice(self, pitch: Float64, share: float, periodicity: Float64) -> list[Float64]:
        """Percentiles of log pitch, the voiced share, and how periodic voiced frames are."""
        if not len(pitch):
            pitch, periodicity = np.log([self.pitch_low * self.pitch_high]) / 2, np.zeros(1)
        low, quarter, half, three, high = np.percentile(pitch, [10, 25, 50, 75, 90])
        return [half, three - quarter, low, high, np.float64(share), periodicity.mean()]

    @once
    def _cosines(self) -> Float64:
        """Orthonormal DCT-II (mels, coefficients) from coefficient 1 on: coefficient 0 is the gain."""
        place = (np.arange(self.mels)[:, None] + 0.5) * np.arange(1, self.coefficients + 1)
        cosines: Float64 = np.sqrt(2.0 / self.mels) * np.cos(np.pi / self.mels * place)
        return cosines

    @once
    def _window_correlation(self) -> Float64:
        """The window's own autocorrelation at the lags of pitch, 1 at lag 0."""
        spectrum = np.fft.rfft(self._window, self.fft)
        correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)
        lags: Float64 = correlation[self._shortest : self._longest + 1] / correlation[0]
        return lags

    @once
    def _cost(self) -> Float64:
        """What speaks against each lag of pitch: of a period and twice that period, the shorter one is meant."""
        cost: Float64 = OCTAVE * np.log2(np.arange(self._shortest, self._longest + 1) / self._shortest)
        return cost

    @property
    def _shortest(self) -> int:
        """Samples in a period of the highest pitch."""
        return int(self.sample_rate / self.pitch_high)

    @property
    def _longest(self) -> int:
        """Samples in a period of the lowest pitch."""
        return int(np.ceil(self.sample_rate / self.pitch_low))


def _mean(rows: Float64, otherwise: Float64) -> Float64:
    """Mean of the rows, or of the others when there are none."""
    mean: Float64 = (rows if len(rows) else otherwise).mean(axis=0)
    return mean


def _balance(energies: Float64) -> list[Float64]:
    """Mean and deviation of centroid and of upper to lower half of mel energies (frames, mels)."""
    mels = energies.shape[1]
    centroid = (energies * np.linspace(0, 1, mels)).sum(axis=1) / energies.sum(axis=1)
    ratio = np.log(energies[:, mels // 2 :].mean(axis=1) / energies[:, : mels // 2].mean(axis=1))
    return [centroid.mean(), centroid.std(), ratio.mean(), ratio.std()]
