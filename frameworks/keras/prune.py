"""Pruning: channels go for good, so the network narrows; then small weights become zero, so what is left compresses."""

from typing import Any

import numpy as np
from tensorflow import keras

from frameworks import NotApplicableError, Outcome, metrics
from frameworks.examples import Examples
from frameworks.keras import channels, graph
from frameworks.keras.distill import fit_with_teacher
from frameworks.keras.predict import predict
from frameworks.keras.size import size
from frameworks.keras.train import plain_loss
from frameworks.recipe import Prune

RAMP = 0.6  # the share of the steps over which sparsity grows; the rest mends what is left


def prune(network: Any, examples: Examples, recipe: Prune) -> Outcome:
    """The smallest of at most `recipe.attempts` cuts, each half the one before, whose drop stays within `recipe.max_drop`.

    If none does, the network stays whole and the facts say so: a search never ends with nothing.
    """
    _check(network, recipe)
    metric, held = metrics.choose(examples.metric, examples.labels), examples.validation
    before = metric.measure(held.labels, predict(network, held.features))
    tried, curve = [], []
    for attempt in range(recipe.attempts):
        share = 0.5**attempt
        candidate, rows = _attempt(network, examples, recipe, recipe.channels * share, recipe.sparsity * share)
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


def zeros(network: Any) -> float:
    """Share of kernel weights that are zero, in percent."""
    kernels = [w for layer in network.layers for w in layer.get_weights() if w.ndim > 1]
    return float(100 * sum(np.sum(k == 0) for k in kernels) / sum(k.size for k in kernels))


def _attempt(
    network: Any, examples: Examples, recipe: Prune, cut: float, sparsity: float
) -> tuple[Any, list[dict[str, Any]]]:
    """Narrows by `cut`, zeroes `sparsity` of the weights left, and lets the unpruned network teach what remains."""
    small = _narrow(network, examples, cut, recipe) if cut else network.__class__.from_config(network.get_config())
    if not cut:
        small.set_weights(network.get_weights())
    name = f"prune {100 * cut:.0f} % + {100 * sparsity:.0f} %"
    if not sparsity:
        return small, fit_with_teacher(
            small, network, examples, recipe, name=name, temperature=TEMPERATURE, alpha=ALPHA
        )
    from tensorflow_model_optimization.sparsity import keras as tfmot  # a second, which other stages save

    steps = recipe.epochs * -(-len(examples.train) // recipe.batch_size)
    schedule = tfmot.PolynomialDecay(0.0, sparsity, 0, max(1, int(RAMP * steps)), frequency=max(1, steps // 100))
    wrapped = tfmot.prune_low_magnitude(small, pruning_schedule=schedule)
    rows = fit_with_teacher(
        wrapped,
        network,
        examples,
        recipe,
        name=name,
        temperature=TEMPERATURE,
        alpha=ALPHA,
        since=min(recipe.epochs - 1, int(np.ceil(RAMP * recipe.epochs))),
        callbacks=(tfmot.UpdatePruningStep(),),
    )
    return tfmot.strip_pruning(wrapped), rows


# The unpruned network is a close relative, not a giant: little softening, and labels still count.
TEMPERATURE, ALPHA = 2.0, 0.8


def _narrow(network: Any, examples: Examples, cut: float, recipe: Prune) -> Any:
    scores = channels.importance(network, examples.train, plain_loss(examples, recipe))
    found = channels.spaces(network)
    return channels.narrowed(network, channels.choose(found, scores, cut, recipe.multiple), found)


def _check(network: Any, recipe: Prune) -> None:
    """Raises NotApplicableError where there is nothing that could be pruned, with the reason."""
    if graph.of(network) is not None:
        raise NotApplicableError("it came as a graph, without layers: nothing can be narrowed or zeroed")
    from tensorflow_model_optimization.python.core.sparsity.keras import prune_registry

    supports = prune_registry.PruneRegistry.supports
    layers = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    strange = [layer.name for layer in layers if not supports(layer)]
    if recipe.sparsity and strange:
        raise NotApplicableError(
            f"tfmot zeroes no weights of the layers {', '.join(strange)}; prune.sparsity: 0 leaves it out"
        )
