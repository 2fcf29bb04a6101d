"""What Keras's training hears: a teacher with ears of its own, classes that are rare, features that do not fit."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import models
from frameworks import FrameworkError, views
from frameworks.examples import Examples, Part
from frameworks.recipe import Augment, Distill, Train

SHAPE, HEARD = (24, 8), (12,)
TINY = {"width": 8, "strides": [2]}
RECIPE = Distill(network=TINY, epochs=2, batch_size=16, learning_rate=0.01, temperature=2.0, alpha=1.0)


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Two labels, told by the sign of the features; what the teacher hears is another view of the same clips."""
    rng = np.random.default_rng(5)

    def part(count: int) -> Part:
        labels = np.arange(count) % 2
        sign = (2.0 * labels - 1).astype(np.float32)
        features = sign[:, None, None] + rng.normal(0, 0.5, (count, *SHAPE)).astype(np.float32)
        return Part(features, labels, sign[:, None] * np.ones((count, *HEARD), np.float32))

    return Examples(("no", "yes"), "classify", "accuracy", part(64), part(16), part(32))


@pytest.fixture(scope="module")
def teacher(keras: Any) -> Any:
    """Says "yes" where what it hears is negative: the opposite of the labels, so that its voice can be told from theirs."""
    from tensorflow.keras import Input, Model, layers

    inputs = Input(HEARD)
    dense = layers.Dense(2)
    network = Model(inputs, dense(inputs))
    dense.set_weights([np.full((*HEARD, 2), 0.5) * [1, -1], np.zeros(2)])
    return network


def test_a_teacher_hears_its_own_features(keras: Any, examples: Examples, teacher: Any) -> None:
    keras.seed(3)
    outcome = keras.distill(models.load("keywords"), teacher, examples, RECIPE.model_copy(update={"epochs": 6}))
    facts = outcome.facts
    assert facts["without_teacher"] > 95, "the labels alone are easy"
    assert facts["with_teacher"] < 5, "with alpha 1 the student repeats its teacher, who says the opposite"
    assert facts["kept"] == "without_teacher"


def test_what_a_teacher_hears_is_never_augmented(keras: Any, examples: Examples) -> None:
    from frameworks.keras.augment import augmented

    recipe = RECIPE.model_copy(update={"augment": Augment(shift=5, noise=0.5, mask_frames=20)})
    beside = np.arange(len(examples.train), dtype=np.float32)[:, None]
    seen = [(features.numpy(), told.numpy()) for (features, told), _ in augmented(examples.train, recipe, beside)]
    told = np.concatenate([told for _, told in seen])
    assert sorted(told.ravel()) == sorted(beside.ravel())
    features = np.concatenate([features for features, _ in seen])
    assert np.abs(features - examples.train.features[told.ravel().astype(int)]).max() > 0.1


@pytest.mark.parametrize(("kept", "different"), [(2**30, 3), (0, 5)])
def test_views_come_again_with_the_answers_they_got(
    keras: Any, examples: Examples, monkeypatch: pytest.MonkeyPatch, kept: int, different: int
) -> None:
    import importlib

    from tensorflow import reduce_sum

    distill = importlib.import_module("frameworks.keras.distill")
    from frameworks.keras.augment import augmented

    def teacher(batch: Any, training: bool) -> Any:
        assert not training
        return reduce_sum(batch, axis=[1, 2])[:, None]

    monkeypatch.setattr(views, "MOST", 3)
    monkeypatch.setattr(views, "KEPT", kept)
    recipe = RECIPE.model_copy(update={"augment": Augment(noise=0.5)})
    keras.seed(3)
    steps = len(examples.train) // recipe.batch_size
    data = distill.taught(augmented(examples.train, recipe), teacher, epochs=5).take(5 * steps)
    told = []
    for (features, answers), _ in data:
        np.testing.assert_allclose(answers, features.numpy().sum(axis=(1, 2))[:, None], rtol=1e-4, atol=1e-3)
        told.append(answers.numpy().tobytes())
    asked = [len(set(told[:count])) for count in (3 * steps, 5 * steps)]
    assert asked == [3 * steps, different * steps]


