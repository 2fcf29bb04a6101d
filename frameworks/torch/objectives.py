"""What a task asks of a network: how it is called, what it loses against labels, how far it is from a teacher. One table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, functional

from frameworks import FrameworkError
from frameworks.torch import ctc


@dataclass(frozen=True)
class Answer:
    """`logits` (n, classes), or (n, frames, classes + 1) with `lengths` (n,), the frames that are no padding."""

    logits: Tensor
    lengths: Tensor | None = None


@dataclass(frozen=True)
class Objective:
    """One task.

    `call(network, features, lengths)` is its answer; `loss(answer, labels)` the mean over clips; `divergence(answer, teacher's
    answer, temperature)` the mean Kullback-Leibler divergence times temperature squared; `outputs(classes)` how many logits
    there must be; `best` what tells the best epoch on validation: the least "loss", or the "score".
    """

    call: Callable[[Module, Tensor, Tensor], Answer]
    loss: Callable[[Answer, Tensor], Tensor]
    divergence: Callable[[Answer, Answer, float], Tensor]
    outputs: Callable[[int], int]
    best: str


def choose(task: str) -> Objective:
    """The objective of that task. Raises FrameworkError that lists what there is."""
    if task not in OBJECTIVES:
        raise FrameworkError(f"torch has no task {task!r}; it has: {', '.join(OBJECTIVES)}")
    return OBJECTIVES[task]


def of(network: Any) -> Objective:
    """The objective of the task a network was built for."""
    return choose(network.spec["task"])


def probabilities(answer: Answer) -> Tensor:
    """The answer as what ships gives it."""
    return torch.softmax(answer.logits, dim=-1)


def _cross_entropy(answer: Answer, labels: Tensor) -> Tensor:
    return functional.cross_entropy(answer.logits, labels)


def _softened(answer: Answer, teacher: Answer, temperature: float) -> Tensor:
    """Hinton, Vinyals and Dean 2015: temperature squared keeps the gradient's size when the temperature changes."""
    student, wanted = (torch.log_softmax(each.logits / temperature, dim=-1) for each in (answer, teacher))
    return temperature**2 * functional.kl_div(student, wanted, reduction="batchmean", log_target=True)


def _frames(answer: Answer) -> tuple[Tensor, Tensor]:
    """(logits, lengths) of a network that answers frame by frame."""
    if answer.lengths is None:
        raise FrameworkError("a network of task transcribe answers (logits, lengths), not logits alone")
    return answer.logits, answer.lengths


OBJECTIVES: dict[str, Objective] = {
    "classify": Objective(
        lambda network, features, lengths: Answer(network(features)), _cross_entropy, _softened, lambda classes: classes,
        "loss",  # the score of a few hundred clips jumps by chance, and its best epoch is often luck
    ),
    "transcribe": Objective(
        lambda network, features, lengths: Answer(*network(features, lengths)),
        lambda answer, labels: ctc.loss(*_frames(answer), labels),
        lambda answer, teacher, temperature: ctc.divergence(*_frames(answer), *_frames(teacher), temperature),
        lambda classes: classes + 1,
        # Its loss grows with its confidence while errors still go down (430 sentences: 62.9 % at the least loss, 57.9 %
        # eighteen epochs later), and the phones of a few dozen clips are thousands.
        "score",
    ),
}
