"""A perceptron stands in for a teacher, in the runtime's own arrays."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pianissimo.backends import open_session

from frameworks import FrameworkError, metrics, sklearn
from frameworks.examples import Examples, Part
from frameworks.recipe import Variant
from frameworks.sklearn.classifier import Classifier

SETTINGS: dict[str, Any] = {"frames": [], "hidden": [[16]], "penalty": [0.01], "epochs": 15, "learning_rate": 0.01}


def examples(classes: int = 3, seed: int = 0) -> tuple[Examples, np.ndarray]:
    """Pictures (n, 4, 5) of classes that overlap, and a teacher's answers on train."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, 4, 5))

    def part(count: int) -> Part:
        labels = rng.integers(0, classes, count)
        features = centres[labels] + 0.8 * rng.normal(size=(count, 4, 5))
        return Part((10 + 3 * features).astype(np.float32), labels)

    train, held = part(400), part(200)
    distances = ((np.asarray(train.features)[:, None] - 10 - 3 * centres) ** 2).sum(axis=(2, 3)) / 20
    soft = np.exp(-distances) / np.exp(-distances).sum(axis=1, keepdims=True)
    return Examples(tuple("abcde"[:classes]), "classify", "macro_f1", train, train, held), soft.astype(np.float32)


@pytest.fixture(scope="module")
def made() -> tuple[Classifier, Examples]:
    data, soft = examples()
    sklearn.seed(3)
    return sklearn.stand_in(data, soft, SETTINGS), data


def test_it_does_the_task(made: tuple[Classifier, Examples]) -> None:
    network, data = made
    outputs = sklearn.predict(network, np.asarray(data.validation.features))
    np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-5)
    assert metrics.choose("macro_f1", data.labels).measure(data.validation.labels, outputs) > 85


def test_the_better_of_labels_and_answers_is_kept() -> None:
    """Where the labels of train are wrong and the teacher is right, the teacher's answers are learnt."""
    data, soft = examples()
    wrong = Part(data.train.features, np.random.default_rng(1).integers(0, 3, len(data.train)))
    spoilt = Examples(data.labels, "classify", "macro_f1", wrong, wrong, data.validation)
    sklearn.seed(3)
    outputs = sklearn.predict(sklearn.stand_in(spoilt, soft, SETTINGS), np.asarray(data.validation.features))
    assert metrics.choose("macro_f1", data.labels).measure(data.validation.labels, outputs) > 80


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("float16", 5e-3)])
def test_arrays_answer_as_the_network(
    made: tuple[Classifier, Examples], precision: str, tolerance: float, tmp_path: Path
) -> None:
    network, data = made
    features = np.asarray(data.validation.features)
    sklearn.convert(network, {}, Variant(backend="numpy", precision=precision), data, tmp_path / "model.npz")
    session = open_session("numpy", tmp_path / "model.npz", 1)
    np.testing.assert_allclose(session.run(features), sklearn.predict(network, features), atol=tolerance)


def test_scikit_learn_answers_the_same() -> None:
    """Two classes too, of which scikit-learn keeps one logit."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    for classes, units in product((2, 4), ((), (7, 5))):
        data, _ = examples(classes)
        rows = np.asarray(data.train.features).reshape(400, -1)
        scaler = StandardScaler().fit(rows)
        perceptron = MLPClassifier(units, random_state=1)
        perceptron.partial_fit(scaler.transform(rows), data.train.labels, classes=np.arange(classes))
        network = Classifier.of((4, 5), scaler, (), perceptron)
        wanted = perceptron.predict_proba(scaler.transform(rows))
        np.testing.assert_allclose(network.outputs(np.asarray(data.train.features)), wanted, atol=1e-5)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    data, soft = examples()
    for name in ("one", "two"):
        sklearn.seed(4)
        sklearn.save(sklearn.stand_in(data, soft, {**SETTINGS, "epochs": 3}), tmp_path / name)
    for file in ("network.npz", "network.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    found = sklearn.load(tmp_path / "one")
    assert (found.shape, len(found.layers)) == ((4, 5), 2)
    assert sklearn.settings(found) == {}


def moving(count: int, seed: int) -> Part:
    """Clips (n, 12, 5) in which one frame somewhere tells the label, and the others say nothing."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    features = 0.5 * rng.normal(size=(count, 12, 5))
    features[np.arange(count), rng.integers(0, 12, count)] += 6 * np.eye(5)[labels]
    return Part(features.astype(np.float32), labels)


def test_frames_count_alike_wherever_they_are(tmp_path: Path) -> None:
    """What moves about is learnt frame by frame; a perceptron over the flattened features has to see it everywhere."""
    train, held = moving(80, 1), moving(200, 2)
    data = Examples(("a", "b", "c"), "classify", "macro_f1", train, train, held)
    soft = np.eye(3, dtype=np.float32)[train.labels] * 0.9 + 0.1 / 3
    features, score = np.asarray(held.features), metrics.choose("macro_f1", data.labels)
    sklearn.seed(3)
    by_frame = sklearn.stand_in(data, soft, {**SETTINGS, "frames": [16, 8], "frame_epochs": 20})
    flat = sklearn.stand_in(data, soft, SETTINGS)
    rates = [score.measure(held.labels, sklearn.predict(network, features)) for network in (by_frame, flat)]
    assert rates[0] > 95 > 90 > rates[1]
    shuffled = np.random.default_rng(0).permutation(features, axis=1)
    wanted = sklearn.predict(by_frame, features)
    np.testing.assert_allclose(sklearn.predict(by_frame, shuffled), wanted, atol=1e-5)
    sklearn.convert(by_frame, {}, Variant(backend="numpy", precision="float32"), data, tmp_path / "model.npz")
    np.testing.assert_allclose(open_session("numpy", tmp_path / "model.npz", 1).run(features), wanted, atol=1e-5)
    sklearn.save(by_frame, tmp_path / "network")
    np.testing.assert_array_equal(sklearn.predict(sklearn.load(tmp_path / "network"), features), wanted)


def test_size_counts_what_ships(made: tuple[Classifier, Examples]) -> None:
    size = sklearn.size(made[0])
    assert (size.parameters, size.macs) == (20 * 16 + 16 + 16 * 3 + 3, 20 * 16 + 16 * 3)


def test_what_cannot_stand_in(made: tuple[Classifier, Examples], tmp_path: Path) -> None:
    data, soft = examples()
    with pytest.raises(FrameworkError, match="no setting trees; it takes: frames, frame_epochs, hidden, penalty"):
        sklearn.stand_in(data, soft, {"trees": 5})
    free = Part([np.zeros((3, 5), np.float32)] * 4, np.zeros(4, int))
    with pytest.raises(FrameworkError, match="features of a fixed shape"):
        sklearn.stand_in(Examples(data.labels, "classify", "macro_f1", free, free, free), soft, {})
    with pytest.raises(FrameworkError, match=r"shape \(3,\) for a classifier of \(4, 5\)"):
        sklearn.predict(made[0], np.zeros((2, 3), np.float32))
    with pytest.raises(FrameworkError, match="no conversion of a classifier to onnx"):
        sklearn.convert(made[0], {}, Variant(backend="onnx", precision="float32"), data, tmp_path / "model.onnx")
