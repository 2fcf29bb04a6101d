"""An ONNX file holds no network that could learn, so there is no student: the stage says so."""

from typing import NoReturn

from frameworks import NotApplicableError
from frameworks.examples import Examples
from frameworks.onnx.files import Network
from frameworks.recipe import Distill
from models import Model

REASON = "an ONNX file says how to compute, not how to learn, so it cannot be trained here; bring the Keras or PyTorch network"


def distill(model: Model, teacher: Network, examples: Examples, recipe: Distill) -> NoReturn:  # noqa: ARG001
    """Raises NotApplicableError."""
    raise NotApplicableError(f"{REASON} to distill it")
