"""Batches that carry what a teacher answers to them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from frameworks import FrameworkError, views
from frameworks.examples import Examples, Features
from frameworks.recipe import Augment
from frameworks.torch import objectives
from frameworks.torch.augment import epoch
from frameworks.torch.batches import Batch
from frameworks.torch.objectives import Answer
from frameworks.torch.predict import answers
from frameworks.torch.train import Epoch


def taught(examples: Examples, teacher: Any, recipe: Any, heard: Features | None) -> Epoch:
    """What gives one epoch of augmented batches after the other, each with the teacher's answer; `heard` is what the teacher
    takes where its front end is another."""
    return _Views(examples, teacher, recipe) if heard is None else _beforehand(examples, teacher, recipe, heard)


class _Views:
    """The teacher sees the very batch the student sees, augmented alike; after as many epochs as `views` keeps, they come
    again."""

    def __init__(self, examples: Examples, teacher: Any, recipe: Any) -> None:
        self.teacher, self.given = teacher.eval(), 0
        self.fresh = partial(epoch, examples.train, recipe)
        clips = examples.train.features
        size = clips.nbytes if isinstance(clips, np.ndarray) else sum(clip.nbytes for clip in clips)
        self.kept: list[list[Batch]] = [[] for _ in range(views.kept(recipe.epochs, size))]

    def __call__(self) -> Iterable[Batch]:
        """The next epoch."""
        at, self.given = self.given, self.given + 1
        if not self.kept:
            return self._answered(None)
        return self._answered(self.kept[at]) if at < len(self.kept) else self.kept[at % len(self.kept)]

    def _answered(self, into: list[Batch] | None) -> Iterator[Batch]:
        objective = objectives.of(self.teacher)
        for plain in self.fresh():
            with torch.no_grad():
                batch = replace(plain, told=objective.call(self.teacher, plain.features, plain.lengths))
            if into is not None:
                into.append(batch)
            yield batch


def _beforehand(examples: Examples, teacher: Any, recipe: Any, heard: Features) -> Epoch:
    """The teacher hears the clips through another front end, where augmentation of features has no twin: its answers do not
    change, and are computed once."""
    augment = getattr(recipe, "augment", Augment())
    single: dict[int, Tensor] = {}
    for rows, answer in answers(teacher, heard):
        lengths = [None] * len(rows) if answer.lengths is None else answer.lengths.tolist()
        for row, clip, length in zip(rows.tolist(), answer.logits, lengths, strict=True):
            single[row] = clip[:length]
    framewise = next(iter(single.values())).ndim == 2
    if framewise and augment.shift:
        raise FrameworkError(
            "augment shift would move a clip away from what its teacher, who hears another front end, answers frame by frame; "
            "allowed: 0"
        )

    def with_answers(batch: Batch) -> Batch:
        clips = [single[row] for row in batch.rows.tolist()]
        if not framewise:
            return replace(batch, told=Answer(torch.stack(clips)))
        were = [len(examples.train.features[row]) for row in batch.rows.tolist()]
        paced = [_paced(*each) for each in zip(clips, were, batch.lengths.tolist(), strict=True)]
        lengths = torch.tensor([len(clip) for clip in paced])
        return replace(batch, told=Answer(pad_sequence(paced, batch_first=True), lengths))

    return lambda: (with_answers(batch) for batch in epoch(examples.train, recipe))


def _paced(answer: Tensor, was: int, now: int) -> Tensor:
    """A teacher's frames (frames, classes + 1) at the pace of a clip that had `was` frames and was stretched to `now`; frames
    come again or fall out, as a mean of two would blur CTC's spikes."""
    if was == now:
        return answer
    frames = max(1, round(len(answer) * now / was))
    return answer[(torch.arange(frames) * was // now).clamp(max=len(answer) - 1)]
