"""What an ONNX network answers in ONNX Runtime, which is both its own framework and what ships."""

from collections.abc import Callable
from typing import Any

import numpy as np

from frameworks.examples import Features
from frameworks.formats import onnx_files, onnx_ranges
from frameworks.formats.sessions import answers
from frameworks.onnx.files import Network


def predict(network: Network, features: Features) -> Any:
    """Outputs as they ship: the network itself ends in probabilities."""
    with network.as_file() as file:
        return answers(file, "onnx", features)


def settings(network: Network) -> dict[str, Any]:  # noqa: ARG001
    """What the runtime must know beside the file: nothing."""
    return {}


def caller(network: Network) -> Callable[[np.ndarray], Any]:
    """One call of one example; the session is opened once."""
    session = onnx_files.session(network.content)

    def call(features: np.ndarray) -> Any:
        (feed,) = onnx_ranges.clips(session, features)
        return session.run(None, feed)[0]

    return call


def one_thread() -> None:
    """Every session here has one thread anyway."""
