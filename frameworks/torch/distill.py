"""Distillation (Hinton, Vinyals and Dean 2015), and the same student without its teacher beside it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from frameworks import Outcome, metrics
from frameworks.examples import Examples, Features
from frameworks.recipe import Distill
from frameworks.torch import objectives
from frameworks.torch.batches import Batch
from frameworks.torch.build import build
from frameworks.torch.objectives import Answer
from frameworks.torch.predict import answers, predict
from frameworks.torch.start import start
from frameworks.torch.train import fit, state
from models import Model


def distill(model: Model, teacher: Any, examples: Examples, recipe: Distill) -> Outcome:
    """Trains the student twice from the same first weights and the same dice, with and without the teacher, and keeps the
    better. A distillation that does not help is a finding, so the record shows both scores. Where `recipe.start` names a
    network, its weights are the first.
    """
    student = build(model, "student", examples, recipe.network)
    begun = start(student, model, recipe.start, "distill")
    first, dice = state(student), torch.get_rng_state()
    alone = fit(student, examples, recipe, name="distill alone")
    tried = {"without_teacher": (_score(student, examples), state(student))}
    student.load_state_dict(first)
    torch.set_rng_state(dice)
    heard = examples.train.heard
    taught = fit_with_teacher(student, teacher, examples, recipe, name="distill taught", heard=heard)
    tried["with_teacher"] = (_score(student, examples), state(student))
    better = metrics.choose(examples.metric).better
    gained = better * (tried["with_teacher"][0] - tried["without_teacher"][0])
    kept = "with_teacher" if gained >= 0 else "without_teacher"
    student.load_state_dict(tried[kept][1])
    facts = begun | {name: score for name, (score, _) in tried.items()}
    return Outcome(student, {**facts, "points_gained": gained, "kept": kept}, [*alone, *taught])


def fit_with_teacher(
    student: Module,
    teacher: Any,
    examples: Examples,
    recipe: Any,
    *,
    name: str,
    heard: Features | None = None,
    temperature: float | None = None,
    alpha: float | None = None,
    since: int = 0,
    after_step: Callable[[int], None] = lambda step: None,
) -> list[dict[str, Any]]:
    """Fits `student` to labels and `teacher` at once: alpha times its divergence, 1 - alpha times the labels' loss;
    temperature and alpha are the recipe's unless given. `heard` is what the teacher takes where its front end is another.
    """
    objective = objectives.choose(examples.task)
    share = recipe.alpha if alpha is None else alpha
    warmth = recipe.temperature if temperature is None else temperature
    told = _in_the_loop(teacher) if heard is None else _beforehand(teacher, heard)

    def loss(answer: Answer, batch: Batch) -> Tensor:
        soft = objective.divergence(answer, told(batch), warmth)
        return share * soft + (1 - share) * objective.loss(answer, batch.labels)

    return fit(student, examples, recipe, name=name, loss=loss, since=since, after_step=after_step)


def _in_the_loop(teacher: Any) -> Callable[[Batch], Answer]:
    """The teacher sees the very batch the student sees, augmented alike ("a good teacher is patient and consistent", Beyer
    et al. 2022), so its answer cannot be computed beforehand."""
    teacher.eval()
    objective = objectives.of(teacher)

    def told(batch: Batch) -> Answer:
        with torch.no_grad():
            return objective.call(teacher, batch.features, batch.lengths)

    return told


def _beforehand(teacher: Any, heard: Features) -> Callable[[Batch], Answer]:
    """The teacher hears the clips through another front end, where augmentation of features has no twin: its answers do not
    change, and are computed once."""
    single: dict[int, Tensor] = {}
    for rows, answer in answers(teacher, heard):
        lengths = [len(clip) for clip in answer.logits] if answer.lengths is None else answer.lengths.tolist()
        for row, clip, length in zip(rows.tolist(), answer.logits, lengths, strict=True):
            single[row] = clip if answer.lengths is None else clip[:length]

    def told(batch: Batch) -> Answer:
        clips = [single[row] for row in batch.rows.tolist()]
        if clips[0].ndim == 1:
            return Answer(torch.stack(clips))
        lengths = torch.tensor([len(clip) for clip in clips])
        return Answer(torch.nn.utils.rnn.pad_sequence(clips, batch_first=True), lengths)

    return told


def _score(network: Any, examples: Examples) -> float:
    held = examples.validation
    return metrics.choose(examples.metric, examples.labels).measure(held.labels, predict(network, held.features))
