"""A loaded model: raw audio in, a label and its scores out."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import audio as audio_checks
from . import golden, metrics
from .decode import READINGS, Prediction
from .engine import Engine, scores
from .errors import AudioError, EnrolmentError
from .fallback import FAULTS, Variants
from .info import Info

if TYPE_CHECKING:
    from .stream import Stream

Float32 = NDArray[np.float32]
M = TypeVar("M", bound="Model")  # typing.Self is younger than Python 3.10


class Model:
    """A model, open: the variant that answers, and those it falls back to. Made by `load` and `open_folder`.

    May be used from many threads and in forked workers. What it answers is counted in `pianissimo.metrics`.
    """

    def __init__(self, variants: Variants) -> None:
        self._variants, self._manifest, self._front = variants, variants.manifest, variants.front
        self._embeds = READINGS[self._manifest.task].embeds

    @property
    def info(self) -> Info:
        """What was loaded, and what was passed over so far."""
        return self._variants.last.info

    @property
    def moves(self) -> int:
        """How many variants were passed over so far: what was answered before a move is not this model's answer now."""
        return self._variants.moves

    def predict(self, audio: ArrayLike, sample_rate: int) -> Prediction:
        """What one clip says, given as `audio.prepare` takes it; raises AudioError, BackendFailedError, EnrolmentError.

        A clip longer than the front end's window, if it has one, is cut about its centre and the rest is not heard:
        a word and then two seconds of silence are answered as silence. Cut longer audio yourself.
        """
        started = perf_counter()
        clip = self._mono(audio, sample_rate)
        return self.answer(self._front(clip)[None], len(clip), started)

    def predict_batch(self, clips: Sequence[ArrayLike], sample_rate: int) -> list[Prediction]:
        """What several clips say; `milliseconds` is the batch's time divided by its clips."""
        if not len(clips):
            return []
        started = perf_counter()
        mono = [self._named(at, clip, sample_rate) for at, clip in enumerate(clips)]
        engines: list[Engine] = []  # a variant may fail half-way, and each output is read as its own has it

        def run(features: Float32) -> Float32:
            outputs, engine = self._asked(features)
            engines.extend([engine] * len(features))
            return outputs

        outputs = scores(run, self._front.shape, [self._front(clip) for clip in mono])
        answers = [
            engine.read(output, len(clip), started, len(mono))
            for engine, output, clip in zip(engines, outputs, mono, strict=True)
        ]
        last = answers[-1]
        metrics.PROCESS.answered(last.backend, self._manifest.model, last.milliseconds / 1e3, len(mono))
        return answers

    def answer(self, features: Float32, samples: int, started: float) -> Prediction:
        """What features (1, ...) of a clip of so many samples at the front end's rate say.

        `milliseconds` count from `started`, a perf_counter. Raises BackendFailedError, EnrolmentError.
        """
        outputs, engine = self._asked(features)
        said = engine.read(outputs[0], samples, started)
        metrics.PROCESS.answered(said.backend, self._manifest.model, said.milliseconds / 1e3)
        return said

    def stream(self, sample_rate: int | None = None, every: float | None = None, window: float | None = None) -> Stream:
        """A stream on this model: `feed` it pieces of any length, of which an answer comes `every` so many seconds.

        `sample_rate` is the stream's, in Hz; by default the front end's. An answer is about the last `window` seconds,
        which a front end of a fixed length sets itself; of the task transcribe it has what was said since the answer
        before. By default a frame's length or 0.25 s, and 2 s to transcribe. Raises AudioError, TaskError.
        """
        from .stream import open_stream

        return open_stream(self, sample_rate, every, window)

    def embed(self, audio: ArrayLike, sample_rate: int) -> Float32:
        """The vector (dims,) of one clip, float32, which templates are made of and compared with.

        Raises AudioError, BackendFailedError, and EnrolmentError when the model's task is not verify.
        """
        if not self._embeds:
            problem = f"{self.info.model} is a model of the task {self.info.task}"
            raise EnrolmentError(problem, "predict, or a model of the task verify")
        started = perf_counter()
        outputs, engine = self._asked(self.features(audio, sample_rate))
        metrics.PROCESS.answered(engine.variant.backend, self._manifest.model, perf_counter() - started)
        output: Float32 = outputs[0]
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
        return scores(self.run, self._front.shape, features)

    def run(self, features: Float32) -> Float32:
        """Outputs of at most BATCH clips, checked: a model never answers with NaN or with too few numbers."""
        return self._variants.run(features)[0]

    def verify(self) -> golden.Verification:
        """Replay the golden vectors. Raises VerificationError with the distances, IntegrityError.

        A variant that failed answers no more: the next one does, once it has verified, or nothing at all.
        """
        return self._variants.verify()

    def limit_sessions(self, size: int) -> None:
        """At most this many sessions at once, at least 1, where the backend needs several to answer threads at once."""
        self._variants.limit_sessions(size)

    def close(self) -> None:
        """Let the network's memory go; the model answers no more. Closing twice is allowed."""
        self._variants.close()

    def __enter__(self: M) -> M:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _asked(self, features: Float32) -> tuple[Float32, Engine]:
        """Outputs and the variant they are of; a failure is counted, on the last variant that was there to fail."""
        try:
            return self._variants.run(features)
        except FAULTS:
            backend = self._variants.last.variant.backend
            metrics.PROCESS.count("ml_inference_total", (backend, self._manifest.model, "failed"), len(features))
            raise

    def _mono(self, audio: ArrayLike, sample_rate: int) -> Float32:
        try:
            return audio_checks.prepare(audio, sample_rate, self._front.sample_rate, self._manifest.max_seconds)
        except AudioError:
            backend = self._variants.last.variant.backend
            metrics.PROCESS.count("ml_inference_total", (backend, self._manifest.model, "refused"))
            raise

    def _named(self, at: int, clip: ArrayLike, sample_rate: int) -> Float32:
        try:
            return self._mono(clip, sample_rate)
        except AudioError as fault:
            raise AudioError(f"clip {at}: {fault.problem}", fault.allowed) from fault
