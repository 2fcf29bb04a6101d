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
from frameworks.torch.predict import predict
from frameworks.torch.start import start
from frameworks.torch.teaching import taught
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
    told = fit_with_teacher(student, teacher, examples, recipe, name="distill taught", heard=heard)
    tried["with_teacher"] = (_score(student, examples), state(student))
    better = metrics.choose(examples.metric).better
    gained = better * (tried["with_teacher"][0] - tried["without_teacher"][0])
    kept = "with_teacher" if gained >= 0 else "without_teacher"
    student.load_state_dict(tried[kept][1])
    facts = begun | {name: score for name, (score, _) in tried.items()}
    return Outcome(student, {**facts, "points_gained": gained, "kept": kept}, [*alone, *told])


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

    def loss(answer: Answer, batch: Batch) -> Tensor:
        assert batch.told is not None, "`taught` gives batches that carry it"
        soft = objective.divergence(answer, batch.told, warmth)
        return share * soft + (1 - share) * objective.loss(answer, batch.labels)

    batches = taught(examples, teacher, recipe, heard)
    return fit(student, examples, recipe, name=name, loss=loss, batches=batches, since=since, after_step=after_step)


def _score(network: Any, examples: Examples) -> float:
    held = examples.validation
    return metrics.choose(examples.metric, examples.labels).measure(held.labels, predict(network, held.features))
