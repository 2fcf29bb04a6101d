"""A network takes on the shapes of stored weights: what structured pruning narrowed is built whole and cut to fit."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import Module
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from frameworks import FrameworkError


def adopt(network: Module, weights: Mapping[str, Tensor]) -> None:
    """Gives every layer of `network` the shapes that `weights` (a state) have for it, its sizes set to match.

    Raises FrameworkError that names the layer where shapes differ and its kind is not in ADOPT.
    """
    for name, module in network.named_modules():
        own = {**dict(module.named_parameters(recurse=False)), **dict(module.named_buffers(recurse=False))}
        stored = {part: weights[key] for part in own if (key := f"{name}.{part}" if name else part) in weights}
        changed = {part: value for part, value in stored.items() if value.shape != own[part].shape}
        if changed:
            _resize(name, module, changed)


def _resize(name: str, module: Module, changed: dict[str, Tensor]) -> None:
    kinds = [kind for kind in ADOPT if isinstance(module, kind)]
    if not kinds:
        known = ", ".join(kind.__name__.strip("_") for kind in ADOPT)
        raise FrameworkError(f"{name}: a {type(module).__name__} of other shape than built; allowed to differ: {known}")
    if "weight" in changed:
        ADOPT[kinds[0]](module, changed["weight"].shape)
    for part, value in changed.items():
        empty = torch.empty_like(value)
        setattr(module, part, nn.Parameter(empty) if part in module._parameters else empty)


def _convolution(layer: Any, shape: torch.Size) -> None:
    """(out, in / groups, …); a depthwise layer keeps one group a channel, another its number of groups."""
    if layer.groups == layer.in_channels and layer.groups > 1:
        layer.groups = shape[0] // (layer.out_channels // layer.groups)
    layer.out_channels, layer.in_channels = shape[0], shape[1] * layer.groups


def _transposed(layer: Any, shape: torch.Size) -> None:
    """(in, out / groups, …)."""
    layer.in_channels, layer.out_channels = shape[0], shape[1] * layer.groups


def _linear(layer: Any, shape: torch.Size) -> None:
    layer.out_features, layer.in_features = shape


def _batch_norm(layer: Any, shape: torch.Size) -> None:
    layer.num_features = shape[0]


def _layer_norm(layer: Any, shape: torch.Size) -> None:
    layer.normalized_shape = tuple(shape)


def _group_norm(layer: Any, shape: torch.Size) -> None:
    layer.num_channels = shape[0]


ADOPT: dict[type[Module], Callable[[Any, torch.Size], None]] = {  # the more special kind first
    _ConvTransposeNd: _transposed,
    _ConvNd: _convolution,
    nn.Linear: _linear,
    _BatchNorm: _batch_norm,
    nn.LayerNorm: _layer_norm,
    nn.GroupNorm: _group_norm,
}
