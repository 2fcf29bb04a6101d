"""A network as a float32 ONNX file that answers in probabilities, for any number of clips and, where it may, any length."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from frameworks.formats.chatter import quiet
from frameworks.torch import objectives
from frameworks.torch.build import example_shape

OPSET = 17


class WithScores(nn.Module):
    """The network with softmax at its end; every clip of a batch is as long as the batch."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network, self.objective = network, objectives.of(network)

    def forward(self, features: Tensor) -> Tensor:
        """(n, …) to probabilities (n, classes) or (n, frames, classes + 1)."""
        lengths = torch.full((features.shape[0],), features.shape[1])
        return objectives.probabilities(self.objective.call(self.network, features, lengths))


def export(network: Any, file: Path) -> None:
    """Writes `network` to `file`, the same bytes for the same weights: input `features`, output `scores`.

    By torch's TorchScript exporter: the newer one takes half a minute of every process.
    """
    network.eval()
    spec = network.spec
    free = {0: "clips", **({1: "frames"} if spec["shape"][0] is None else {})}
    answered = {0: "clips", **({1: "answers"} if spec["task"] == "transcribe" else {})}
    with quiet(), torch.no_grad():
        torch.onnx.export(
            WithScores(network).eval(),
            (torch.zeros(1, *example_shape(spec)),),
            str(file),
            input_names=["features"],
            output_names=["scores"],
            dynamic_axes={"features": free, "scores": answered},
            opset_version=OPSET,
            dynamo=False,
        )
