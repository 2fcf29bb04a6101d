"""The float teacher of a model that comes as a file: brought in and checked, never trained."""

from frameworks import FrameworkError, Outcome
from frameworks.examples import Examples
from frameworks.onnx.bring import bring
from frameworks.recipe import Train
from models import Model


def seed(number: int) -> None:
    """Nothing here is drawn, and each session computes on one thread: the same bits every time."""


def train(model: Model, examples: Examples, recipe: Train) -> Outcome:
    """The network that `recipe.import_` names. Raises FrameworkError where it names none, or one that does not fit."""
    if recipe.import_ is None:
        raise FrameworkError(
            f"models/{model.name}.py says framework onnx, which trains nothing; say train: {{import: FILE.onnx}}"
        )
    network, facts = bring(recipe.import_, examples)
    return Outcome(network, facts)
