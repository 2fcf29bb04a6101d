"""PCA's cut: fewer principal components, as few as validation allows."""

from dataclasses import replace
from typing import Any

from frameworks import Outcome
from frameworks.examples import Examples
from frameworks.progress import Progress
from frameworks.recipe import Prune
from frameworks.sklearn.projector import Projector, fit
from frameworks.sklearn.train import calibrated, score


def prune(network: Projector, examples: Examples, recipe: Prune) -> Outcome:
    """Keeps the fewest components within `max_drop` points of the whole on validation, at least the share `channels` gone.

    `attempts` cuts are tried, `multiple` components apart; whitening and kernel are fitted again for each. Nothing is
    zeroed: a matrix this small is read whole, and zeros in it save no byte. Where no cut is within, the whole is kept.
    """
    whole = score(network, examples)
    most = round(len(network.components) * (1 - recipe.channels)) // recipe.multiple * recipe.multiple
    cuts = [cut for at in range(recipe.attempts) if (cut := most - at * recipe.multiple) > 0]
    progress = Progress("prune", len(cuts))
    tried: list[dict[str, Any]] = []
    kept, why = network, f"no cut was within {recipe.max_drop:g} points; all components stay"
    for cut in cuts:
        narrower = fit(examples.train, replace(network.choice, components=cut))
        rate = score(narrower, examples)
        tried.append({"components": cut, "score": rate, "drop": rate - whole})
        progress.step(f"{cut} components: {rate:.2f} % against {whole:.2f} %")
        if rate - whole <= recipe.max_drop:
            kept, why = narrower, f"the fewest of {len(cuts)} cuts within {recipe.max_drop:g} points"
    facts = {"before": whole, "kept": len(kept.components), "why": why, "attempts": tried}
    curve = [{"phase": "prune", "epoch": at, "validation_score": a["score"]} for at, a in enumerate(tried, 1)]
    return Outcome(calibrated(kept, examples), facts, curve)
