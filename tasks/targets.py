"""What a clip is to be answered with, by task: a label, a sequence of phonemes, or the one who speaks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from corpora import Clip, Corpus


@dataclass(frozen=True)
class Targets:
    """How a task reads a corpus: the labels a network answers with, and `encode(clips, labels)`, which makes Part's labels.

    `stratified` tells whether splits keep the shares of the labels and each holds them all. A task that asks who speaks
    may never hear a test speaker before, so `unseen_groups` sets an official split aside that lets groups cross.
    """

    labels: Callable[[Corpus], tuple[str, ...]]
    encode: Callable[[Sequence[Clip], tuple[str, ...]], np.ndarray]
    stratified: bool = False
    unseen_groups: bool = False

    def for_splitting(self, corpus: Corpus) -> Corpus:
        """The corpus as `corpora.split` should see it: with one label where labels play no part in it."""
        clips = corpus.clips
        if self.unseen_groups and _groups_cross(clips):
            clips = tuple(replace(clip, split=None) for clip in clips)
        if not self.stratified:
            clips = tuple(replace(clip, label="clip") for clip in clips)
        return replace(corpus, clips=clips, labels=tuple(sorted({clip.label for clip in clips})))


def _groups_cross(clips: Sequence[Clip]) -> bool:
    """Whether the corpus's own split has a group in two parts."""
    return len({(clip.group, clip.split) for clip in clips}) > len({clip.group for clip in clips})


def _classes(clips: Sequence[Clip], labels: tuple[str, ...]) -> np.ndarray:
    place = {label: index for index, label in enumerate(labels)}
    return np.array([place[clip.label] for clip in clips], np.int64)


def _symbols(corpus: Corpus) -> tuple[str, ...]:
    return tuple(sorted({symbol for clip in corpus.clips for symbol in clip.label.split()}))


def _sequences(clips: Sequence[Clip], labels: tuple[str, ...]) -> np.ndarray:
    """(n, longest), padded with -1."""
    place = {label: index for index, label in enumerate(labels)}
    rows = [[place[symbol] for symbol in clip.label.split()] for clip in clips]
    padded = np.full((len(rows), max(map(len, rows))), -1, np.int64)
    for line, row in zip(padded, rows, strict=True):
        line[: len(row)] = row
    return padded


def _speakers(clips: Sequence[Clip], _labels: tuple[str, ...]) -> np.ndarray:
    place = {group: index for index, group in enumerate(sorted({clip.group for clip in clips}))}
    return np.array([place[clip.group] for clip in clips], np.int64)


TARGETS = {
    "classify": Targets(lambda corpus: corpus.labels, _classes, stratified=True),
    "transcribe": Targets(_symbols, _sequences),
    "verify": Targets(lambda corpus: (), _speakers, unseen_groups=True),
}
