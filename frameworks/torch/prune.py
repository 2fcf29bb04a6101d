"""Pruning: channels go for good, so the network narrows; then small weights become zero, so what is left compresses."""

import copy
from math import ceil
from typing import Any

from torch.nn import Module

from frameworks import NotApplicableError, Outcome, metrics
from frameworks.examples import Examples
from frameworks.recipe import Prune
from frameworks.torch import channels
from frameworks.torch.build import check, laid_out
from frameworks.torch.distill import fit_with_teacher
from frameworks.torch.predict import predict
from frameworks.torch.size import size
from frameworks.torch.sparsity import RAMP, Sparsity, zeros

# The unpruned network is a close relative, not a giant: little softening, and labels still count.
TEMPERATURE, ALPHA = 2.0, 0.8


def prune(network: Any, examples: Examples, recipe: Prune) -> Outcome:
    """The smallest of at most `recipe.attempts` cuts, each half the one before, whose drop stays within `recipe.max_drop`.

    If none does, the network stays whole and the facts say so: a search never ends with nothing. Raises NotApplicableError
    for a network that was brought from elsewhere: what it is made of is not ours to cut.
    """
    if "brought" in network.spec:
        raise NotApplicableError(f"an imported network ({network.spec['brought']}) keeps its shapes; distil it first")
    metric, held = metrics.choose(examples.metric, examples.labels), examples.validation
    before = metric.measure(held.labels, predict(network, held.features))
    tried: list[dict[str, Any]] = []
    curve: list[dict[str, Any]] = []
    for attempt in range(recipe.attempts):
        share = 0.5**attempt
        candidate, rows = _attempt(network, examples, recipe, share)
        score = metric.measure(held.labels, predict(candidate, held.features))
        curve += [{**row, "attempt": attempt + 1} for row in rows]
        tried.append(
            {
                "channels": recipe.channels * share,
                "sparsity": recipe.sparsity * share,
                "score": score,
                "drop": metric.drop(before, score),
                "macs": size(candidate).macs,
                "zeros": zeros(candidate),
            }
        )
        if tried[-1]["drop"] <= recipe.max_drop:
            why = f"attempt {attempt + 1} lost {tried[-1]['drop']:.2f} points, within max_drop {recipe.max_drop:g}"
            return Outcome(candidate, {"attempts": tried, "zeros": zeros(candidate), "why": why}, curve)
    why = f"kept whole: all {recipe.attempts} attempts lost more than max_drop {recipe.max_drop:g} points"
    return Outcome(network, {"attempts": tried, "zeros": zeros(network), "why": why}, curve)


def _attempt(network: Module, examples: Examples, recipe: Prune, share: float) -> tuple[Module, list[dict[str, Any]]]:
    """Narrows by `share` of the recipe's channels, zeroes as much of its sparsity, and lets the unpruned network teach what
    remains."""
    cut, sparsity = recipe.channels * share, recipe.sparsity * share
    small = copy.deepcopy(network)
    if cut:
        channels.narrow(small, examples, cut, recipe.multiple)
        check(laid_out(small))
    steps = recipe.epochs * ceil(len(examples.train) / recipe.batch_size)
    masks = Sparsity(small, sparsity, steps)
    rows = fit_with_teacher(
        small,
        network,
        examples,
        recipe,
        name=f"prune {100 * cut:.0f} % + {100 * sparsity:.0f} %",
        temperature=TEMPERATURE,
        alpha=ALPHA,
        since=min(recipe.epochs - 1, ceil(RAMP * recipe.epochs)) if sparsity else 0,
        after_step=masks.after_step,
    )
    return small, rows
