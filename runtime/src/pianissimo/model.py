"""A loaded model: raw audio in, a label and its scores out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import audio as audio_checks
from . import golden
from .backends import Session
from .errors import AudioError, BackendFailedError, FrontEndError, PianissimoError, VerificationError
from .frontend import FrontEnd
from .manifest import File, Manifest, Variant

Float32 = NDArray[np.float32]
M = TypeVar("M", bound="Model")  # typing.Self is younger than Python 3.10
BATCH = 32  # clips handed to a backend at once, which bounds its memory


@dataclass(frozen=True)
class Prediction:
    """An answer: the label, its score, every label's score, who computed it, and how long it took."""

    label: str
    score: float
    scores: dict[str, float]
    backend: str
    milliseconds: float


@dataclass(frozen=True)
class Fallback:
    """A preferred variant that could not be used, and why."""

    variant: str
    backend: str
    reason: str


@dataclass(frozen=True)
class Info:
    """What was loaded; `threshold` is on the second of two labels, `bytes` counts the variant's files."""

    model: str
    version: int | None
    created: str | None
    task: str
    labels: tuple[str, ...]
    platform: str
    variant: str
    backend: str
    precision: str
    threshold: float | None
    bytes: int
    files: tuple[File, ...]
    frontend: dict[str, Any]
    max_seconds: float
    figures: dict[str, Any]
    lineage: dict[str, Any]
    fallbacks: tuple[Fallback, ...]


class Model:
    """One variant of a model, open. Made by `load` and `open_folder`; may be used from many threads."""

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
        self._manifest, self._variant, self._front, self._locate = manifest, variant, front, locate
        self._session: Session | None = session
        self.info = _info(manifest, platform, variant, front, fallbacks)

    def predict(self, audio: ArrayLike, sample_rate: int) -> Prediction:
        """The label of one clip, given as `audio.prepare` takes it; raises AudioError, BackendFailedError.

        A clip longer than the front end's window is cut about its centre and the rest is not heard: a word and
        then two seconds of silence are answered as silence. Cut longer audio yourself.
        """
        started = perf_counter()
        scores = self._run(self.features(audio, sample_rate))[0]
        return self._prediction(scores, (perf_counter() - started) * 1e3)

    def predict_batch(self, clips: Sequence[ArrayLike], sample_rate: int) -> list[Prediction]:
        """The labels of several clips; `milliseconds` is the batch's time divided by its clips."""
        if not len(clips):
            return []
        started = perf_counter()
        scores = self.scores(np.concatenate([self._clip(at, clip, sample_rate) for at, clip in enumerate(clips)]))
        each = (perf_counter() - started) * 1e3 / len(clips)
        return [self._prediction(row, each) for row in scores]

    def features(self, audio: ArrayLike, sample_rate: int) -> Float32:
        """What the network reads of one clip: float32 (1, frames, mels).

        A clip longer than the front end's window is cut about its centre, a shorter one is padded with zeros
        on both sides; the window is `seconds` in `info.frontend`.
        """
        front = self._front
        clip = audio_checks.prepare(audio, sample_rate, front.sample_rate, self._manifest.max_seconds)
        return front(clip)[None]

    def scores(self, features: Float32) -> Float32:
        """The network alone: probabilities (n, classes) of float32 features (n, frames, mels)."""
        array = np.asarray(features)
        if array.dtype != np.float32 or array.shape[1:] != self._front.shape or not len(array):
            allowed = f"float32 (n, {', '.join(map(str, self._front.shape))}), n at least 1"
            raise FrontEndError("features", f"{array.dtype} {array.shape}", allowed)
        return np.concatenate([self._run(array[at : at + BATCH]) for at in range(0, len(array), BATCH)])

    def verify(self) -> golden.Verification:
        """Replay the golden vectors. Raises VerificationError with the distances, IntegrityError."""
        if self._manifest.golden is None:
            raise VerificationError(self.info.model, "its manifest holds no golden vectors")
        return golden.verify(self, self._locate(self._manifest.golden), self._manifest.golden, self._variant.tolerance)

    def close(self) -> None:
        """Let the network's memory go; the model answers no more. Closing twice is allowed."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def __enter__(self: M) -> M:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _clip(self, at: int, clip: ArrayLike, sample_rate: int) -> Float32:
        try:
            return self.features(clip, sample_rate)
        except AudioError as fault:
            raise AudioError(f"clip {at}: {fault.problem}", fault.allowed) from fault

    def _run(self, features: Float32) -> Float32:
        """Scores of at most BATCH clips, checked: a model never answers with NaN or with too few numbers."""
        session, name, file = self._session, self._variant.backend, self._variant.model_file.name
        if session is None:
            raise BackendFailedError(name, file, "the model was closed")
        try:
            scores = session.run(features)
        except PianissimoError:
            raise
        except Exception as fault:  # a native library may raise anything
            raise BackendFailedError(name, file, f"{type(fault).__name__}: {fault}") from fault
        if scores.shape != (len(features), len(self._manifest.labels)):
            raise BackendFailedError(name, file, f"scores {scores.shape} for {len(self._manifest.labels)} labels")
        if not np.isfinite(scores).all():
            raise BackendFailedError(name, file, "scores that are NaN or infinite")
        return scores

    def _prediction(self, scores: Float32, milliseconds: float) -> Prediction:
        labels, values, threshold = self._manifest.labels, scores.tolist(), self._variant.threshold
        best = int(scores.argmax()) if threshold is None else int(values[1] >= threshold)
        return Prediction(
            labels[best], values[best], dict(zip(labels, values, strict=True)), self._variant.backend, milliseconds
        )


def _info(
    manifest: Manifest, platform: str, variant: Variant, front: FrontEnd, fallbacks: tuple[Fallback, ...]
) -> Info:
    return Info(
        model=manifest.model,
        version=manifest.version,
        created=manifest.created,
        task=manifest.task,
        labels=manifest.labels,
        platform=platform,
        variant=variant.name,
        backend=variant.backend,
        precision=variant.precision,
        threshold=variant.threshold,
        bytes=sum(file.bytes for file in variant.files),
        files=variant.files,
        frontend=dict(front.spec),
        max_seconds=manifest.max_seconds,
        figures=manifest.platforms[platform].figures,
        lineage=manifest.lineage,
        fallbacks=fallbacks,
    )
