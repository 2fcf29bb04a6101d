"""Answer a stream: pieces of any length in, an answer every so often out, the same however the stream was cut."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import audio, frontend
from .decode import Prediction
from .errors import AudioError, TaskError
from .frames import FrameClassifier
from .resample import Resampler

if TYPE_CHECKING:
    from .model import Model

Float32 = NDArray[np.float32]
EVERY = 0.25  # seconds between answers about a window
LONGEST = 600.0  # seconds of a window, and between answers


class Stream(Protocol):
    """One stream on a model; streams may share the model, and one stream belongs to one thread at a time.

    `sample_rate` is what the stream has, in Hz; `every` and `window` are in seconds: the time between answers, and how
    much audio one is about.
    """

    sample_rate: int
    every: float
    window: float

    def feed(self, samples: ArrayLike) -> list[Prediction]:
        """The answers that samples (n,) complete, often none; floats in -1..1, or int16 or int32 PCM.

        Raises AudioError, and the piece is not kept; BackendFailedError.
        """

    def finish(self) -> list[Prediction]:
        """The answers to what is left when the stream ends. What is fed next is another stream."""

    def reset(self) -> None:
        """Forget the stream."""


def open_stream(
    model: Model, sample_rate: int | None = None, every: float | None = None, window: float | None = None
) -> Stream:
    """A stream as `Model.stream` describes it."""
    task = model.info.task
    if task not in KINDS:
        raise TaskError(model.info.model, task, "answer a stream", KINDS)
    rate = frontend.build(model.info.frontend).sample_rate
    return KINDS[task](model, rate if sample_rate is None else audio.check_rate(sample_rate), every, window)


class WindowStream:
    """Answers about the last `window` seconds, `every` so often: as `Model.predict` of these samples."""

    def __init__(self, model: Model, sample_rate: int, every: float | None, window: float | None) -> None:
        front = frontend.build(model.info.frontend)
        rate = front.sample_rate
        size = getattr(front, "samples", None) or _samples("window", window, rate, "the seconds an answer is about")
        framewise = FrameClassifier(model) if FrameClassifier.fits(model) else None
        usual = framewise.samples / rate if framewise else min(EVERY, size / rate)
        self._hop = _samples("every", usual if every is None else every, rate, "the seconds between answers")
        self.sample_rate, self.every, self.window = sample_rate, self._hop / rate, size / rate
        self._model, self._front, self._resampler = model, front, Resampler(sample_rate, rate)
        self._frames = framewise if framewise and self._hop % framewise.samples == 0 else None
        self._last = np.zeros(size, np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget the stream: what comes next follows silence."""
        self._resampler.reset()
        self._waiting = np.zeros(0, np.float32)
        self._last[:] = 0
        if self._frames is not None:
            self._frames.reset()

    def feed(self, samples: ArrayLike) -> list[Prediction]:
        """The answers that samples (n,) complete; see `Stream`."""
        started = perf_counter()
        answers = []
        self._waiting = np.append(self._waiting, self._resampler(audio.prepare_piece(samples)))
        while len(self._waiting) >= self._hop:
            block, self._waiting = self._waiting[: self._hop], self._waiting[self._hop :]
            answers.append(self._about(block, started))
            started = perf_counter()
        return answers

    def finish(self) -> list[Prediction]:
        """None: less than `every` is left, and the answer before it heard nearly all the same. Starts afresh."""
        self.reset()
        return []

    def _about(self, block: Float32, started: float) -> Prediction:
        """The answer when these samples were the last."""
        if self._frames is not None:
            *others, last = block.reshape(-1, self._frames.samples)
            for frame in others:
                self._frames.hear(frame)
            return self._frames.process_frame(last)
        kept = self._last[len(block) :]
        self._last = np.concatenate([kept, block])[-len(self._last) :]
        return self._model.answer(self._front(self._last)[None], len(self._last), started)


def _samples(name: str, seconds: float | None, rate: int, what: str) -> int:
    """Seconds as samples, at least one."""
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or not 1 / rate <= seconds <= LONGEST:  # type: ignore[operator]  # NaN is in no range
        raise AudioError(f"a stream with {name}={seconds}", f"{name}=SECONDS, {what}, up to {LONGEST:g}")
    return round(seconds * rate)  # type: ignore[operator]


def _transcript(model: Model, sample_rate: int, every: float | None, window: float | None) -> Stream:
    from .transcript import TranscriptStream

    return TranscriptStream(model, sample_rate, every, window)


KINDS: dict[str, Callable[[Model, int, float | None, float | None], Stream]] = {
    "classify": WindowStream,
    "transcribe": _transcript,
}
