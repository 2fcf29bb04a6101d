"""int8 files fitted to their float form: nearer to it than the converter's, alike in structure, and never wrong by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frameworks.formats import tflite as file_format
from frameworks.formats.rounding import rounded
from frameworks.formats.tflite_fit import fitted
from frameworks.formats.tflite_views import LAYERS, Views, options
from frameworks.formats.tflite_windows import windows

SHAPE = (20, 16)


def features(count: int, seed: int) -> np.ndarray:
    """Smooth pictures, whose neighbouring values go together as those of sound do."""
    noise = np.random.default_rng(seed).normal(size=(count, SHAPE[0] + 4, SHAPE[1] + 4)).astype(np.float32)
    return sum(noise[:, i : i + SHAPE[0], j : j + SHAPE[1]] for i in range(5) for j in range(5)) / np.float32(5)


@pytest.fixture(scope="module")
def network(keras: Any) -> Any:
    """A network of every layer that is fitted, with channels of very different loudness, as pruning and training leave them."""
    from tensorflow.keras import Input, Model, layers

    keras.seed(5)
    inputs = Input(SHAPE)
    x = layers.Reshape((*SHAPE, 1))(inputs)
    x = layers.ReLU()(layers.Conv2D(12, (5, 3), (2, 1), padding="same")(x))
    x = layers.ReLU()(layers.DepthwiseConv2D(3, padding="valid", depth_multiplier=2)(x))
    x = layers.ReLU()(layers.Conv2D(16, 1)(x))
    x = layers.ReLU(6.0)(layers.DepthwiseConv2D(3, (2, 2), padding="same")(x))
    x = layers.ReLU()(layers.Conv2D(16, 3, padding="same", dilation_rate=2)(x))
    x = layers.GlobalAveragePooling2D()(x)
    made = Model(inputs, layers.Dense(6)(x))
    dice = np.random.default_rng(5)
    for layer in made.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            turned = np.swapaxes(kernel, -1, -2) if "depthwise" in layer.name else kernel
            turned *= np.geomspace(0.3, 4.0, turned.shape[-1])
            layer.set_weights([kernel, dice.normal(0, 0.3, bias.shape)])
    return made


@pytest.fixture(scope="module")
def files(keras: Any, network: Any) -> dict[str, bytes]:
    """The network's files, as they are made from 64 clips of calibration."""
    from frameworks.keras import tflite

    heard = features(64, 1)
    return {
        "float": tflite.float32(network),
        "converter": tflite.int8(network, heard),
        "fitted": tflite.fitted(network, heard),
        "micro": tflite.fitted(network, heard, micro=True),
    }


def logits(content: bytes, held: np.ndarray) -> np.ndarray:
    """What the last layer of a file answers."""
    file = Views(content)
    last = [operator for operator in file.operators if file.kind(operator) in LAYERS][-1]
    return file.held(int(last.Outputs(0)), held)


def test_a_fitted_file_is_nearer_to_float_on_clips_it_never_met(keras: Any, small: Any, examples: Any) -> None:
    """By how far the winner is ahead of the second, which is what decides."""
    from frameworks.keras import tflite

    heard, held = examples.calibration.features, examples.validation.features
    exact = logits(tflite.float32(small), held)
    second, first = np.argsort(exact, axis=1)[:, -2:].T
    rows = np.arange(len(held))

    def error(content: bytes) -> float:
        apart = logits(content, held) - exact
        return float(np.sqrt(np.mean(np.square(apart[rows, first] - apart[rows, second]))))

    fit = error(tflite.fitted(small, heard))
    assert fit < 0.8 * error(tflite.int8(small, heard))
    assert error(tflite.fitted(small, heard, micro=True)) == pytest.approx(fit, rel=0.01)


@pytest.mark.parametrize("name", ["fitted", "micro"])
def test_its_structure_and_size_stay(files: dict[str, bytes], tmp_path: Path, name: str) -> None:
    (file := tmp_path / "made.tflite").write_bytes(files[name])
    assert file_format.audit(file).problems("int8", micro=name == "micro") == []
    if name == "fitted":
        (before := tmp_path / "before.tflite").write_bytes(files["converter"])
        assert file_format.audit(file) == file_format.audit(before)
        assert len(files["fitted"]) == len(files["converter"])


