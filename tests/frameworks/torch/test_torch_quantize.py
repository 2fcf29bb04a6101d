"""The search for int8: every way is measured, the nearest quick one is kept, and the facts say why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from frameworks import FrameworkError, metrics
from frameworks.examples import Examples
from frameworks.formats.onnx_search import Attempt
from frameworks.limit import Limit
from frameworks.recipe import Quantize
from frameworks.torch import in_torch
from frameworks.torch.build import build
from frameworks.torch.convert import METHODS
from frameworks.torch.quantize import beside, best, typical, why

ACCURACY = metrics.choose("accuracy")


@pytest.fixture
def not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.compile takes many seconds; here it hands back what it is given."""
    monkeypatch.setattr(torch, "compile", lambda network: network)


def attempt(
    method: str, *, drop: float = 0.0, agreement: float = 99.0, distance: float = 0.1, faster: float = 2.0
) -> Attempt:
    return Attempt(method, (), 90.0, drop, agreement, distance, 10, 1.0, faster)


def test_every_way_is_tried_and_one_is_planned(
    framework: Any, trained: Any, pictures: Examples, not_compiled: None
) -> None:
    scheme = framework.quantize(trained.network, pictures, Quantize(max_drop=5.0, float_layers=0))
    assert [tried["method"] for tried in scheme.facts["attempts"]] == list(METHODS)
    assert list(METHODS) == ["minmax", "entropy", "percentile", "dynamic"]
    assert set(scheme.plan) == {"int8"}, "there is no microcontroller for torch"
    plan = scheme.plan["int8"]
    assert plan["method"] == scheme.facts["method"]
    assert (plan["network"], plan["float_layers"]) == ("network", [])
    assert scheme.networks == {"network": trained.network}
    assert plan["method"] in scheme.facts["why"]
    assert set(scheme.facts["milliseconds"]) == {"onnx_float", "onnx_int8", "torch", "torch_dynamic", "torch_compiled"}
    assert all(taken > 0 for taken in scheme.facts["milliseconds"].values())
    assert scheme.facts["in_torch"]["dynamic"]["drop"] <= 5.0
    assert "torch's dynamic int8 takes" in scheme.facts["in_torch"]["why"]


def test_phrases_are_quantized_too(framework: Any, transcriber: Any, phrases: Examples, not_compiled: None) -> None:
    network = build(transcriber, "student", phrases, {})
    scheme = framework.quantize(network, phrases, Quantize(max_drop=100.0, float_layers=0))
    assert all(np.isfinite(tried["distance"]) for tried in scheme.facts["attempts"])


@pytest.mark.parametrize(
    ("attempts", "kept", "reason"),
    [
        ([attempt("near", distance=0.01), attempt("far")], "near", "the nearest to float of those that are both"),
        ([attempt("slow", distance=0.01, faster=0.5), attempt("quick")], "quick", "runs 2.00 times as fast"),
        (
            [attempt("slow", faster=0.9), attempt("slower", faster=0.5, distance=0.01)],
            "slower",
            "no attempt within the limit was faster",
        ),
        ([attempt("lossy", drop=2.0, distance=0.01), attempt("within", faster=0.5)], "within", "within max_drop 1"),
        ([attempt("most", drop=3.0), attempt("least", drop=2.0)], "least", "none was within max_drop 1"),
        ([attempt("slow", drop=1.1, faster=0.05), attempt("quick", drop=2.0)], "quick", "none was within max_drop 1"),
        ([attempt("anew", agreement=94.0), attempt("alike", drop=0.9)], "alike", "keeps 99.0 % of answers"),
        ([attempt("anew", agreement=94.0), attempt("lossy", drop=1.1)], "lossy", "none was within max_drop 1 and 95 %"),
    ],
    ids=["nearest", "quicker", "none-quicker", "limit", "none-within", "none-within-slow", "answers", "answers-none-within"],
)
def test_which_attempt_is_kept_and_why(attempts: list[Attempt], kept: str, reason: str) -> None:
    limit = Limit(1.0, 95.0)
    chosen = best(attempts, limit)
    assert chosen.method == kept
    assert reason in why(chosen, limit)


@pytest.mark.parametrize(
    ("quick", "drop", "better"), [(0.5, 0.2, True), (0.5, 3.0, False), (2.0, 0.0, False)], ids=["both", "lossy", "slow"]
)
def test_where_torchs_own_int8_would_be_better_that_is_said(quick: float, drop: float, better: bool) -> None:
    own = in_torch.Forms({}, {"dynamic": {"drop": drop}})
    words = beside(attempt("minmax"), {"torch_dynamic": quick, "onnx_int8": 1.0}, own, 1.0)
    assert ("cannot ship, as the runtime has no torch" in words) == better


def test_training_for_int8_is_refused(framework: Any, trained: Any, pictures: Examples) -> None:
    recipe = Quantize.model_validate({"aware": {"epochs": 1, "learning_rate": 0.001}})
    with pytest.raises(FrameworkError, match=r"leave quantize\.aware out"):
        framework.quantize(trained.network, pictures, recipe)


def test_without_a_compiler_that_is_said(trained: Any, pictures: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", (None, "/nowhere/g++"))
    own = in_torch.forms(trained.network, pictures, ACCURACY, typical(pictures.validation.features))
    assert set(own.calls) == {"torch", "torch_dynamic"}
    assert own.facts["compile"] == {"skipped": "torch.compile needs a C++ compiler, and there is none here"}


def test_another_fault_of_compiling_is_not_hidden(
    trained: Any, pictures: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(network: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        in_torch.forms(trained.network, pictures, ACCURACY, typical(pictures.validation.features))


def test_torchs_own_int8_is_lighter_and_close(framework: Any, transcriber: Any, phrases: Examples) -> None:
    network = build(transcriber, "student", phrases, {"width": 64})
    small = in_torch.dynamic(network)
    assert in_torch.weight(small) < in_torch.weight(network)
    assert in_torch.weight(network) == sum(4 * value.numel() for value in network.state_dict().values())
    for one, other in zip(*(framework.predict(n, phrases.validation.features) for n in (network, small)), strict=True):
        assert np.abs(one - other).max() < 0.05


def test_the_typical_clip_is_the_one_of_median_length() -> None:
    clips = [np.zeros((length, 2), np.float32) for length in (9, 3, 5)]
    assert typical(clips).shape == (1, 5, 2)


def test_threads_are_given_back(threads: None) -> None:
    torch.set_num_threads(2)
    with in_torch.one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_int8_of_the_plan_is_what_the_search_measured(
    framework: Any, trained: Any, pictures: Examples, not_compiled: None, tmp_path: Path
) -> None:
    """`convert` exports anew: names of nodes and bytes must be those of the search."""
    from frameworks.recipe import Variant

    scheme = framework.quantize(trained.network, pictures, Quantize(max_drop=100.0, float_layers=0))
    method = scheme.plan["int8"]["method"]
    file = tmp_path / "x.onnx"
    framework.convert(trained.network, scheme.plan["int8"], Variant(backend="onnx", precision="int8"), pictures, file)
    assert file.stat().st_size == next(a["bytes"] for a in scheme.facts["attempts"] if a["method"] == method)
