"""Structured pruning by torch-pruning (Fang et al. 2023): channels that depend on one another go together, for good."""

import warnings
from collections.abc import Iterator
from typing import Any

import torch
import torch_pruning
from torch import Tensor
from torch.nn import Module
from torch_pruning.ops import OPTYPE

from frameworks import NotApplicableError
from frameworks.examples import Examples
from frameworks.torch import objectives
from frameworks.torch.batches import shuffled
from frameworks.torch.build import example_shape

AT_ONCE = 64


class Rounded(torch_pruning.pruner.BasePruner):  # type: ignore[misc]
    """Rounds widths up to a multiple, and leaves every layer at least one: rounding down may leave none, and torch-pruning
    then leaves the least important layer whole."""

    def _round_to(self, n_pruned: int, current_channels: int, round_to: int) -> int:
        kept = max(round_to, -(-(current_channels - n_pruned) // round_to) * round_to)
        return max(0, current_channels - kept)


def narrow(network: Module, examples: Examples, fraction: float, multiple: int) -> None:
    """Removes `fraction` of all channels that may go, in place; layers compete, and widths stay multiples of `multiple`.

    Input and output stay as they are. Raises NotApplicableError when no channel may go.
    """
    _measure(network, examples)
    pruner = _pruner(network, fraction, multiple)
    if not any(_groups(pruner, pruner.ignored_layers)):
        raise NotApplicableError("no channel can be removed: every layer's channels reach the output")
    pruner.step()
    network.zero_grad(set_to_none=True)


def _measure(network: Any, examples: Examples) -> None:
    """Leaves in each weight's gradient its root mean square over batches of train, for the first-order Taylor importance
    (Molchanov et al. 2019): a plain mean would be near zero where training has ended."""
    objective = objectives.of(network)
    totals: dict[str, Tensor] = {}
    network.eval()
    count = 0
    for batch in shuffled(examples.train, AT_ONCE):
        network.zero_grad(set_to_none=True)
        objective.loss(objective.call(network, batch.features, batch.lengths), batch.labels).backward()  # type: ignore[no-untyped-call]
        for name, weight in network.named_parameters():
            if weight.grad is not None:
                totals[name] = totals.get(name, torch.zeros_like(weight)) + weight.grad**2
        count += 1
    for name, weight in network.named_parameters():
        weight.grad = torch.sqrt(totals[name] / count) if name in totals else torch.zeros_like(weight)


def _pruner(network: Any, fraction: float, multiple: int) -> Rounded:
    shape, objective = example_shape(network.spec), objectives.of(network)
    inputs = (torch.zeros(1, *shape), torch.full((1,), shape[0]))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Unwrapped parameters detected")
        pruner = Rounded(
            network,
            inputs,
            torch_pruning.importance.GroupTaylorImportance(),
            global_pruning=True,
            pruning_ratio=fraction,
            round_to=multiple,
            in_channel_groups={},  # torch-pruning's defaults are shared between pruners
            out_channel_groups={},
            num_heads={},
            # Times one, so that the graph ends in an operator of its own, by which what reaches it is known.
            forward_fn=lambda model, inputs: 1.0 * objective.call(model, *inputs).logits,
        )
    for group in _groups(pruner, []):
        if any(dependency.target.type == OPTYPE.OUTPUT for dependency, _ in group):
            pruner.ignored_layers.append(group[0].dep.target.module)
    return pruner


def _groups(pruner: Rounded, ignored: list[Module]) -> Iterator[Any]:
    """What may be cut, a group of layers that must be cut alike at a time."""
    yield from pruner.DG.get_all_groups(ignored_layers=ignored, root_module_types=pruner.root_module_types)
