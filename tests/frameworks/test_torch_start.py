"""A warm start: weights go on from another corpus, under a new head where its labels are others; what does not fit is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

import models
from frameworks import FrameworkError
from frameworks.examples import Examples, Part
from frameworks.recipe import Distill, Train

BANDS = 20
TEACHER = {"channels": 16, "kernels": [3], "width": 16, "layers": 1, "heads": 2, "positions": 3}
STUDENT = {"width": 16, "kernels": [3, 3]}
STILL = {"epochs": 1, "batch_size": 4, "learning_rate": 1e-12}  # trains, and leaves the weights where they begin
HEAD = {"train": ["head.bias", "head.weight"], "distill": ["head.bias", "head.weight"]}
STAGES = pytest.mark.parametrize("stage", ["train", "distill"])


def corpus(phones: tuple[str, ...]) -> Examples:
    """Noise of 40 to 60 frames, two phones each."""
    rng = np.random.default_rng(5)

    def part(count: int) -> Part:
        bands = [rng.normal(0, 1, (int(rng.integers(40, 60)), BANDS)).astype(np.float32) for _ in range(count)]
        return Part(bands, np.array([[0, 1]] * count, np.int64))

    return Examples(phones, "transcribe", "phoneme_error_rate", part(8), part(4), part(4))


OTHERS, OWN = corpus(("a", "b", "c", "d")), corpus(("x", "y", "z"))


@pytest.fixture(scope="module")
def framework() -> Any:
    import frameworks.torch

    frameworks.torch.seed(3)
    return frameworks.torch


@pytest.fixture(scope="module")
def run(framework: Any) -> Callable[..., Any]:
    """`run("train", examples, start=path)` is the stage's outcome."""

    def stage(name: str, examples: Examples, **settings: Any) -> Any:
        model = models.load("phoneme")
        if name == "train":
            return framework.train(model, examples, Train(**{"network": TEACHER, **STILL, **settings}))
        teacher = framework.train(model, examples, Train(network=TEACHER, **STILL)).network
        recipe = Distill(**{"network": STUDENT, "temperature": 1.0, "alpha": 0.5, **STILL, **settings})
        return framework.distill(model, teacher, examples, recipe)

    return stage


