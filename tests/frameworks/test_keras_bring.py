"""Networks brought in: they answer as they did where they came from, do what every network does, and bring no code along."""

from __future__ import annotations

import json
import shutil
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from frameworks import FrameworkError, NotApplicableError
from frameworks.examples import Examples, Part
from frameworks.recipe import Distill, Prune, Quantize, Train, Variant

LABELS = ("one", "three", "two")
SHAPE = (20, 8)
FORMS = {"hdf5": ".h5", "keras": ".keras", "saved_model": ""}
INT8 = {"method": "post_training", "network": "network", "float_layers": []}


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Features without meaning: what is asked here is whether answers stay the same."""
    rng = np.random.default_rng(1)

    def part(count: int) -> Part:
        return Part(rng.normal(size=(count, *SHAPE)).astype(np.float32), np.arange(count) % len(LABELS))

    return Examples(LABELS, "classify", "accuracy", part(48), part(16), part(24))


@pytest.fixture(scope="module")
def build(keras: Any) -> Callable[..., Any]:
    """`build(shape, end)` is a convolutional network that takes `shape` and ends in logits or one of softmax's forms."""
    from tensorflow.keras import Input, Model, layers

    ends = {
        "logits": lambda x: layers.Dense(3, name="last")(x),
        "dense": lambda x: layers.Dense(3, activation="softmax", name="last")(x),
        "softmax": lambda x: layers.Softmax(name="end")(layers.Dense(3, name="last")(x)),
        "activation": lambda x: layers.Activation("softmax", name="end")(layers.Dense(3, name="last")(x)),
    }

    def make(shape: tuple[int, ...] = SHAPE, end: str = "dense") -> Any:
        inputs = Input(shape, name="features")
        x = inputs if len(shape) == 3 else layers.Reshape((*shape, 1), name="picture")(inputs)
        x = layers.Conv2D(8, 3, padding="same", kernel_initializer="he_normal", name="first")(x)
        x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))
        return Model(inputs, ends[end](layers.GlobalAveragePooling2D(name="pool")(x)))

    return make


@pytest.fixture(scope="module")
def own(keras: Any) -> Any:
    """A network whose class is its author's own: only its graph can be brought."""
    import tensorflow as tf

    class Own(tf.keras.Model):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.over = tf.keras.layers.Conv1D(6, 3, name="over")
            self.last = tf.keras.layers.Dense(3, activation="softmax", name="last")

        def call(self, x: Any) -> Any:
            return self.last(tf.reduce_mean(self.over(x), 1))

    network = Own()
    network(np.zeros((1, *SHAPE), np.float32))
    return network


