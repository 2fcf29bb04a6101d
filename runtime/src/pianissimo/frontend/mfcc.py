"""Mel-frequency cepstral coefficients of a short context of frames, each of which can be computed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .framing import fit_length
from .moments import moments
from .once import once
from .settings import LONGEST, Numbers, all_within, plain, within
from .spectrum import Float64, MelSpectrum

Float32 = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Mfcc(MelSpectrum):
    """MFCC: the orthonormal DCT-II of the natural log of mel energies, its first `coefficients`, normalised.

    Shape: audio (n,) -> (frames, coefficients); a clip is cut, or padded with zeros, about its centre to
    frame + (frames - 1) hop samples. `mean` and `deviation` are one number, or one a coefficient. Within 1e-4 of
    `librosa.feature.mfcc(S=log energies)` before the division by the deviation.
    """

    KIND: ClassVar[str] = "mfcc"

    frames: int
    coefficients: int
    mean: Numbers = 0.0
    deviation: Numbers = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be computed, naming what can."""
        super().__post_init__()
        within("coefficients", self.coefficients, 1, self.mels, "at most mels")
        most = 1 + max(0, int(LONGEST * self.sample_rate) - self.frame) // self.hop
        within("frames", self.frames, 1, most, f"at most {LONGEST:g} s")
        all_within("mean", self.mean, self.coefficients, -1e6, 1e6)
        all_within("deviation", self.deviation, self.coefficients, 1e-6, 1e6)

    @once
    def samples(self) -> int:
        """Samples a clip is cut or padded to."""
        return self.frame + (self.frames - 1) * self.hop

    @once
    def spec(self) -> dict[str, Any]:
        """All settings, with the kind."""
        return {"kind": self.KIND, **plain(asdict(self))}

    @once
    def shape(self) -> tuple[int | None, ...]:
        """(frames, coefficients)."""
        return self.frames, self.coefficients

    def fitted(self, features: Sequence[Float32]) -> Mfcc:
        """The same, with mean and deviation a coefficient of training features (computed with mean 0, deviation 1)."""
        mean, deviation = moments(features, (0,))
        return replace(self, mean=tuple(mean.tolist()), deviation=tuple(deviation.tolist()))

    def one_frame(self, audio: Float32) -> Float32:
        """Coefficients (coefficients,) of the samples of one frame (frame,): exactly that frame's row of a clip."""
        row: Float32 = self._coefficients(audio)[0]
        return row

    def __call__(self, audio: Float32) -> Float32:
        """Features of a mono clip (n,) at `sample_rate`: float32 (frames, coefficients)."""
        return self._coefficients(fit_length(audio, self.samples))

    def _coefficients(self, audio: Float32) -> Float32:
        """Coefficients (frames, coefficients) of a signal (n,), each frame as if it were alone: a stream has only one."""
        matrix, shift, scale = self._projection
        rows: Float64 = (self.log_energies_apart(audio)[:, None] @ matrix)[:, 0]
        rows -= shift
        rows /= scale
        return rows.astype(np.float32)

    @once
    def _projection(self) -> tuple[Float64, Float64, Float64]:
        """DCT-II matrix (mels, coefficients) of orthonormal columns, mean and deviation (coefficients,)."""
        place = (np.arange(self.mels)[:, None] + 0.5) * np.arange(self.coefficients)
        matrix = np.sqrt(2.0 / self.mels) * np.cos(np.pi / self.mels * place)
        matrix[:, 0] /= np.sqrt(2.0)
        ones = np.ones(self.coefficients)
        return matrix, ones * self.mean, ones * self.deviation
