"""The respiratory networks: a CRNN that TensorFlow Lite runs with one fused operator, and a student for microcontrollers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from frameworks.examples import Examples, Part
from frameworks.formats import micro, tflite
from frameworks.metrics import MetricError
from frameworks.recipe import Prune, Train, Variant

SHAPE = (97, 48)
SMALL = (24, 8)
LABELS = ("crackle", "normal", "wheeze")
TINY = {"teacher": {"widths": [4, 8], "recurrent": 6}, "student": {"width": 8, "strides": [2], "group": 4}}
INT8 = {"method": "post_training", "network": "network", "float_layers": []}


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Pictures (24, 8): a click in one frame, noise, or a line in one band; normal is five times as common."""
    rng = np.random.default_rng(9)

    def part(count: int) -> Part:
        labels = np.array([0, 1, 1, 1, 1, 1, 2])[np.arange(count) % 7]
        features = rng.normal(0, 0.3, (count, *SMALL)).astype(np.float32)
        for clip, label in zip(features, labels, strict=True):
            if label == 0:
                clip[rng.integers(SMALL[0])] += 3
            if label == 2:
                clip[:, rng.integers(SMALL[1])] += 3
        return Part(features, labels)

    return Examples(LABELS, "classify", "icbhi", part(140), part(21), part(70))


@pytest.fixture(scope="module")
def networks(keras: Any) -> dict[str, Any]:
    keras.seed(1)
    model = models.load("respiratory")
    return {part: getattr(model, part)(SHAPE, 4, {}) for part in ("teacher", "student")}


def test_it_declares_what_it_is() -> None:
    model = models.load("respiratory")
    assert (model.framework, model.task, model.metric) == ("keras", "classify", "icbhi")


def test_the_student_is_a_fraction_of_its_teacher(keras: Any, networks: dict[str, Any]) -> None:
    teacher, student = keras.size(networks["teacher"]), keras.size(networks["student"])
    assert student.parameters * 5 < teacher.parameters
    assert student.macs * 3 < teacher.macs


def test_the_recurrent_part_is_counted(keras: Any) -> None:
    """Four gates, each reading the picture's frame and the state before, once a frame."""
    from tensorflow.keras import Input, Model, layers

    inputs = Input((7, 5))
    one_way = layers.LSTM(3, return_sequences=True)(inputs)
    both_ways = layers.Bidirectional(layers.GRU(2))(one_way)
    found = keras.size(Model(inputs, both_ways))
    assert found.macs == 7 * 4 * 3 * (5 + 3) + 7 * 2 * (3 * 2 * (3 + 2))
    assert found.parameters == 4 * 3 * (5 + 3 + 1) + 2 * 3 * 2 * (3 + 2 + 2)


def test_a_picture_no_group_divides_is_refused(keras: Any) -> None:
    with pytest.raises(models.ModelError, match="group 5 does not divide the front end's 48 bands"):
        models.load("respiratory").student(SHAPE, 4, {"group": 5})


@pytest.mark.parametrize("part", ["teacher", "student"])
def test_small_settings_build(keras: Any, part: str) -> None:
    network = getattr(models.load("respiratory"), part)(SMALL, 3, TINY[part])
    assert network.input_shape == (None, *SMALL)
    assert network.output_shape == (None, 3)


def test_the_teacher_converts_to_one_fused_operator(keras: Any, examples: Examples, tmp_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    from frameworks.keras.quantize import answers

    network, file = models.load("respiratory").teacher(SMALL, 3, TINY["teacher"]), tmp_path / "teacher.tflite"
    keras.convert(network, {}, Variant(backend="tflite", precision="float32"), examples, file)
    names = [operator["op_name"] for operator in Interpreter(str(file))._get_ops_details()]
    assert names.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 1
    assert "WHILE" not in names
    features = examples.validation.features
    assert np.abs(answers(file.read_bytes(), features) - keras.predict(network, features)).max() < 1e-4


def test_balanced_training_finds_what_is_rare(keras: Any, examples: Examples) -> None:
    recipe = Train(network=TINY["teacher"], epochs=8, batch_size=14, learning_rate=0.01, balance=True)
    keras.seed(2)
    network = keras.train(models.load("respiratory"), examples, recipe).network
    held = examples.validation
    given = keras.predict(network, held.features).argmax(axis=1)
    assert np.mean(given[held.labels == 0] == 0) > 0.5
    assert np.mean(given[held.labels == 2] == 2) > 0.5


def test_a_corpus_without_normal_is_refused(keras: Any, examples: Examples) -> None:
    import dataclasses

    other = dataclasses.replace(examples, labels=("crackle", "healthy", "wheeze"))
    with pytest.raises(MetricError, match="icbhi needs the label 'normal'; the corpus has: crackle, healthy, wheeze"):
        keras.train(models.load("respiratory"), other, Train(network=TINY["teacher"], epochs=1))


def test_the_student_runs_on_a_microcontrollers_kernels(
    keras: Any, networks: dict[str, Any], examples: Examples, tmp_path: Path
) -> None:
    rng, file = np.random.default_rng(3), tmp_path / "respiratory.tflite"
    whole = Part(rng.normal(size=(20, *SHAPE)).astype(np.float32), np.zeros(20, int))
    keras.convert(
        networks["student"],
        INT8,
        Variant(backend="tflite", precision="int8"),
        Examples((*LABELS, "rhonchi"), "classify", "icbhi", whole, whole, whole),
        file,
        micro=True,
    )
    assert tflite.audit(file).problems("int8", micro=True) == []
    assert file.stat().st_size < 500_000
    assert micro.arena(file) < 160_000, "an ESP32 has 320 KB of data memory, half of it for others"


def test_channels_of_the_student_can_go(keras: Any, examples: Examples) -> None:
    network = models.load("respiratory").student(SMALL, 3, TINY["student"])
    recipe = Prune(channels=0.3, multiple=2, epochs=1, batch_size=20, max_drop=100.0, attempts=1)
    assert keras.size(keras.prune(network, examples, recipe).network).parameters < keras.size(network).parameters