def test_clips_of_one_length_are_not_stretched(keras: Any, examples: Examples) -> None:
    recipe = RECIPE.model_copy(update={"augment": Augment(stretch=0.1)})
    with pytest.raises(FrameworkError, match=r"augment stretch .* of shape \(24, 8\); allowed: 0"):
        keras.train(models.load("keywords"), examples, Train(network=TINY, augment=recipe.augment))


def test_a_teacher_of_another_shape_is_refused_with_both_sides(keras: Any, examples: Examples, teacher: Any) -> None:
    deaf = dataclasses.replace(examples, train=Part(examples.train.features, examples.train.labels))
    with pytest.raises(
        FrameworkError, match=r"the teacher takes features of shape \(12,\); the front end gives \(24, 8\)"
    ):
        keras.distill(models.load("keywords"), teacher, deaf, RECIPE)


def test_a_model_that_does_not_fit_its_labels_is_refused_with_both_sides(keras: Any, examples: Examples) -> None:
    class Wrong:
        name = "wrong"

        def teacher(self, shape: tuple[int, ...], classes: int, settings: dict[str, Any]) -> Any:
            return models.load("keywords").teacher(shape, classes + 1, settings)

    with pytest.raises(
        FrameworkError, match=r"models/wrong\.py: the teacher answers \(3,\) a clip; the corpus has 2 lab"
    ):
        keras.train(Wrong(), examples, Train(network=TINY))


def test_clips_of_several_lengths_are_refused_in_words(keras: Any, examples: Examples) -> None:
    ragged = Part(list(examples.train.features), examples.train.labels)
    with pytest.raises(FrameworkError, match="keras takes clips of one length"):
        keras.train(models.load("keywords"), dataclasses.replace(examples, train=ragged), Train(network=TINY))


def test_augmentation_needs_frames_and_bands(keras: Any, examples: Examples) -> None:
    from frameworks.keras.augment import augmented

    flat = Part(examples.train.features.reshape(64, -1), examples.train.labels)
    with pytest.raises(FrameworkError, match=r"frames, bands.*\(192,\)"):
        augmented(flat, RECIPE.model_copy(update={"augment": Augment(noise=0.1)}))


def test_answers_that_are_no_numbers_are_never_scored(keras: Any, examples: Examples, teacher: Any) -> None:
    broken = examples.validation.heard.copy()
    broken[3] = np.nan
    with pytest.raises(FrameworkError, match="1 of 32 answers are no numbers"):
        keras.predict(teacher, broken)


def test_a_rare_class_weighs_as_much_as_a_common_one(keras: Any, examples: Examples) -> None:
    from frameworks.keras.balance import class_weights

    labels = np.array([0] * 60 + [1] * 4)
    rare = dataclasses.replace(examples, train=Part(examples.train.features, labels))
    weights = class_weights(rare, Train(balance=True))
    assert weights is not None
    assert weights[labels].mean() == pytest.approx(1.0)
    assert weights[0] * 60 == pytest.approx(weights[1] * 4)
    assert class_weights(rare, Train()) is None


def test_a_label_without_clips_gets_a_finite_weight(keras: Any, examples: Examples) -> None:
    from frameworks.keras.balance import class_weights

    three = dataclasses.replace(examples, labels=("maybe", "no", "yes"))
    weights = class_weights(three, Train(balance=True))
    assert weights is not None
    assert np.isfinite(weights).all()


def test_the_loss_is_the_mean_over_balanced_clips(keras: Any) -> None:
    from frameworks.keras.train import labels_loss

    logits, labels = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]], np.float32), np.array([0, 0, 1])
    each = -np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))[np.arange(3), labels]
    weights = np.array([0.75, 1.5], np.float32)
    assert float(labels_loss(labels, logits)) == pytest.approx(each.mean(), rel=1e-5)
    assert float(labels_loss(labels, logits, weights)) == pytest.approx((each * weights[labels]).mean(), rel=1e-5)
