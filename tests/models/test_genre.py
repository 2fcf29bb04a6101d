"""The genre networks: convolutions over time alone, and what TensorFlow Lite makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from frameworks.examples import Examples, Part
from frameworks.formats import tflite
from frameworks.recipe import Prune, Variant

SHAPE = (50, 13)
LABELS = ("classical", "electronic", "jazz", "rock", "speech")
TINY = {"teacher": {"stem": 8, "widths": [8, 8], "kernel": 3}, "student": {"width": 8, "strides": [2], "kernel": 3}}


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Coefficients whose course in time tells the label: label k swings k + 1 times a second."""
    rng = np.random.default_rng(8)

    def part(count: int) -> Part:
        labels = np.arange(count) % len(LABELS)
        time = np.arange(SHAPE[0]) / SHAPE[0]
        course = np.sin(2 * np.pi * (labels[:, None] + 1) * time + rng.uniform(0, 6, (count, 1)))
        features = course[:, :, None] * np.linspace(1, 0.2, SHAPE[1]) + rng.normal(0, 0.1, (count, *SHAPE))
        return Part(features.astype(np.float32), labels)

    return Examples(LABELS, "classify", "macro_f1", part(60), part(20), part(30))


@pytest.fixture(scope="module")
def networks(keras: Any) -> dict[str, Any]:
    keras.seed(1)
    model = models.load("genre")
    return {part: getattr(model, part)(SHAPE, len(LABELS), {}) for part in ("teacher", "student")}


def test_it_declares_what_it_is() -> None:
    model = models.load("genre")
    assert (model.framework, model.task, model.metric) == ("keras", "classify", "macro_f1")


def test_the_student_is_a_tenth_of_its_teacher(keras: Any, networks: dict[str, Any]) -> None:
    teacher, student = keras.size(networks["teacher"]), keras.size(networks["student"])
    assert student.parameters * 10 < teacher.parameters
    assert student.macs * 10 < teacher.macs


@pytest.mark.parametrize("part", ["teacher", "student"])
def test_coefficients_are_channels_and_nothing_slides_over_them(networks: dict[str, Any], part: str) -> None:
    kernels = [layer.kernel_size for layer in networks[part].layers if hasattr(layer, "kernel_size")]
    assert {size[1] for size in kernels} == {1}
    assert max(size[0] for size in kernels) == 9


@pytest.mark.parametrize("part", ["teacher", "student"])
@pytest.mark.parametrize("shape", [(50, 13), (31, 20), (8, 13)])
def test_small_settings_and_other_contexts_build(keras: Any, part: str, shape: tuple[int, int]) -> None:
    network = getattr(models.load("genre"), part)(shape, 2, TINY[part])
    assert network.input_shape == (None, *shape)
    assert network.output_shape == (None, 2)


def test_int8_holds_throughout(keras: Any, networks: dict[str, Any], examples: Examples, tmp_path: Path) -> None:
    from frameworks.keras.quantize import answers

    file = tmp_path / "genre.tflite"
    scheme = {"method": "post_training", "network": "network", "float_layers": []}
    keras.convert(networks["student"], scheme, Variant(backend="tflite", precision="int8"), examples, file)
    assert tflite.audit(file).problems("int8") == []
    assert answers(file.read_bytes(), examples.validation.features).shape == (30, len(LABELS))


def test_channels_of_the_teacher_and_the_student_can_go(keras: Any, examples: Examples) -> None:
    recipe = Prune(channels=0.3, multiple=2, epochs=1, batch_size=20, max_drop=100.0, attempts=1)
    for part in ("teacher", "student"):
        network = getattr(models.load("genre"), part)(SHAPE, len(LABELS), TINY[part])
        narrow = keras.prune(network, examples, recipe).network
        assert keras.size(narrow).parameters < keras.size(network).parameters, part
