"""Turn a clip into what a network reads; training and serving both call this, so they cannot drift apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import FrontEndError
from . import settings
from .framing import fit_length as fit_length
from .log_mel import LogMel as LogMel
from .log_mel import LogMelSequence as LogMelSequence
from .mfcc import Mfcc as Mfcc
from .voice import VoiceStatistics as VoiceStatistics
from .wave import Wave as Wave

Float32 = NDArray[np.float32]


class FrontEnd(Protocol):
    """What every kind offers."""

    @property
    def spec(self) -> dict[str, Any]:
        """All settings, defaults filled in: `build(front.spec)` gives the same front end."""

    @property
    def sample_rate(self) -> int:
        """Hz."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of one clip's features, without the batch axis; None is an axis that grows with the clip."""

    def fitted(self, features: Sequence[Float32]) -> FrontEnd:
        """The same front end with the mean and deviation of training features set.

        `features` holds one array of `shape` a clip, computed with mean 0 and deviation 1. Raises FrontEndError
        when there are none, or when they do not vary.
        """

    def __call__(self, audio: Float32) -> Float32:
        """Features of a mono clip (n,) at `sample_rate`, float32 of `shape`."""


# kind -> class. Another kind is one more dataclass with the protocol's five names, and one row here.
KINDS: dict[str, Callable[..., FrontEnd]] = {
    "log_mel": LogMel,
    "log_mel_sequence": LogMelSequence,
    "mfcc": Mfcc,
    "voice_statistics": VoiceStatistics,
    "wave": Wave,
}


def build(spec: Mapping[str, object]) -> FrontEnd:
    """The front end a manifest or a recipe describes.

    Raises FrontEndError for an unknown kind or key, a missing key, a wrong type or an impossible value.
    """
    if not isinstance(spec, Mapping):
        raise FrontEndError("spec", type(spec).__name__, "a mapping with kind and its settings")
    kind = spec.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise FrontEndError("kind", kind, ", ".join(KINDS))
    maker = KINDS[kind]
    return maker(**settings.cast(kind, cast(type[Any], maker), spec))
