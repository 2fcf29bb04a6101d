"""A network that cannot be trained does not recover from losing channels, so none are taken: the stage says so."""

from typing import NoReturn

from frameworks import NotApplicableError
from frameworks.examples import Examples
from frameworks.onnx.distill import REASON
from frameworks.onnx.files import Network
from frameworks.recipe import Prune


def prune(network: Network, examples: Examples, recipe: Prune) -> NoReturn:  # noqa: ARG001
    """Raises NotApplicableError."""
    raise NotApplicableError(f"{REASON} to prune it")
