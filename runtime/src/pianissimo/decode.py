"""What a network's output says, by task: a label, a sequence of labels (CTC), or a vector for an enrolled template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .errors import EnrolmentError

Float32 = NDArray[np.float32]
Labels = tuple[str, ...]
Shape = tuple[int | None, ...]  # of one clip's output; None is an axis of any length


@dataclass(frozen=True)
class Symbol:
    """One label of a sequence: its score, and where it was heard, in seconds from the clip's beginning."""

    label: str
    score: float
    start: float
    end: float


@dataclass(frozen=True, init=False)
class Prediction:
    """An answer: the label, its score, every label's score, who computed it, how long it took; symbols of a sequence.

    For the task transcribe `label` is the sequence joined by spaces, `score` the mean of its symbols', `scores` empty.
    """

    label: str
    score: float
    scores: dict[str, float]
    backend: str
    milliseconds: float
    symbols: tuple[Symbol, ...] = ()

    def __init__(
        self,
        label: str,
        score: float,
        scores: dict[str, float],
        backend: str,
        milliseconds: float,
        symbols: tuple[Symbol, ...] = (),
    ) -> None:
        # All at once: a frozen dataclass's own way, field by field, takes twice as long, with every answer.
        self.__dict__.update(
            label=label, score=score, scores=scores, backend=backend, milliseconds=milliseconds, symbols=symbols
        )

    @property
    def confidence(self) -> float:
        """The score, as those call it who work with streams."""
        return self.score


# Of a clip of so many samples, the stretch that the features cover, in seconds: where it begins, and its length.
Heard = Callable[[int], tuple[float, float]]
# What one output says, before it is known who computed it: label, score, scores and symbols of a Prediction.
Answer = tuple[str, float, dict[str, float], tuple[Symbol, ...]]


@dataclass(frozen=True)
class Reading:
    """How a task's outputs are read: one clip's shape for so many labels, what it says, and whether it is a vector."""

    shape: Callable[[int], Shape]
    answer: Callable[[Float32, Labels, float | None, int, Heard], Answer]
    embeds: bool = False


def greedy(outputs: Float32) -> tuple[int, ...]:
    """Label indices that probabilities (frames, classes) spell by CTC; the last class is the blank.

    The best class of each frame, repeats merged, blanks dropped (Graves et al. 2006, best path decoding).
    """
    return tuple(label for label, _, _ in _runs(outputs))


def _runs(outputs: Float32) -> list[tuple[int, int, int]]:
    """(label, first frame, frame after the last) of every run of one label, blanks left out."""
    best = outputs.argmax(axis=-1)
    edges = np.flatnonzero(np.diff(best, prepend=-1, append=-1)).tolist()
    blank = outputs.shape[-1] - 1
    return [(int(best[start]), start, end) for start, end in pairwise(edges) if best[start] != blank]


def _classify(
    output: Float32,
    labels: Labels,
    threshold: float | None,
    samples: int,  # noqa: ARG001
    heard: Heard,  # noqa: ARG001
) -> Answer:
    values: list[float] = output.tolist()
    best = values.index(max(values)) if threshold is None else int(values[1] >= threshold)
    return labels[best], values[best], dict(zip(labels, values, strict=True)), ()


def _transcribe(
    output: Float32,
    labels: Labels,
    threshold: float | None,  # noqa: ARG001
    samples: int,
    heard: Heard,
) -> Answer:
    first, seconds = heard(samples)
    period = seconds / len(output)
    symbols = tuple(
        Symbol(labels[label], float(output[start:end, label].max()), first + start * period, first + end * period)
        for label, start, end in _runs(output)
    )
    score = sum(symbol.score for symbol in symbols) / len(symbols) if symbols else 0.0
    return " ".join(symbol.label for symbol in symbols), score, {}, symbols


def _verify(*_: object) -> Answer:
    raise EnrolmentError("nobody is enrolled in a model by itself", "enrol somebody first, from what Model.embed gives")


READINGS = {
    "classify": Reading(lambda labels: (labels,), _classify),
    "transcribe": Reading(lambda labels: (None, labels + 1), _transcribe),
    "verify": Reading(lambda labels: (None,), _verify, embeds=True),
}
