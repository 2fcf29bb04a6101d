"""Networks on disk: the same bytes for the same weights, no pickle, and shapes as pruning left them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from frameworks import FrameworkError
from frameworks.examples import Examples
from frameworks.torch import channels, shapes


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_network_comes_back_as_it_was(framework: Any, trained: Any, pictures: Examples, tmp_path: Path) -> None:
    framework.save(trained.network, tmp_path / "a")
    again = framework.load(tmp_path / "a")
    features = pictures.validation.features
    assert np.array_equal(framework.predict(again, features), framework.predict(trained.network, features))
    assert again.spec == trained.network.spec
    assert not again.training
    framework.save(again, tmp_path / "b")
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_there_is_one_json_and_one_safetensors(framework: Any, built: Callable[..., Any], tmp_path: Path) -> None:
    framework.save(built(), tmp_path)
    assert sorted(content(tmp_path)) == ["network.json", "weights.safetensors"]
    spec = json.loads((tmp_path / "network.json").read_text())
    assert (spec["model"], spec["part"], spec["shape"], spec["classes"]) == ("samples", "teacher", [16, 16], 3)


def test_saving_over_another_network_leaves_the_new_one(
    framework: Any, built: Callable[..., Any], tmp_path: Path
) -> None:
    framework.save(built(), tmp_path)
    framework.save(built("student"), tmp_path)
    assert framework.load(tmp_path).spec["part"] == "student"


def test_a_folder_without_a_network_is_named(framework: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}: no network.json here; run the stage before"):
        framework.load(tmp_path)


def test_a_narrowed_network_comes_back_narrow(
    framework: Any, built: Callable[..., Any], pictures: Examples, tmp_path: Path
) -> None:
    network = built("student", widths=[16, 24], strides=[1, 2])
    channels.narrow(network, pictures, 0.4, 4)
    framework.save(network, tmp_path)
    again = framework.load(tmp_path)
    assert framework.size(again) == framework.size(network)
    features = pictures.validation.features
    # Layout in memory differs, and with it the order of sums.
    np.testing.assert_allclose(framework.predict(again, features), framework.predict(network, features), atol=1e-6)


@pytest.mark.parametrize(
    ("whole", "narrow"),
    [
        (nn.Conv1d(8, 12, 3), nn.Conv1d(6, 10, 3)),
        (nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(5, 5, 3, groups=5)),
        (nn.Conv2d(8, 16, 3, groups=8), nn.Conv2d(5, 10, 3, groups=5)),
        (nn.Conv2d(8, 12, 3, groups=2), nn.Conv2d(4, 6, 3, groups=2)),
        (nn.ConvTranspose1d(8, 12, 3), nn.ConvTranspose1d(6, 10, 3)),
        (nn.Linear(8, 12, bias=False), nn.Linear(6, 10, bias=False)),
        (nn.BatchNorm1d(8), nn.BatchNorm1d(6)),
        (nn.LayerNorm(8), nn.LayerNorm(6)),
        (nn.GroupNorm(2, 8), nn.GroupNorm(2, 6)),
    ],
    ids=lambda layer: str(layer).replace(" ", ""),
)
def test_a_layer_takes_on_stored_shapes(whole: nn.Module, narrow: nn.Module) -> None:
    """Its sizes as well as its tensors: it prints, and computes, as one that was built so."""
    network = nn.Sequential(whole)
    weights = nn.Sequential(narrow).state_dict()
    shapes.adopt(network, weights)
    network.load_state_dict(weights)
    assert str(network[0]) == str(narrow)
    sizes = {key for key in vars(narrow) if "channels" in key or "features" in key or key == "groups"}
    assert {key: getattr(network[0], key) for key in sizes} == {key: getattr(narrow, key) for key in sizes}
    assert network[0].state_dict().keys() == narrow.state_dict().keys()


def test_a_kind_that_cannot_change_shape_is_named() -> None:
    with pytest.raises(FrameworkError, match="0: a Embedding of other shape than built; allowed to differ: Conv"):
        shapes.adopt(nn.Sequential(nn.Embedding(4, 8)), {"0.weight": torch.zeros(4, 6)})
