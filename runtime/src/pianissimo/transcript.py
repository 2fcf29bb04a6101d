"""Transcribe a stream in overlapping windows, whose inner frames, joined, spell what the whole clip would (CTC)."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import audio, frontend, metrics
from .decode import Prediction, Symbol
from .errors import AudioError
from .resample import Resampler

if TYPE_CHECKING:
    from .model import Model

Float32 = NDArray[np.float32]
EVERY, CONTEXT = 2.0, 0.75  # seconds; the context covers what 30 frames of 20 ms to either side can change
SHORTEST = audio.MINIMUM_SAMPLES


class TranscriptStream:
    """What was said, `every` so often: the symbols that ended since the answer before, timed from the stream's beginning.

    An answer comes `every` and a context after what it is about; a network that hears no further than the context gives
    the symbols it gives for the whole clip. `window` is what one answer is computed of, `every` and a context each side.
    """

    def __init__(self, model: Model, sample_rate: int, every: float | None, window: float | None) -> None:
        front = frontend.build(model.info.frontend)
        every = EVERY if every is None else every
        window = every + 2 * CONTEXT if window is None else window
        if not 0.1 <= every < window <= model.info.max_seconds:
            allowed = f"0.1 <= every < window <= {model.info.max_seconds:g} seconds"
            raise AudioError(f"a stream with every={every:g}, window={window:g}", allowed)
        self._model, self._front = model, front
        self._resampler = Resampler(sample_rate, front.sample_rate)
        self._step = step = _samples_a_frame(model, front)
        # Whole frames each, so that a frame falls on the same samples in whichever window it is computed.
        self._hop = max(1, round(every * front.sample_rate / step)) * step
        self._context = max(1, round((window - every) / 2 * front.sample_rate / step)) * step
        self.sample_rate, self.every = sample_rate, self._hop / front.sample_rate
        self.window = (self._hop + 2 * self._context) / front.sample_rate
        self._spelling = Spelling(model.info.labels, step / front.sample_rate)
        if len(self._heard(np.zeros(self._hop + self._context, np.float32))) < self._hop // step:
            problem = f"a stream with every={every:g}, window={window:g}"
            raise AudioError(problem, f"a window that is longer by more than {2 * step / front.sample_rate:g} s")
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._resampler.reset()
        self._spelling.reset()
        self._held = np.zeros(0, np.float32)  # from the left context on, of which a stream's beginning has none
        self._before = 0  # samples of left context held

    def feed(self, samples: ArrayLike) -> list[Prediction]:
        """The answers that samples (n,) complete; see `Stream`."""
        started = perf_counter()
        answers = []
        self._held = np.append(self._held, self._resampler(audio.prepare_piece(samples)))
        while len(self._held) >= (window := self._before + self._hop + self._context):
            first = self._before // self._step
            rows = self._heard(self._held[:window])[first : first + self._hop // self._step]
            answers.append(self._told(self._spelling.read(rows), started))
            after = max(0, self._before + self._hop - self._context)
            self._before, self._held = self._before + self._hop - after, self._held[after:]
            started = perf_counter()
        return answers

    def finish(self) -> list[Prediction]:
        """The answer to what is left, and the symbol that had not ended. Starts afresh."""
        started = perf_counter()
        self._held = np.append(self._held, self._resampler.finish())
        symbols: list[Symbol] = []
        left = len(self._held) - self._before
        if left and len(self._held) >= SHORTEST:
            symbols = self._spelling.read(self._heard(self._held)[self._before // self._step :])
        symbols += self._spelling.close()
        self.reset()
        return [self._told(symbols, started)] if left else []

    def _heard(self, samples: Float32) -> Float32:
        """Probabilities (frames, classes) of a window."""
        outputs: Float32 = self._model.run(self._front(samples)[None])[0]
        return outputs

    def _told(self, symbols: list[Symbol], started: float) -> Prediction:
        backend, spent = self._model.info.backend, perf_counter() - started
        metrics.PROCESS.answered(backend, self._model.info.model, spent)
        score = sum(symbol.score for symbol in symbols) / len(symbols) if symbols else 0.0
        return Prediction(" ".join(symbol.label for symbol in symbols), score, {}, backend, spent * 1e3, tuple(symbols))


class Spelling:
    """Symbols of probabilities that come a few frames at a time: best path, repeats merged, blanks dropped."""

    def __init__(self, labels: tuple[str, ...], period: float) -> None:
        self._labels, self._period = labels, period
        self.reset()

    def reset(self) -> None:
        """Nothing was heard."""
        self._frame = self._start = 0
        self._label, self._score = len(self._labels), 0.0  # the blank

    def read(self, rows: Float32) -> list[Symbol]:
        """The symbols that end in the next frames (frames, classes), of which the last class is the blank."""
        ended: list[Symbol] = []
        for label, score in zip(rows.argmax(axis=1).tolist(), rows.max(axis=1).tolist(), strict=True):
            if label != self._label:
                ended += self.close()
                self._label, self._start, self._score = label, self._frame, score
            self._score = max(self._score, score)
            self._frame += 1
        return ended

    def close(self) -> list[Symbol]:
        """The symbol that is being heard, if any, as if it ended here."""
        label, start = self._label, self._start
        self._label = len(self._labels)
        if label == len(self._labels):
            return []
        return [Symbol(self._labels[label], self._score, start * self._period, self._frame * self._period)]


def _samples_a_frame(model: Model, front: frontend.FrontEnd) -> int:
    """Samples from one frame of the network's output to the next, from how many more a longer clip has."""
    longer = front.sample_rate  # a second more; frames are some milliseconds, and a whole number of the front end's
    short, long = (len(model.run(front(np.zeros(size, np.float32))[None])[0]) for size in (longer, 2 * longer))
    unit = getattr(front, "hop", 1)
    if long == short:
        raise AudioError(
            f"a stream on {model.info.model}, whose output does not grow with the clip", "predict, clip by clip"
        )
    return max(1, round(longer / (long - short) / unit)) * int(unit)
