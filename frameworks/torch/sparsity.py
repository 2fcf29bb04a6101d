"""Unstructured sparsity: the smallest weights become zero, more and more of them (Zhu and Gupta 2017), and stay zero."""

import torch
from torch import Tensor, nn
from torch.nn import Module
from torch.nn.modules.conv import _ConvNd

RAMP = 0.6  # the share of the steps over which sparsity grows; the rest mends what is left
UPDATES = 100  # how often, in all, it is chosen anew which weights are smallest


class Sparsity:
    """Zeroes up to `sparsity` of each layer's weights over RAMP of `steps`; depthwise filters, which are few, stay whole."""

    def __init__(self, network: Module, sparsity: float, steps: int) -> None:
        self.weights = kernels(network) if sparsity else []
        self.sparsity, self.ramp, self.every = sparsity, max(1, int(RAMP * steps)), max(1, steps // UPDATES)
        self.masks: list[Tensor] = [torch.ones_like(weight, dtype=torch.bool) for weight in self.weights]

    def after_step(self, step: int) -> None:
        """Call after each step of the optimizer, which knows nothing of masks; `step` counts from 1."""
        if step == self.ramp or (step < self.ramp and step % self.every == 0):
            share = self.sparsity * (1 - (1 - step / self.ramp) ** 3)
            self.masks = [_largest(weight, share) for weight in self.weights]
        with torch.no_grad():
            for weight, mask in zip(self.weights, self.masks, strict=True):
                weight.mul_(mask)


def kernels(network: Module) -> list[Tensor]:
    """The weights that may be zeroed: of linear layers and of convolutions that mix channels."""
    layers = [module for module in network.modules() if isinstance(module, nn.Linear | _ConvNd)]
    return [
        layer.weight for layer in layers if not (isinstance(layer, _ConvNd) and layer.groups == layer.in_channels > 1)
    ]


def zeros(network: Module) -> float:
    """Share of all weights of linear layers and convolutions that are zero, in percent."""
    weights = [module.weight for module in network.modules() if isinstance(module, nn.Linear | _ConvNd)]
    return float(100 * sum(int((weight == 0).sum()) for weight in weights) / sum(weight.numel() for weight in weights))


def _largest(weight: Tensor, share: float) -> Tensor:
    """True where a weight stays when `share` of them goes."""
    count = int(share * weight.numel())
    mask = torch.ones(weight.numel(), dtype=torch.bool)
    if count:
        mask[weight.detach().abs().flatten().topk(count, largest=False).indices] = False
    return mask.view_as(weight)
