"""Turn a clip into what a network reads; training and serving both call this, so they cannot drift apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cached_property
from math import isfinite
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from .audio import HIGHEST_RATE, LOWEST_RATE
from .errors import FrontEndError
from .mel import mel_filters

Float32 = NDArray[np.float32]
LONGEST = 60.0  # seconds of audio in one feature array
LARGEST_FFT = 32_768


class FrontEnd(Protocol):
    """What every kind offers."""

    @property
    def spec(self) -> dict[str, Any]:
        """All settings, defaults filled in: `build(front.spec)` gives the same front end."""

    @property
    def sample_rate(self) -> int:
        """Hz."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one clip's features, without the batch axis."""

    def __call__(self, audio: Float32) -> Float32:
        """Features of a mono clip (n,) at `sample_rate`, float32 of `shape`."""


@dataclass(frozen=True)
class LogMel:
    """Natural log of mel energies (librosa's Slaney filters), normalised; frames are not centred.

    Shape: audio (n,) -> (frames, mels), frames = 1 + (round(seconds sample_rate) - frame) // hop.
    `frame`, `hop` and `fft` are in samples, `fmin` and `fmax` in Hz. Within 1e-4 of librosa.
    """

    sample_rate: int
    seconds: float
    frame: int
    hop: int
    fft: int
    mels: int
    fmin: float
    fmax: float
    floor: float = 1e-6
    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be computed, naming what can."""
        _within("sample_rate", self.sample_rate, LOWEST_RATE, HIGHEST_RATE)
        _within("seconds", self.seconds, 1e-3, LONGEST)
        _within("fft", self.fft, 16, LARGEST_FFT)
        _within("frame", self.frame, 2, min(self.fft, self.samples), "at most fft and the whole clip")
        _within("hop", self.hop, 1, self.samples)
        _within("mels", self.mels, 1, self.fft // 2)
        _within("fmax", self.fmax, 1e-3, self.sample_rate / 2, "half the sample rate")
        _within("fmin", self.fmin, 0, float(np.nextafter(self.fmax, 0)), "below fmax")
        _within("floor", self.floor, 1e-30, 1.0)
        _within("mean", self.mean, -1e6, 1e6)
        _within("deviation", self.deviation, 1e-6, 1e6)

    @cached_property
    def samples(self) -> int:
        """Samples a clip is cut or padded to."""
        return round(self.seconds * self.sample_rate)

    @cached_property
    def spec(self) -> dict[str, Any]:
        """All settings, with the kind."""
        return {"kind": "log_mel", **asdict(self)}

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(frames, mels)."""
        return 1 + (self.samples - self.frame) // self.hop, self.mels

    @cached_property
    def _window(self) -> NDArray[np.float64]:
        """Periodic Hann of one frame, then zeros up to fft; where the zeros stand changes no power."""
        window = np.zeros(self.fft)
        window[: self.frame] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.frame) / self.frame)
        return window

    @cached_property
    def _filters(self) -> tuple[int, int, NDArray[np.float64]]:
        """First and last bin that any filter reads, and the filters over those bins, (bins, mels)."""
        filters = mel_filters(self.sample_rate, self.fft, self.mels, self.fmin, self.fmax)
        used = np.flatnonzero(filters.any(axis=0))
        first, last = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 1)
        return first, last, np.ascontiguousarray(filters[:, first:last].T)

    def __call__(self, audio: Float32) -> Float32:
        """Features of a mono clip (n,) at `sample_rate`: float32 (frames, mels)."""
        # Double precision: a float32 transform leaves errors of 1e-7 of the loudest bin in the quietest one.
        clip = np.zeros(self.samples + self.fft - self.frame)  # the last frame's zeros may lie beyond the clip
        clip[: self.samples] = fit_length(audio, self.samples)
        step = clip.itemsize
        # Overlapping rows without a copy; as_strided does the same and costs eight times as much.
        frames = np.ndarray((self.shape[0], self.fft), clip.dtype, clip.data, 0, (self.hop * step, step))
        first, last, filters = self._filters
        bins = np.fft.rfft(frames * self._window)[:, first:last]
        energies = (bins.real**2 + bins.imag**2) @ filters
        energies += self.floor
        np.log(energies, out=energies)
        energies -= self.mean
        energies /= self.deviation
        return energies.astype(np.float32)


# kind -> class. Another kind is one more class with the protocol's four names, and one row here.
KINDS: dict[str, type[LogMel]] = {"log_mel": LogMel}


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
    known = {field.name: field for field in fields(maker)}
    settings = {key: value for key, value in spec.items() if key != "kind"}
    for key in settings:
        if key not in known:
            raise FrontEndError("keys", key, ", ".join(known))
    for key, field in known.items():
        if key not in settings and field.default is MISSING:
            raise FrontEndError(key, "nothing", f"a value; {kind} takes {', '.join(known)}")
    return cast(FrontEnd, maker(**{key: CASTS[str(known[key].type)](key, value) for key, value in settings.items()}))


def fit_length(audio: Float32, samples: int) -> Float32:
    """Cut or zero-pad (n,) about its centre to (samples,)."""
    surplus = len(audio) - samples
    if surplus >= 0:
        return audio[surplus // 2 : surplus // 2 + samples]
    padded = np.zeros(samples, np.float32)
    padded[-surplus // 2 : -surplus // 2 + len(audio)] = audio
    return padded


def _whole(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise FrontEndError(key, repr(value), "a whole number")
    return int(value)


def _real(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)) or not isfinite(value):
        raise FrontEndError(key, repr(value), "a finite number")
    return float(value)


CASTS: dict[str, Callable[[str, object], Any]] = {"int": _whole, "float": _real}


def _within(key: str, value: float, low: float, high: float, why: str = "") -> None:
    if not low <= value <= high:
        raise FrontEndError(key, value, f"{low:g} to {high:g}" + (f" ({why})" if why else ""))
