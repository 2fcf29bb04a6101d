"""What every scikit-learn network offers, whichever kind it is."""

import zlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from frameworks import Size


class Network(Protocol):
    """A projector or a classifier."""

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """Vectors (n, dims) or probabilities (n, classes), float32."""

    def program(self) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        """The steps and arrays of the runtime's backend `numpy`."""

    def settings(self) -> dict[str, Any]:
        """What the runtime must know beside the file."""


def predict(network: Network, features: np.ndarray) -> np.ndarray:
    """Vectors (n, dims) or probabilities (n, classes), float32, as scikit-learn computes them."""
    return network.outputs(features)


def settings(network: Network) -> dict[str, Any]:
    """How to enrol, for a projector; nothing for a classifier."""
    return network.settings()


def size(network: Network) -> Size:
    """Numbers as they ship, and a multiplication for each of them that is no bias."""
    _, arrays = network.program()
    parameters = sum(array.size for array in arrays.values())
    added = sum(array.size for name, array in arrays.items() if name.startswith(("bias", "shift")))
    weights = b"".join(arrays[name].astype(np.float32).tobytes() for name in sorted(arrays))
    return Size(parameters, parameters - added, 4 * parameters, len(zlib.compress(weights, 9)))


def caller(network: Network) -> Callable[[np.ndarray], Any]:
    """The network's own call."""
    return network.outputs


def one_thread() -> None:
    """Lets numpy's and scikit-learn's libraries compute on one thread from here on."""
    threadpool_limits(limits=1)
