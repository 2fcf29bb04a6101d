"""The search for int8: every way is measured, the nearest quick one is kept, and the facts say why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from frameworks import FrameworkError
from frameworks.examples import Examples
from frameworks.recipe import Quantize
from frameworks.torch import in_torch
from frameworks.torch.build import build
from frameworks.torch.quantize import Attempt, Search, _mix, sensitivity

WAYS = ["static_minmax", "static_entropy", "static_percentile", "dynamic"]


@pytest.fixture
def not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.compile takes many seconds; here it hands back what it is given."""
    monkeypatch.setattr(torch, "compile", lambda network: network)


@pytest.fixture
def search(trained: Any, pictures: Examples, tmp_path: Path) -> Search:
    return Search(trained.network, pictures, tmp_path)


def attempt(method: str, **known: Any) -> Attempt:
    facts = {"score": 90.0, "drop": 0.0, "distance": 0.1, "bytes": 10, "faster": 2.0, "float_layers": (), **known}
    return Attempt(method, "network", **facts)


def test_every_way_is_tried_and_one_is_planned(
    framework: Any, trained: Any, pictures: Examples, not_compiled: None
) -> None:
    scheme = framework.quantize(trained.network, pictures, Quantize(max_drop=5.0, float_layers=0))
    assert [a["method"] for a in scheme.facts["attempts"]] == WAYS
    assert set(scheme.plan) == {"int8"}, "there is no microcontroller for torch"
    plan = scheme.plan["int8"]
    assert plan["method"] == scheme.facts["method"] in WAYS
    assert (plan["network"], plan["float_layers"]) == ("network", [])
    assert scheme.networks == {"network": trained.network}
    assert plan["method"] in scheme.facts["why"]
    beside = scheme.facts["in_torch"]
    assert set(beside["milliseconds"]) == {"float", "int8", "torch", "torch_dynamic", "torch_compiled"}
    assert all(taken > 0 for taken in beside["milliseconds"].values())
    assert beside["dynamic"]["drop"] <= 5.0


def test_phrases_are_quantized_too(framework: Any, transcriber: Any, phrases: Examples, not_compiled: None) -> None:
    network = build(transcriber, "student", phrases, {})
    scheme = framework.quantize(network, phrases, Quantize(max_drop=100.0, float_layers=0))
    assert all(np.isfinite(a["distance"]) for a in scheme.facts["attempts"])


def test_a_worse_file_is_a_worse_attempt(search: Search) -> None:
    good = search.attempt("static_minmax")
    search.static.calibration = np.zeros_like(search.static.calibration)
    for ranges in search.folder.glob("*.json"):
        ranges.unlink()
    bad = search.attempt("static_minmax")
    assert bad.distance > 3 * good.distance
    assert bad.drop > good.drop


@pytest.mark.parametrize(
    ("attempts", "best"),
    [
        ([attempt("near", distance=0.01), attempt("far")], "near"),
        ([attempt("slow", distance=0.01, faster=0.5), attempt("quick")], "quick"),
        ([attempt("slow", faster=0.9), attempt("slower", faster=0.5, distance=0.01)], "slower"),
        ([attempt("lossy", drop=2.0, distance=0.01), attempt("within", faster=0.5)], "within"),
        ([attempt("most", drop=3.0), attempt("least", drop=2.0)], "least"),
    ],
    ids=["nearest", "quicker", "none-quicker", "limit", "none-within"],
)
def test_which_attempt_is_kept(search: Search, attempts: list[Attempt], best: str) -> None:
    search.attempts = attempts
    assert search.best(1.0).method == best


def test_the_costliest_nodes_stay_float_where_int8_costs_too_much(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    search.attempts = [attempt("static_minmax", drop=9.0), attempt("dynamic", drop=9.0)]
    rows = sensitivity(search)
    distances = [row["distance_without"] for row in rows]
    assert distances == sorted(distances)
    assert len({row["layer"] for row in rows}) == len(rows) > 3
    asked: list[tuple[str, ...]] = []

    def mixed(method: str, kept: tuple[str, ...]) -> Attempt:
        asked.append(kept)
        return attempt(method, drop=9.0 if len(kept) < 2 else 0.1, float_layers=kept)

    monkeypatch.setattr(search, "attempt", mixed)
    names = [row["layer"] for row in rows]
    _mix(search, names, Quantize(max_drop=1.0, float_layers=3))
    assert asked == [tuple(names[:1]), tuple(names[:2])], "it ends at the first that is within the limit"
    assert search.best(1.0).float_layers == tuple(names[:2])


def test_training_for_int8_is_refused(framework: Any, trained: Any, pictures: Examples) -> None:
    recipe = Quantize.model_validate({"aware": {"epochs": 1, "learning_rate": 0.001}})
    with pytest.raises(FrameworkError, match=r"leave quantize\.aware out"):
        framework.quantize(trained.network, pictures, recipe)


def test_without_a_compiler_that_is_said_and_nothing_else_is_hidden(
    trained: Any, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", (None, "/nowhere/g++"))
    calls, facts = in_torch._compiled(trained.network, torch.from_numpy(search.example))
    assert calls == {}
    assert facts == {"skipped": "torch.compile needs a C++ compiler, and there is none here"}

    def broken(network: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        in_torch._compiled(trained.network, torch.from_numpy(search.example))


def test_torchs_own_int8_is_lighter_and_close(framework: Any, transcriber: Any, phrases: Examples) -> None:
    network = build(transcriber, "student", phrases, {"width": 64})
    small = in_torch.dynamic(network)
    assert in_torch.weight(small) < in_torch.weight(network)
    assert in_torch.weight(network) == sum(4 * value.numel() for value in network.state_dict().values())
    for one, other in zip(*(framework.predict(n, phrases.validation.features) for n in (network, small)), strict=True):
        assert np.abs(one - other).max() < 0.05


def test_the_typical_clip_is_the_one_of_median_length() -> None:
    clips = [np.zeros((length, 2), np.float32) for length in (9, 3, 5)]
    assert in_torch.typical(clips).shape == (1, 5, 2)


def test_threads_are_given_back(trained: Any, search: Search, not_compiled: None, threads: None) -> None:
    torch.set_num_threads(2)
    in_torch.compare(search, search.attempt("static_minmax"), 100.0)
    assert torch.get_num_threads() == 2