def test_the_same_clips_give_the_same_bytes(files: dict[str, bytes]) -> None:
    assert fitted(files["converter"], files["float"], features(64, 1)) == files["fitted"]


def test_a_file_of_another_network_is_left_alone(keras: Any, files: dict[str, bytes]) -> None:
    from tensorflow.keras import Sequential, layers

    from frameworks.keras import tflite

    other = Sequential([layers.Input(SHAPE), layers.Flatten(), layers.Dense(4)])
    assert fitted(tflite.int8(other, features(8, 1)), files["float"], features(8, 1)) == tflite.int8(other, features(8, 1))


def test_pruned_weights_stay_zero_and_dead_channels_answer_their_bias(keras: Any, network: Any) -> None:
    from frameworks.keras import tflite

    pruned = type(network).from_config(network.get_config())
    pruned.set_weights(network.get_weights())
    stem = next(layer for layer in pruned.layers if layer.name.startswith("conv2d"))
    kernel, bias = stem.get_weights()
    kernel[np.abs(kernel) < 0.1] = 0
    kernel[..., 3] = 0
    bias[3] = 2.0
    stem.set_weights([kernel, bias])
    heard = features(64, 1)
    file = Views(tflite.fitted(pruned, heard))
    first = next(operator for operator in file.operators if file.kind(operator) == "CONV_2D")
    stored = file.values(int(first.Inputs(1)), np.int8)
    assert np.all(stored[np.moveaxis(kernel, -1, 0) == 0] == 0)
    answers = file.held(int(first.Outputs(0)), heard)[..., 3]
    assert np.ptp(answers) == 0
    # What follows undoes the channel's new loudness, and whole clips answer as float does.
    exact = logits(tflite.float32(pruned), heard)
    assert np.abs(logits(bytes(file.content), heard) - exact).max() < 0.1 * np.ptp(exact)


@pytest.mark.parametrize("most", [10**9, 320], ids=["every place", "some"])
def test_windows_are_what_a_convolution_multiplies(files: dict[str, bytes], most: int) -> None:
    file, held = Views(files["float"]), features(16, 3)
    for operator in file.operators:
        kind = file.kind(operator)
        if kind != "CONV_2D":
            continue
        weights, bias = (file.values(int(operator.Inputs(i)), np.float32) for i in (1, 2))
        rows = windows(options(operator, kind), weights.shape[1:3], file.held(int(operator.Inputs(0)), held), most)
        answers = np.maximum(rows.reshape(len(rows), -1) @ weights.reshape(len(weights), -1).T + bias, 0)
        wanted = file.held(int(operator.Outputs(0)), held).reshape(len(held), -1, len(weights))
        assert len(rows) <= max(most, len(held))
        places = np.linspace(0, wanted.shape[1] - 1, len(rows) // len(held)).astype(int)
        np.testing.assert_allclose(np.minimum(answers, wanted.max()), wanted[:, places].reshape(answers.shape), atol=1e-4)


def test_rounding_minds_inputs_that_go_together() -> None:
    dice = np.random.default_rng(4)
    heard = dice.normal(size=(4000, 3)) @ dice.normal(size=(3, 24)) + 0.05 * dice.normal(size=(4000, 24)) + 3.0
    weights = dice.normal(size=(8, 24))
    wanted = heard @ weights.T + 1.0
    step = 0.02
    made = rounded(weights, heard, wanted, step)
    answers = heard @ (made.integers * made.scales[:, None]).T + made.bias * step * made.scales
    nearest = np.rint(weights / made.scales[:, None]) * made.scales[:, None]
    plain = heard @ nearest.T + 1.0
    assert np.abs(made.integers).max() <= 127
    assert np.sqrt(np.mean((answers - wanted) ** 2)) < 0.3 * np.sqrt(np.mean((plain - wanted) ** 2))
    assert np.abs((answers - wanted).mean(axis=0)).max() < step


def test_a_bias_far_beyond_its_weights_still_fits_int32() -> None:
    heard = np.random.default_rng(6).normal(size=(100, 4))
    weights = np.full((1, 4), 1e-12)
    made = rounded(weights, heard, heard @ weights.T + 1e5, 0.01)
    assert float(made.bias[0] * 0.01 * made.scales[0]) == pytest.approx(1e5, rel=1e-6)
