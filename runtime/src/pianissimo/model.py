"""A loaded model: raw audio in, a label and its scores out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import audio as audio_checks
from . import golden
from .backends import Session
from .backends.shapes import matches, worded
from .decode import READINGS, Heard, Prediction
from .errors import (
    AudioError,
    BackendFailedError,
    EnrolmentError,
    FrontEndError,
    PianissimoError,
    VerificationError,
)
from .frontend import FrontEnd
from .info import Fallback, describe
from .manifest import File, Manifest, Variant

Float32 = NDArray[np.float32]
M = TypeVar("M", bound="Model")  # typing.Self is younger than Python 3.10
BATCH = 32  # clips handed to a backend at once, which bounds its memory


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
        self._reading = READINGS[manifest.task]
        self._free = None in front.shape
        self.info = describe(manifest, platform, variant, front, fallbacks)

    def predict(self, audio: ArrayLike, sample_rate: int) -> Prediction:
        """What one clip says, given as `audio.prepare` takes it; raises AudioError, BackendFailedError, EnrolmentError.

        A clip longer than the front end's window, if it has one, is cut about its centre and the rest is not heard:
        a word and then two seconds of silence are answered as silence. Cut longer audio yourself.
        """
        started = perf_counter()
        clip = self._mono(audio, sample_rate)
        return self.read(self.run(self._front(clip)[None])[0], len(clip), started)

    def predict_batch(self, clips: Sequence[ArrayLike], sample_rate: int) -> list[Prediction]:
        """What several clips say; `milliseconds` is the batch's time divided by its clips."""
        if not len(clips):
            return []
        started = perf_counter()
        mono = [self._named(at, clip, sample_rate) for at, clip in enumerate(clips)]
        outputs = self.scores([self._front(clip) for clip in mono])
        return [self.read(output, len(clip), started, len(mono)) for output, clip in zip(outputs, mono, strict=True)]

    def embed(self, audio: ArrayLike, sample_rate: int) -> Float32:
        """The vector (dims,) of one clip, float32, which templates are made of and compared with.

        Raises AudioError, BackendFailedError, and EnrolmentError when the model's task is not verify.
        """
        if not self._reading.embeds:
            problem = f"{self.info.model} is a model of the task {self.info.task}"
            raise EnrolmentError(problem, "predict, or a model of the task verify")
        output: Float32 = self.run(self.features(audio, sample_rate))[0]
        return output

    def features(self, audio: ArrayLike, sample_rate: int) -> Float32:
        """What the network reads of one clip: float32 (1, ...), the front end's shape after the batch axis.

        A clip longer than the front end's window is cut about its centre, a shorter one is padded with zeros
        on both sides; the window is `seconds` in `info.frontend`. A front end with a free axis hears all of it.
        """
        return self._front(self._mono(audio, sample_rate))[None]

    @overload
    def scores(self, features: Float32) -> Float32: ...
    @overload
    def scores(self, features: Sequence[Float32]) -> list[Float32]: ...
    def scores(self, features: Float32 | Sequence[Float32]) -> Float32 | list[Float32]:
        """The network alone, float32 in and out.

        Where the front end's shape is fixed: outputs (n, ...) of features (n, ...). Where it has a free axis: a
        list of outputs, one a clip, of a sequence of features, one a clip, both without a batch axis. An output is
        (classes,) probabilities, (frames, classes) probabilities or a vector (dims,), as the task has it.
        """
        if self._free:
            return [self.run(self._one(at, clip)[None])[0] for at, clip in enumerate(features)]
        array = features if isinstance(features, np.ndarray) else self._stacked(features)
        if array.dtype != np.float32 or array.shape[1:] != self._front.shape or not len(array):
            allowed = f"float32 (n, {worded(self._front.shape)}), n at least 1"
            raise FrontEndError("features", f"{array.dtype} {array.shape}", allowed)
        return np.concatenate([self.run(array[at : at + BATCH]) for at in range(0, len(array), BATCH)])

    def run(self, features: Float32) -> Float32:
        """Outputs of at most BATCH clips, checked: a model never answers with NaN or with too few numbers."""
        session, name, file = self._session, self._variant.backend, self._variant.model_file.name
        if session is None:
            raise BackendFailedError(name, file, "the model was closed")
        try:
            outputs = session.run(features)
        except PianissimoError:
            raise
        except Exception as fault:  # a native library may raise anything
            raise BackendFailedError(name, file, f"{type(fault).__name__}: {fault}") from fault
        labels = len(self._manifest.labels)
        wanted = (len(features), *self._reading.shape(labels))
        if not matches(outputs.shape, wanted):
            problem = f"an output of shape {outputs.shape} for {labels} labels; allowed: ({worded(wanted)})"
            raise BackendFailedError(name, file, problem)
        if not np.isfinite(outputs).all():
            raise BackendFailedError(name, file, "scores that are NaN or infinite")
        return outputs

    def read(self, output: Float32, samples: int, started: float, clips: int = 1) -> Prediction:
        """What one clip's output says, as `predict` gives it.

        The clip had so many `samples` at the front end's rate; the time since `started` (perf_counter) is shared
        between `clips`.
        """
        answer = self._reading.answer(output, self._manifest.labels, self._variant.threshold, self._heard(samples))
        milliseconds = (perf_counter() - started) * 1e3 / clips
        return Prediction(
            answer.label, answer.score, answer.scores, self._variant.backend, milliseconds, answer.symbols
        )

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

    def _heard(self, samples: int) -> Heard:
        """A front end with a window hears that much of the clip, about its centre."""
        window = getattr(self._front, "samples", samples)
        rate = self._front.sample_rate
        return Heard((samples - window) / 2 / rate, window / rate)

    def _stacked(self, features: Sequence[Float32]) -> Float32:
        if not len(features):
            raise FrontEndError("features", "none", "those of at least one clip")
        return np.stack([self._one(at, clip) for at, clip in enumerate(features)])

    def _one(self, at: int, features: Float32) -> Float32:
        """One clip's features, checked."""
        array = np.asarray(features)
        if array.dtype != np.float32 or not matches(array.shape, self._front.shape):
            allowed = f"float32 ({worded(self._front.shape)})"
            raise FrontEndError(f"features of clip {at}", f"{array.dtype} {array.shape}", allowed)
        return array

    def _mono(self, audio: ArrayLike, sample_rate: int) -> Float32:
        return audio_checks.prepare(audio, sample_rate, self._front.sample_rate, self._manifest.max_seconds)

    def _named(self, at: int, clip: ArrayLike, sample_rate: int) -> Float32:
        try:
            return self._mono(clip, sample_rate)
        except AudioError as fault:
            raise AudioError(f"clip {at}: {fault.problem}", fault.allowed) from fault