def saved(network: Any, place: Path) -> Path:
    """`network` as Keras saves it there, which in two of three forms is a warning that another form is newer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.save(place)
    return place


def bring(keras: Any, examples: Examples, place: Path) -> Any:
    """The outcome of `train` whose recipe names a network."""
    recipe = Train.model_validate({"import": str(place)})
    return keras.train(None, examples, recipe)


def probabilities(network: Any, features: np.ndarray) -> np.ndarray:
    answers = np.asarray(network(features, training=False))
    if answers.min() < 0 or np.abs(answers.sum(axis=1) - 1).max() > 1e-3:
        exponents = np.exp(answers - answers.max(axis=1, keepdims=True))
        return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))
    return answers


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("end", "ends_in"), [("logits", "logits"), ("dense", "softmax"), ("activation", "softmax")])
def test_it_answers_as_it_did(
    keras: Any, examples: Examples, build: Callable[..., Any], tmp_path: Path, form: str, end: str, ends_in: str
) -> None:
    network, features = build(end=end), examples.validation.features
    outcome = bring(keras, examples, saved(network, tmp_path / f"network{FORMS[form]}"))
    assert np.abs(keras.predict(outcome.network, features) - probabilities(network, features)).max() < 1e-5
    assert outcome.facts["ends_in"] == ends_in
    assert outcome.facts["form"] == form
    assert outcome.facts.get("rebuilt", True)
    assert outcome.curve == []


def test_softmax_as_a_layer_of_its_own_is_found_too(
    keras: Any, examples: Examples, build: Callable[..., Any], tmp_path: Path
) -> None:
    network, features = build(end="softmax"), examples.validation.features
    outcome = bring(keras, examples, saved(network, tmp_path / "network.h5"))
    logits = np.asarray(outcome.network(features, training=False))
    assert outcome.facts["ends_in"] == "softmax"
    assert logits.min() < 0
    assert np.abs(probabilities(outcome.network, features) - probabilities(network, features)).max() < 1e-5


@pytest.mark.parametrize("form", FORMS)
def test_an_axis_of_one_may_be_missing(
    keras: Any, examples: Examples, build: Callable[..., Any], tmp_path: Path, form: str
) -> None:
    network, features = build((*SHAPE, 1)), examples.validation.features
    outcome = bring(keras, examples, saved(network, tmp_path / f"network{FORMS[form]}"))
    assert outcome.network.input_shape == (None, *SHAPE)
    assert outcome.facts["takes"] == [*SHAPE, 1]
    expected = probabilities(network, features[..., None])
    assert np.abs(keras.predict(outcome.network, features) - expected).max() < 1e-5


@pytest.mark.parametrize("form", FORMS)
def test_a_sequential_over_any_number_of_frames_is_fixed_to_ours(
    keras: Any, examples: Examples, tmp_path: Path, form: str
) -> None:
    from tensorflow.keras import Sequential, layers

    network = Sequential(
        [
            layers.Conv1D(6, 3, activation="relu", input_shape=(None, SHAPE[1])),
            layers.LSTM(5),
            layers.Dense(3, activation="softmax"),
        ]
    )
    outcome = bring(keras, examples, saved(network, tmp_path / f"network{FORMS[form]}"))
    assert outcome.network.input_shape == (None, *SHAPE)
    features = examples.validation.features
    assert np.abs(keras.predict(outcome.network, features) - probabilities(network, features)).max() < 1e-5
    assert keras.size(outcome.network).macs == 3 * 8 * 6 * 18 + (6 + 5) * 4 * 5 * 18 + 5 * 3


def test_a_brought_network_is_pruned_like_any_other(
    keras: Any, examples: Examples, build: Callable[..., Any], tmp_path: Path
) -> None:
    network = bring(keras, examples, saved(build((*SHAPE, 1)), tmp_path / "network.keras")).network
    recipe = Prune(channels=0.3, multiple=1, sparsity=0.2, epochs=1, batch_size=16, max_drop=100.0, attempts=1)
    small = keras.prune(network, examples, recipe).network
    assert small.get_layer("first").output_shape[-1] < 8


@pytest.fixture(scope="module")
def whole(keras: Any, own: Any, examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What `train` makes of a SavedModel without layers."""
    return bring(keras, examples, saved(own, tmp_path_factory.mktemp("own") / "network"))


def test_a_graph_predicts_and_says_why_it_is_one(keras: Any, own: Any, whole: Any, examples: Examples) -> None:
    features = examples.validation.features
    assert np.abs(keras.predict(whole.network, features) - probabilities(own, features)).max() < 1e-5
    assert whole.facts["rebuilt"] is False
    assert "a class of its author's, Own" in whole.facts["why"]
    assert whole.facts["ends_in"] == "probabilities"
    size = keras.size(whole.network)
    assert size.parameters == 3 * 8 * 6 + 6 + 6 * 3 + 3
    assert size.macs == 3 * 8 * 6 * 18 + 6 * 3


