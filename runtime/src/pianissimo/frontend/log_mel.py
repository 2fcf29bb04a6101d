"""Log-mel features: of a window of fixed length, or of a clip of any length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from .framing import fit_length, frame_count
from .moments import moments
from .once import once
from .settings import LONGEST, within
from .spectrum import MelSpectrum

Float32 = NDArray[np.float32]
L = TypeVar("L", bound="LogMelSequence")  # typing.Self is younger than Python 3.10


@dataclass(frozen=True, kw_only=True)
class LogMelSequence(MelSpectrum):
    """Natural log of mel energies (librosa's Slaney filters), normalised; frames are not centred.

    Shape: audio (n,) -> (frames, mels), frames = 1 + (n - frame) // hop; a clip shorter than one frame is padded
    with zeros at its end. `frame`, `hop` and `fft` are in samples, `fmin` and `fmax` in Hz. Within 1e-4 of librosa.
    """

    KIND: ClassVar[str] = "log_mel_sequence"

    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be computed, naming what can."""
        super().__post_init__()
        within("mean", self.mean, -1e6, 1e6)
        within("deviation", self.deviation, 1e-6, 1e6)

    @once
    def spec(self) -> dict[str, Any]:
        """All settings, with the kind."""
        return {"kind": self.KIND, **asdict(self)}

    @once
    def shape(self) -> tuple[int | None, ...]:
        """(frames, mels); the frames are None, as a clip may have any number."""
        return None, self.mels

    def fitted(self: L, features: Sequence[Float32]) -> L:
        """The same, with the mean and the deviation of training features (computed with mean 0, deviation 1)."""
        mean, deviation = moments(features, None)
        return replace(self, mean=float(mean), deviation=float(deviation))

    def __call__(self, audio: Float32) -> Float32:
        """Features of a mono clip (n,) at `sample_rate`: float32 (frames, mels)."""
        energies = self.log_energies(audio)
        energies -= self.mean
        energies /= self.deviation
        return energies.astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class LogMel(LogMelSequence):
    """Log-mel of a window of `seconds`: a clip is cut, or padded with zeros, about its centre.

    Shape: audio (n,) -> (frames, mels), frames = 1 + (round(seconds sample_rate) - frame) // hop.
    """

    KIND: ClassVar[str] = "log_mel"

    seconds: float

    def __post_init__(self) -> None:
        """Refuse what cannot be computed, naming what can."""
        within("seconds", self.seconds, 1e-3, LONGEST)
        super().__post_init__()
        within("frame", self.frame, 2, min(self.fft, self.samples), "at most fft and the whole clip")
        within("hop", self.hop, 1, self.samples)

    @once
    def samples(self) -> int:
        """Samples a clip is cut or padded to."""
        return round(self.seconds * self.sample_rate)

    @once
    def shape(self) -> tuple[int | None, ...]:
        """(frames, mels)."""
        return frame_count(self.samples, self.frame, self.hop), self.mels

    def __call__(self, audio: Float32) -> Float32:
        """Features of a mono clip (n,) at `sample_rate`: float32 (frames, mels)."""
        return super().__call__(fit_length(audio, self.samples))
