"""A network's own answer: the first rung of the parity ladder."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch

from frameworks.examples import Features
from frameworks.torch import objectives
from frameworks.torch.batches import padded, same_length
from frameworks.torch.objectives import Answer, probabilities

AT_ONCE = 64  # clips: enough to keep the kernels busy, few enough to stay in memory

Found = tuple[np.ndarray, Answer]


def predict(network: Any, features: Features) -> Any:
    """Probabilities of features: classify, (n, classes) float32; transcribe, a list of (frames, classes + 1) float32.

    Clips are taken in groups of equal length, so that padding never changes an answer.
    """
    return gathered(answers(network, features))


def answers(network: Any, features: Features, at_once: int = AT_ONCE) -> Iterator[Found]:
    """(rows, answer) of clips of equal length, until all rows are answered; dropout is off and no gradient is kept."""
    network.eval()
    objective = objectives.of(network)
    for rows in same_length(features, at_once):
        with torch.inference_mode():
            found = objective.call(network, *padded(features, rows))
        yield rows, found


def gathered(found: Iterable[Found]) -> Any:
    """Probabilities in the order of the rows."""
    single: dict[int, np.ndarray] = {}
    for rows, answer in found:
        lengths = [None] * len(rows) if answer.lengths is None else answer.lengths.tolist()
        for row, clip, length in zip(rows.tolist(), probabilities(answer).numpy(), lengths, strict=True):
            single[row] = clip[:length]
    ordered = [single[row] for row in range(len(single))]
    return np.stack(ordered) if ordered[0].ndim == 1 else ordered


def settings(_network: Any) -> dict[str, Any]:
    """What the runtime must know beside the file: nothing."""
    return {}


def caller(network: Any) -> Callable[[np.ndarray], Any]:
    """The fastest call torch itself offers for one example without a compiler: no gradients, nothing recorded."""
    network.eval()
    objective = objectives.of(network)

    def call(features: np.ndarray) -> Any:
        with torch.inference_mode():
            answer = objective.call(network, torch.from_numpy(features), torch.tensor([features.shape[1]]))
            return answer.logits.numpy()

    return call


def one_thread() -> None:
    """Lets torch compute on one thread. Must come before its first parallel operator, else RuntimeError."""
    torch.set_num_threads(1)
    if torch.get_num_interop_threads() != 1:  # torch refuses to be told twice, even the same
        torch.set_num_interop_threads(1)
