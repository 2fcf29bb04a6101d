"""Classify a stream frame by frame: each frame's coefficients are computed once and kept for the context after it."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike

from . import frontend
from .audio import prepare_frame
from .decode import Prediction
from .errors import FrontEndError
from .frontend import Mfcc
from .model import Model


class FrameClassifier:
    """A model on a stream of frames; one a stream, as it keeps the stream's context. Streams may share the model.

    The model's front end is MFCC with `hop` equal to `frame`, so that frames do not overlap; raises FrontEndError
    for any other. `sample_rate` is what the stream must have, in Hz, and `samples` the length of one frame.
    """

    def __init__(self, model: Model) -> None:
        front = _streamed(model)
        self._model, self._front = model, front
        self.sample_rate, self.samples = front.sample_rate, front.frame
        self._silence = front.one_frame(np.zeros(front.frame, np.float32))
        # Every row is held twice, `frames` apart, so that the last `frames` of them always lie in one piece, in order.
        self._rows = np.empty((2 * front.frames, front.coefficients), np.float32)
        self.reset()

    @staticmethod
    def fits(model: Model) -> bool:
        """Whether a model can be asked frame by frame."""
        try:
            _streamed(model)
        except FrontEndError:
            return False
        return True

    def reset(self) -> None:
        """Forget the stream: what comes next follows silence."""
        self._rows[:] = self._silence
        self._oldest = 0

    def process_frame(self, samples: ArrayLike) -> Prediction:
        """What the context that ends with this frame says, as `Model.predict` of those samples.

        `samples` are one frame (samples,), floats in -1..1 or int16 or int32 PCM, at `sample_rate`. Before the stream
        is as long as the context, silence stands in front. `milliseconds` is all of it, front end included. Raises
        AudioError, and the frame is not kept; BackendFailedError.
        """
        started = perf_counter()
        first = self.hear(samples)
        return self._model.answer(self._rows[first : first + self._front.frames][None], self._front.samples, started)

    def hear(self, samples: ArrayLike) -> int:
        """Take a frame into the context without asking the network; gives the row that its context begins at."""
        row = self._front.one_frame(prepare_frame(samples, self.samples))
        frames, at = self._front.frames, self._oldest
        self._rows[at] = self._rows[at + frames] = row
        self._oldest = (at + 1) % frames
        return self._oldest


def _streamed(model: Model) -> Mfcc:
    """The model's front end, or FrontEndError when it does not hear one frame at a time."""
    front = frontend.build(model.info.frontend)
    if not isinstance(front, Mfcc):
        raise FrontEndError("kind", front.spec["kind"], f"{Mfcc.KIND}, which can be computed frame by frame")
    if front.hop != front.frame:
        raise FrontEndError("hop", front.hop, f"{front.frame}, the frame: frames of a stream do not overlap")
    return front