@pytest.fixture(scope="module")
def left(framework: Any, run: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`left("train")` is the folder of a network that the stage left after the other corpus."""
    made: dict[str, Path] = {}

    def folder(stage: str) -> Path:
        if stage not in made:
            made[stage] = tmp_path_factory.mktemp(stage) / "network"
            framework.save(run(stage, OTHERS).network, made[stage])
        return made[stage]

    return folder


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(folder / "weights.safetensors")


def learned(network: Any) -> dict[str, torch.Tensor]:
    """All but running statistics, which change with every batch that is seen."""
    return {name: value.detach() for name, value in network.named_parameters()}


@STAGES
def test_what_agrees_is_taken_and_the_head_is_new(left: Any, run: Any, stage: str) -> None:
    outcome, held = run(stage, OWN, start=str(left(stage))), tensors(left(stage))
    own = learned(outcome.network)
    assert own["head.weight"].shape[0] == len(OWN.labels) + 1
    for name, value in own.items():
        if not name.startswith("head."):
            torch.testing.assert_close(value, held[name], atol=1e-5, rtol=0)
    fact = outcome.facts["start"]
    assert fact["new"] == HEAD[stage]
    assert fact["path"] == str(left(stage))
    assert fact["tensors_taken"] == len(held) - 2
    assert fact["numbers_taken"] == sum(value.numel() for name, value in held.items() if "head." not in name)


@STAGES
def test_a_head_of_as_many_classes_is_taken_too(left: Any, run: Any, stage: str) -> None:
    outcome = run(stage, OTHERS, start=str(left(stage)))
    torch.testing.assert_close(
        learned(outcome.network)["head.weight"], tensors(left(stage))["head.weight"], atol=1e-5, rtol=0
    )
    assert outcome.facts["start"]["new"] == []


def test_running_statistics_are_taken(left: Any, framework: Any) -> None:
    from frameworks.torch.build import build
    from frameworks.torch.start import start

    model = models.load("phoneme")
    network = build(model, "teacher", OWN, TEACHER)
    start(network, model, str(left("train")), "train")
    held = tensors(left("train"))
    assert torch.equal(network.state_dict()["scale.running_mean"], held["scale.running_mean"])
    assert held["scale.running_mean"].abs().max() > 0


def test_it_trains_on_from_there(left: Any, run: Any) -> None:
    outcome = run("train", OWN, start=str(left("train")), learning_rate=0.01)
    held = tensors(left("train"))
    moved = {name for name, value in learned(outcome.network).items() if name in held and "head." not in name
             and not torch.equal(value, held[name])}  # fmt: skip
    assert moved


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_file_of_weights_will_do(left: Any, run: Any, tmp_path: Path, suffix: str) -> None:
    held, file = tensors(left("train")), tmp_path / f"weights{suffix}"
    {".safetensors": safetensors.torch.save_file, ".pt": torch.save}[suffix](held, file)
    assert run("train", OWN, start=str(file)).facts["start"]["tensors_taken"] == len(held) - 2


def test_without_a_start_nothing_is_said_of_one(run: Any) -> None:
    assert "start" not in run("train", OWN).facts


def refused(run: Any, path: Path, words: str, **settings: Any) -> None:
    with pytest.raises(FrameworkError, match=words):
        run("train", OWN, start=str(path), **settings)


def test_another_width_is_refused_with_both_sides(left: Any, run: Any) -> None:
    wider = {**TEACHER, "channels": 24}
    words = r"train\.start: .*teacher.*'channels': 24.*shapes differ \(there, here\): .*16.*24"
    refused(run, left("train"), words, network=wider)


def test_fewer_layers_are_refused_by_name(left: Any, run: Any) -> None:
    refused(run, left("train"), r"it has besides .*layers\.0\..* and \d+ more", network={**TEACHER, "layers": 0})


def test_more_layers_are_refused_by_name(left: Any, run: Any) -> None:
    refused(run, left("train"), r"it lacks layers\.1\.", network={**TEACHER, "layers": 2})


def test_the_other_part_is_refused(left: Any, run: Any) -> None:
    refused(run, left("distill"), r"is not the teacher that models/phoneme\.py builds with .*it lacks")


def test_a_head_alone_is_nothing_to_begin_with(framework: Any, tmp_path: Path) -> None:
    from types import SimpleNamespace

    from frameworks.torch.build import from_spec
    from frameworks.torch.start import start

    def only_a_head(shape: Any, classes: int, settings: Any) -> Any:
        return torch.nn.Sequential(torch.nn.Linear(4, classes))

    model: Any = SimpleNamespace(name="flat", teacher=only_a_head, student=only_a_head)
    network = from_spec({"part": "teacher", "shape": [4], "classes": 3, "settings": {}}, model)
    safetensors.torch.save_file(only_a_head((4,), 5, {}).state_dict(), tmp_path / "head.safetensors")
    with pytest.raises(FrameworkError, match=r"nothing but a head is in .*head\.safetensors"):
        start(network, model, str(tmp_path / "head.safetensors"), "train")


def test_what_is_no_network_says_what_is(run: Any, tmp_path: Path, left: Any) -> None:
    allowed = (
        r"allowed: the folder network that train or distill left, or a file that ends in \.safetensors, \.pt, \.pth"
    )
    refused(run, tmp_path / "nowhere", rf"nowhere is not there; {allowed}")
    refused(run, left("train").parent, rf"holds no weights.*{allowed}")
    (tmp_path / "weights.onnx").touch()
    refused(run, tmp_path / "weights.onnx", rf"weights\.onnx holds no weights.*{allowed}")
    (tmp_path / "cut.safetensors").write_bytes((left("train") / "weights.safetensors").read_bytes()[:1000])
    refused(run, tmp_path / "cut.safetensors", r"train\.start: .*cut\.safetensors is not a whole safetensors file")
