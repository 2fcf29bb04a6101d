"""One variant of a model, open: its front end, its network, and how its outputs are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import audio as audio_checks
from . import golden
from .backends import Session
from .backends.shapes import matches, worded
from .decode import READINGS, Prediction
from .errors import BackendFailedError, FrontEndError, PianissimoError, VerificationError
from .frontend import FrontEnd
from .info import Fallback, describe
from .manifest import File, Manifest, Variant

Float32 = NDArray[np.float32]
Run = Callable[[Float32], Float32]
BATCH = 32  # clips handed to a backend at once, which bounds its memory


class Engine:
    """A variant that answers, or fails; falling back to another is not its business. Safe in threads."""

    def __init__(
        self,
        manifest: Manifest,
        platform: str,
        variant: Variant,
        front: FrontEnd,
        session: Session,
        locate: Callable[[File], Path],
        fallbacks: tuple[Fallback, ...] = (),
    ) -> None:
        self.manifest, self.variant, self.front, self.session = manifest, variant, front, session
        self.info = describe(manifest, platform, variant, front, fallbacks)
        self._reading, self._locate = READINGS[manifest.task], locate
        self._clip_shape = self._reading.shape(len(manifest.labels))

    def run(self, features: Float32) -> Float32:
        """Outputs of at most BATCH clips, checked: a model never answers with NaN or with too few numbers."""
        try:
            outputs = self.session.run(features)
        except PianissimoError:
            raise
        except Exception as fault:  # a native library may raise anything
            raise self._failed(f"{type(fault).__name__}: {fault}") from fault
        wanted = (len(features), *self._clip_shape)
        if outputs.shape != wanted and not matches(outputs.shape, wanted):
            labels = len(self.manifest.labels)
            raise self._failed(f"an output of shape {outputs.shape} for {labels} labels; allowed: ({worded(wanted)})")
        # NaN and infinity are contagious: one product clears nearly every output in a quarter of the time.
        if not isfinite(np.vdot(outputs, outputs)) and not np.isfinite(outputs).all():
            raise self._failed("scores that are NaN or infinite")
        return outputs

    def read(self, output: Float32, samples: int, started: float, clips: int = 1) -> Prediction:
        """What one clip's output says.

        The clip had so many `samples` at the front end's rate; the time since `started` (perf_counter) is shared
        between `clips`.
        """
        variant, labels = self.variant, self.manifest.labels
        label, score, all_scores, symbols = self._reading.answer(
            output, labels, variant.threshold, samples, self._heard
        )
        milliseconds = (perf_counter() - started) * 1e3 / clips
        return Prediction(label, score, all_scores, variant.backend, milliseconds, symbols)

    def features(self, audio: ArrayLike, sample_rate: int) -> Float32:
        """What the network reads of one clip: float32 (1, ...)."""
        rate, longest = self.front.sample_rate, self.manifest.max_seconds
        return self.front(audio_checks.prepare(audio, sample_rate, rate, longest))[None]

    def scores(self, features: Sequence[Float32]) -> list[Float32]:
        """The network alone: an output a clip."""
        return list(scores(self.run, self.front.shape, features))

    def verify(self) -> golden.Verification:
        """Replay the golden vectors on this variant. Raises VerificationError, IntegrityError."""
        file = self.manifest.golden
        if file is None:
            raise VerificationError(self.info.model, "its manifest holds no golden vectors")
        return golden.verify(self, self._locate(file), file, self.variant.tolerance)

    def _failed(self, problem: str) -> BackendFailedError:
        return BackendFailedError(self.variant.backend, self.variant.model_file.name, problem)

    def _heard(self, samples: int) -> tuple[float, float]:
        """Of the clip, where it begins and how many seconds it takes: a front end's window lies about the centre."""
        window = getattr(self.front, "samples", samples)
        rate = self.front.sample_rate
        return (samples - window) / 2 / rate, window / rate


def scores(run: Run, shape: tuple[int | None, ...], features: Float32 | Sequence[Float32]) -> Float32 | list[Float32]:
    """Outputs of features of any number of clips, BATCH at a time, or one by one where `shape` has a free axis."""
    if None in shape:
        return [run(_one(at, clip, shape)[None])[0] for at, clip in enumerate(features)]
    array = features if isinstance(features, np.ndarray) else _stacked(features, shape)
    if array.dtype != np.float32 or array.shape[1:] != shape or not len(array):
        allowed = f"float32 (n, {worded(shape)}), n at least 1"
        raise FrontEndError("features", f"{array.dtype} {array.shape}", allowed)
    return np.concatenate([run(array[at : at + BATCH]) for at in range(0, len(array), BATCH)])


def _stacked(features: Sequence[Float32], shape: tuple[int | None, ...]) -> Float32:
    if not len(features):
        raise FrontEndError("features", "none", "those of at least one clip")
    return np.stack([_one(at, clip, shape) for at, clip in enumerate(features)])


def _one(at: int, features: Float32, shape: tuple[int | None, ...]) -> Float32:
    """One clip's features, checked."""
    array = np.asarray(features)
    if array.dtype != np.float32 or not matches(array.shape, shape):
        raise FrontEndError(f"features of clip {at}", f"{array.dtype} {array.shape}", f"float32 ({worded(shape)})")
    return array
