"""Pruning narrows and zeroes as far as validation allows, leaves both ends as they are, and never ends with nothing."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from frameworks import NotApplicableError
from frameworks.examples import Examples
from frameworks.recipe import Prune
from frameworks.torch import channels
from frameworks.torch.build import build
from frameworks.torch.sparsity import RAMP, Sparsity, kernels, zeros

CUT = Prune(channels=0.4, multiple=4, sparsity=0.4, epochs=2, batch_size=16, learning_rate=0.005, max_drop=100.0)


def widths(network: nn.Module) -> list[int]:
    return [layer.out_channels for layer in network.modules() if isinstance(layer, nn.Conv2d)]


def test_it_narrows_and_zeroes(framework: Any, trained: Any, pictures: Examples) -> None:
    framework.seed(1)
    outcome = framework.prune(trained.network, pictures, CUT)
    before, after = framework.size(trained.network), framework.size(outcome.network)
    assert after.macs < 0.9 * before.macs
    assert after.parameters < 0.7 * before.parameters
    assert after.compressed_bytes < 0.7 * before.compressed_bytes
    assert zeros(outcome.network) == pytest.approx(outcome.facts["zeros"]) == pytest.approx(40, abs=3)
    assert len(outcome.facts["attempts"]) == 1, "the first cut within max_drop is taken"
    assert "within max_drop 100" in outcome.facts["why"]
    assert [row["attempt"] for row in outcome.curve] == [1, 1]


def test_the_network_that_was_given_stays_whole(framework: Any, trained: Any, pictures: Examples) -> None:
    before = copy.deepcopy(trained.network.state_dict())
    framework.prune(trained.network, pictures, CUT.model_copy(update={"epochs": 1}))
    assert all(torch.equal(value, before[name]) for name, value in trained.network.state_dict().items())
    assert all(weight.requires_grad for weight in trained.network.parameters())


@pytest.mark.parametrize("part", ["teacher", "student"])
@pytest.mark.parametrize("multiple", [1, 4])
def test_widths_shrink_to_multiples_and_both_ends_stay(
    built: Callable[..., Any], pictures: Examples, part: str, multiple: int
) -> None:
    settings: dict[str, Any] = {"teacher": {}, "student": {"widths": [16, 24, 16], "strides": [1, 2, 1], "stem": 16}}
    network = built(part, **settings[part])
    whole = widths(network)
    channels.narrow(network, pictures, 0.5, multiple)
    assert all(0 < now <= before and now % multiple == 0 for now, before in zip(widths(network), whole, strict=True))
    assert sum(widths(network)) <= (0.55 if multiple == 1 else 0.7) * sum(whole)
    answer = network(torch.from_numpy(pictures.validation.features))
    assert answer.shape == (30, 3)
    answer.sum().backward()


def test_the_least_important_channels_go(framework: Any, built: Callable[..., Any], pictures: Examples) -> None:
    """Channels that say next to nothing are the ones that are cut, so that answers stay."""
    network = built("student", widths=[16, 16], strides=[1, 2], stem=16)
    pointwise = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)][2]
    with torch.no_grad():
        pointwise.weight[:4] *= 1e-4
    before = framework.predict(network, pictures.validation.features)
    channels.narrow(network, pictures, 4 / 48, 1)
    assert widths(network) == [16, 16, 12, 12, 16]
    np.testing.assert_allclose(framework.predict(network, pictures.validation.features), before, atol=0.01)


def test_a_transcriber_is_narrowed_too(framework: Any, transcriber: Any, phrases: Examples) -> None:
    network = build(transcriber, "student", phrases, {})
    channels.narrow(network, phrases, 0.5, 4)
    assert network.hear.out_channels == 8
    assert all(answer.shape[1] == 4 for answer in framework.predict(network, phrases.validation.features))


def test_where_no_channel_may_go_the_stage_does_not_apply(added: Callable[..., Any], pictures: Examples) -> None:
    source = (
        'FRAMEWORK, TASK, METRIC = "torch", "classify", "accuracy"\n\n\ndef teacher(shape, classes):\n'
        "    from torch import nn\n    return nn.Sequential(nn.Flatten(), nn.Linear(256, classes))\n\n\nstudent = teacher\n"
    )
    network = build(added("test_flat", source), "student", pictures, {})
    with pytest.raises(NotApplicableError, match="no channel can be removed"):
        channels.narrow(network, pictures, 0.5, 4)


def test_a_network_from_elsewhere_is_not_cut(framework: Any, trained: Any, pictures: Examples) -> None:
    network = copy.deepcopy(trained.network)
    network.spec = {**network.spec, "brought": "program"}
    with pytest.raises(NotApplicableError, match=r"an imported network \(program\) keeps its shapes"):
        framework.prune(network, pictures, CUT)


def test_attempts_halve_and_the_network_stays_whole_where_none_fits(
    framework: Any, trained: Any, pictures: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("frameworks.torch.prune")  # the package's own `prune` is the function
    monkeypatch.setattr(module, "fit_with_teacher", lambda small, *args, **more: _ruin(small))
    outcome = framework.prune(trained.network, pictures, CUT.model_copy(update={"max_drop": 1.0, "attempts": 3}))
    assert [attempt["channels"] for attempt in outcome.facts["attempts"]] == [0.4, 0.2, 0.1]
    assert outcome.network is trained.network
    assert outcome.facts["why"] == "kept whole: all 3 attempts lost more than max_drop 1 points"


def _ruin(network: nn.Module) -> list[dict[str, Any]]:
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
    return []


def test_sparsity_grows_and_zeroed_weights_stay_zero(built: Callable[..., Any]) -> None:
    network = built("student", widths=[16, 16], strides=[1, 1])
    depthwise = [module for module in network.modules() if isinstance(module, nn.Conv2d) and module.groups > 1]
    masks, shares = Sparsity(network, 0.6, 20), []
    for step in range(1, 21):
        with torch.no_grad():
            for weight in network.parameters():
                weight += 0.01 * torch.randn_like(weight)  # what an optimizer does to zeroed weights
        masks.after_step(step)
        shares.append(float(np.mean([float((weight == 0).float().mean()) for weight in kernels(network)])))
    assert shares == sorted(shares)
    assert shares[int(RAMP * 20) - 1] == pytest.approx(0.6, abs=0.03)
    assert shares[-1] == pytest.approx(0.6, abs=0.03)
    assert all(module.weight.all() for module in depthwise), "depthwise filters stay whole"


@pytest.mark.parametrize(("cut", "sparsity"), [(0.4, 0.0), (0.0, 0.5), (0.0, 0.0)])
def test_either_kind_of_pruning_may_be_left_out(
    framework: Any, built: Callable[..., Any], pictures: Examples, cut: float, sparsity: float
) -> None:
    network = built("student", widths=[16, 16], strides=[1, 2])
    recipe = CUT.model_copy(update={"channels": cut, "sparsity": sparsity, "epochs": 1})
    small = framework.prune(network, pictures, recipe).network
    assert (framework.size(small).macs < framework.size(network).macs) == (cut > 0)
    assert (zeros(small) > 30) == (sparsity > 0)
