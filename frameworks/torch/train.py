"""Training: AdamW under a short warm-up and cosine decay, and the weights that did best on validation."""

import random
from collections.abc import Callable, Iterable
from functools import partial
from math import ceil, cos, isfinite, pi
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from frameworks import FrameworkError, Outcome, metrics
from frameworks.examples import Examples
from frameworks.progress import Progress
from frameworks.recipe import Train
from frameworks.torch import bring, objectives
from frameworks.torch.augment import epoch
from frameworks.torch.batches import Batch
from frameworks.torch.build import build
from frameworks.torch.objectives import Answer
from frameworks.torch.predict import answers, gathered
from frameworks.torch.start import start
from models import Model

WARM_UP = 0.05  # share of the steps over which the rate rises: fresh normalisation and Adam's moments start unsteady
WEIGHT_DECAY = 0.02  # of matrices; biases and normalisation are left alone (Loshchilov and Hutter 2019)
LONGEST_GRADIENT = 5.0  # its norm is cut there: one odd clip must not undo an epoch

Loss = Callable[[Answer, Batch], Tensor]
Epoch = Callable[[], Iterable[Batch]]


def seed(number: int) -> None:
    """Makes this process repeatable: Python, numpy and torch, and operators that give the same bits every time."""
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002  # libraries draw from it
    torch.manual_seed(number)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a fifth of the time; no operator here reads it


def train(model: Model, examples: Examples, recipe: Train) -> Outcome:
    """The float teacher, built by the model's file (from `recipe.start` on) and fitted to the labels, or brought in as
    `recipe.import_` says."""
    heard = examples.as_heard()
    if recipe.import_:
        return bring.bring(model, heard, recipe)
    network = build(model, "teacher", heard, recipe.network)
    facts = start(network, model, recipe.start, "train")
    return Outcome(network, facts, fit(network, heard, recipe, name="train"))


def fit(
    network: Module,
    examples: Examples,
    recipe: Any,
    *,
    name: str,
    loss: Loss | None = None,
    batches: Epoch | None = None,
    since: int = 0,
    after_step: Callable[[int], None] = lambda step: None,
) -> list[dict[str, Any]]:
    """Trains `network` in place and leaves it with its best weights on validation; a row an epoch comes back.

    `recipe` has epochs, batch_size and learning_rate, and may have `augment`. `loss(answer, batch)` is the task's own, against
    labels, unless given; `batches()` are an epoch's, of train as the recipe augments it, unless given. `after_step(n)` is
    called after the nth step, from 1; epochs before `since` are not kept.
    """
    objective = objectives.choose(examples.task)
    batches = batches or partial(epoch, examples.train, recipe)
    loss = loss or (lambda answer, batch: objective.loss(answer, batch.labels))
    optimizer = AdamW(_groups(network), lr=recipe.learning_rate, fused=True)
    rate = LambdaLR(optimizer, _cosine(recipe.epochs * ceil(len(examples.train) / recipe.batch_size)))
    best, step = Best(network, examples, recipe.epochs, name, since), 0
    for number in range(recipe.epochs):
        network.train()
        losses = []
        for batch in batches():
            value = loss(objective.call(network, batch.features, batch.lengths), batch)
            optimizer.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
            optimizer.step()
            rate.step()
            step += 1
            after_step(step)
            losses.append(value.item())
        best.judge(number, float(np.mean(losses)))
    return best.restore()


class Best:
    """Scores validation after each epoch, tells the progress, and keeps the weights of the best, which the objective tells by
    loss, or by score from half the epochs on: a transcriber that knows nothing yet babbles or is silent, and scores by chance.
    """

    def __init__(self, network: Module, examples: Examples, epochs: int, name: str, since: int) -> None:
        self.network, self.held, self.name = network, examples.validation, name
        self.by_score = objectives.of(network).best == "score"
        self.since = max(since, epochs // 2) if self.by_score else since
        self.metric = metrics.choose(examples.metric, examples.labels)
        self.progress = Progress(name, epochs)
        self.curve: list[dict[str, Any]] = []
        self.least = float("inf")
        self.weights = state(network)

    def judge(self, epoch: int, loss: float) -> None:
        """`loss` is the mean training loss of this epoch. Raises FrameworkError when it is no number."""
        if not isfinite(loss):
            raise FrameworkError(f"{self.name}: the loss became {loss} in epoch {epoch + 1}; lower learning_rate")
        surprise, score = self._measured()
        self.curve.append(
            {
                "phase": self.name,
                "epoch": epoch + 1,
                "loss": round(loss, 5),
                "validation_loss": round(surprise, 5),
                "validation_score": round(score, 3),
            }
        )
        self.progress.step(f"loss {loss:.3f}  validation {score:.2f} %")
        regret = -self.metric.better * score if self.by_score else surprise
        if epoch >= self.since and regret < self.least:
            self.least = regret
            self.weights = state(self.network)

    def restore(self) -> list[dict[str, Any]]:
        """Puts the best weights back into the network; the curve."""
        self.network.load_state_dict(self.weights)
        return self.curve

    def _measured(self) -> tuple[float, float]:
        """(loss, score) on validation."""
        labels, found = torch.from_numpy(self.held.labels).long(), list(answers(self.network, self.held.features))
        objective = objectives.of(self.network)
        lost = sum(len(rows) * objective.loss(answer, labels[rows]).item() for rows, answer in found)
        return lost / len(self.held), self.metric.measure(self.held.labels, gathered(found))


def state(network: Module) -> dict[str, Tensor]:
    """A copy of all weights and running statistics."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _groups(network: Module) -> list[dict[str, Any]]:
    """Parameters for the optimizer: matrices decay, vectors (biases, normalisation) do not."""
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    return [
        {"params": [weight for weight in learning if weight.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [weight for weight in learning if weight.ndim <= 1], "weight_decay": 0.0},
    ]


def _cosine(steps: int) -> Callable[[int], float]:
    """The rate's factor at a step: a linear rise over WARM_UP, then half a cosine down to nothing."""
    rising = max(1, int(WARM_UP * steps))

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return 0.5 * (1 + cos(pi * (step - rising) / max(1, steps - rising)))

    return factor
