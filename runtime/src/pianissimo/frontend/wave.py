"""The clip itself, for networks that read samples, such as wav2vec 2.0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..audio import HIGHEST_RATE, LOWEST_RATE
from .once import once
from .settings import within

Float32 = NDArray[np.float32]
STEADY = 1e-7  # added to the variance, as Hugging Face's Wav2Vec2FeatureExtractor does


@dataclass(frozen=True)
class Wave:
    """A clip brought to zero mean and unit variance. Shape: audio (n,) -> (n,).

    Within 1e-5 of Hugging Face's `Wav2Vec2FeatureExtractor` with `do_normalize=True`.
    """

    KIND: ClassVar[str] = "wave"

    sample_rate: int

    def __post_init__(self) -> None:
        """Refuse a rate outside of what audio may have."""
        within("sample_rate", self.sample_rate, LOWEST_RATE, HIGHEST_RATE)

    @once
    def spec(self) -> dict[str, Any]:
        """All settings, with the kind."""
        return {"kind": self.KIND, **asdict(self)}

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(samples,), None as a clip may have any number."""
        return (None,)

    def fitted(self, features: Sequence[Float32]) -> Wave:  # noqa: ARG002
        """Itself: every clip is normalised by its own mean and variance."""
        return self

    def __call__(self, audio: Float32) -> Float32:
        """The samples of a mono clip (n,) at `sample_rate`, normalised: float32 (n,)."""
        clip = audio.astype(np.float64)
        clip -= clip.mean()
        clip /= np.sqrt(clip.var() + STEADY)
        return clip.astype(np.float32)