def test_a_graph_is_the_same_after_it_was_saved(keras: Any, whole: Any, examples: Examples, tmp_path: Path) -> None:
    keras.save(whole.network, tmp_path / "one")
    loaded = keras.load(tmp_path / "one")
    keras.save(loaded, tmp_path / "two")
    features = examples.validation.features
    assert np.array_equal(keras.predict(loaded, features), keras.predict(whole.network, features))
    for file in ("around.json", "graph/saved_model.pb", "graph/variables/variables.data-00000-of-00001"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize(
    ("backend", "precision", "tolerance"),
    [("tflite", "float32", 1e-5), ("tflite", "float16", 5e-3), ("onnx", "float32", 1e-5), ("tflite", "int8", 0.15)],
)
def test_a_graph_converts(
    keras: Any,
    whole: Any,
    examples: Examples,
    answer: Callable[..., np.ndarray],
    tmp_path: Path,
    backend: str,
    precision: str,
    tolerance: float,
) -> None:
    file, features = tmp_path / f"network.{backend}", examples.validation.features
    variant = Variant.model_validate({"backend": backend, "precision": precision})
    keras.convert(whole.network, INT8, variant, examples, file)
    assert np.abs(answer(file, features) - keras.predict(whole.network, features)).max() <= tolerance


def test_a_graph_teaches_and_is_quantized_but_not_pruned(keras: Any, whole: Any, examples: Examples) -> None:
    import models

    before = keras.predict(whole.network, examples.validation.features)
    recipe = Distill(network={"width": 4, "strides": [2]}, epochs=1, batch_size=16)
    taught = keras.distill(models.load("keywords"), whole.network, examples, recipe)
    assert {row["phase"] for row in taught.curve} == {"distill alone", "distill taught"}
    assert np.array_equal(keras.predict(whole.network, examples.validation.features), before), (
        "a teacher does not learn"
    )
    assert keras.quantize(whole.network, examples, Quantize(max_drop=100.0)).plan["int8"]["network"] == "network"
    with pytest.raises(NotApplicableError, match="without layers: nothing can be narrowed"):
        keras.prune(whole.network, examples, Prune(channels=0.1))


def refused(keras: Any, examples: Examples, place: Path) -> str:
    with pytest.raises(FrameworkError) as caught:
        bring(keras, examples, place)
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_file_brings_no_code(keras: Any, examples: Examples, tmp_path: Path, suffix: str) -> None:
    from tensorflow.keras import Sequential, layers

    layer = layers.Lambda(lambda x: x * 2)
    network = Sequential([layers.Flatten(input_shape=SHAPE), layer, layers.Dense(3)])
    said = refused(keras, examples, saved(network, tmp_path / f"network{suffix}"))
    assert "holds Lambda, a Python function" in said
    assert "code in a file is not run" in said


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"class_name": "system", "module": "os"}, "system"),
        ({"class_name": "function", "module": "builtins", "config": "exec"}, "function"),
        ({"class_name": "get_file", "module": "keras.utils"}, "get_file"),
        ({"class_name": "Dense", "module": "subprocess"}, "Dense"),
        ({"class_name": "system", "module": "os", "registered_name": "pianissimo>anything"}, "system"),
    ],
)
def test_a_file_names_no_code_of_ours_either(
    keras: Any,
    examples: Examples,
    build: Callable[..., Any],
    tmp_path: Path,
    changes: dict[str, Any],
    named: str,
) -> None:
    """A description can name anything that can be imported; Keras would fetch it."""
    good, bad = saved(build(), tmp_path / "good.keras"), tmp_path / "bad.keras"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"][-1] |= changes
                content = json.dumps(config).encode()
            target.writestr(name, content)
    assert f"holds {named}, for which a file would have to bring code" in refused(keras, examples, bad)


def test_a_graph_that_writes_files_is_refused(keras: Any, examples: Examples, tmp_path: Path) -> None:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE), tf.float32)])  # type: ignore[untyped-decorator]
    def call(features: Any) -> Any:
        tf.io.write_file(str(tmp_path / "written"), "by a graph")
        return features[:, 0, :3]

    module = tf.Module()
    module.call = call
    tf.saved_model.save(module, str(tmp_path / "graph"), signatures=call)
    assert "its graph holds WriteFile" in refused(keras, examples, tmp_path / "graph")
    assert not (tmp_path / "written").exists()


def test_both_sides_are_named_where_shapes_differ(
    keras: Any, examples: Examples, build: Callable[..., Any], tmp_path: Path
) -> None:
    said = refused(keras, examples, saved(build((20, 9)), tmp_path / "wide.h5"))
    assert "takes features of shape (20, 9); the front end gives (20, 8)" in said


def test_both_sides_are_named_where_labels_differ(
    keras: Any, examples: Examples, build: Callable[..., Any], tmp_path: Path
) -> None:
    import dataclasses

    place = saved(build(), tmp_path / "network.h5")
    more = dataclasses.replace(examples, labels=(*LABELS, "zero"))
    assert "answers (3,) a clip; the corpus has 4 labels: one, three, two, zero" in refused(keras, more, place)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("network.onnx", b"", "ends in .onnx; allowed: a Keras file (.h5, .hdf5, .keras) or a SavedModel folder"),
        ("network.h5", b"not HDF5", "not an HDF5 file"),
        ("network.keras", b"no zip", "not a Keras file"),
        ("absent.h5", None, "is not there"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(
    keras: Any, examples: Examples, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert said in refused(keras, examples, tmp_path / name)


def test_a_broken_saved_model_is_refused_in_words(keras: Any, examples: Examples, own: Any, tmp_path: Path) -> None:
    folder = saved(own, tmp_path / "network")
    broken = shutil.copytree(folder, tmp_path / "broken")
    content = (folder / "saved_model.pb").read_bytes()
    (broken / "saved_model.pb").write_bytes(content[: len(content) // 2])
    assert "its saved_model.pb is not whole" in refused(keras, examples, broken)


def test_weights_without_layers_and_files_of_another_keras_are_refused(
    keras: Any, examples: Examples, build: Callable[..., Any], tmp_path: Path
) -> None:
    build().save_weights(tmp_path / "weights.h5")
    assert "holds weights without layers" in refused(keras, examples, tmp_path / "weights.h5")
    place = saved(build(), tmp_path / "network.h5")
    with h5py.File(place, "a") as opened:
        opened.attrs["keras_version"] = "3.9.0"
    assert "written by Keras 3.9.0; allowed: files of Keras 2" in refused(keras, examples, place)
