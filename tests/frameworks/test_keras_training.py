"""Training is repeatable, keeps its best epoch, and distils by the loss that the paper writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from frameworks import FrameworkError
from frameworks.examples import Examples
from frameworks.recipe import Augment, Distill, Train
from tasks.command import THREADS

TINY = {"width": 8, "strides": [2]}
RECIPE = Train(
    network=TINY,
    epochs=1,
    batch_size=16,
    learning_rate=0.01,
    augment=Augment(shift=3, gain=0.2, noise=0.1, mask_frames=5, mask_bands=4),
)


def trained(keras: Any, examples: Examples, seed: int) -> list[np.ndarray]:
    keras.seed(seed)
    return list(keras.train(models.load("keywords"), examples, RECIPE).network.get_weights())


def test_the_same_seed_trains_the_same_network(keras: Any, examples: Examples) -> None:
    first, second = trained(keras, examples, 5), trained(keras, examples, 5)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_another_seed_trains_another(keras: Any, examples: Examples) -> None:
    first, second = trained(keras, examples, 5), trained(keras, examples, 6)
    assert not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_best_epoch_is_kept(keras: Any, examples: Examples, capsys: pytest.CaptureFixture[str]) -> None:
    keras.seed(1)
    outcome = keras.train(
        models.load("keywords"), examples, RECIPE.model_copy(update={"epochs": 4, "learning_rate": 0.05})
    )
    assert [row["epoch"] for row in outcome.curve] == [1, 2, 3, 4]
    held = examples.validation
    scores = keras.predict(outcome.network, held.features)
    loss = -np.mean(np.log(scores[np.arange(len(held)), held.labels] + 1e-9))
    assert loss == pytest.approx(min(row["validation_loss"] for row in outcome.curve), abs=1e-4)
    assert capsys.readouterr().out.count("train ") == 4, "one line of progress an epoch"


def test_a_loss_that_is_no_number_says_what_to_do(keras: Any, examples: Examples) -> None:
    from frameworks.keras.train import fit, labels_loss

    network = models.load("keywords").module.student(examples.shape, len(examples.labels), **TINY)
    with pytest.raises(FrameworkError, match=r"train: the loss became nan in epoch 1; lower learning_rate"):
        fit(network, examples, lambda labels, logits: labels_loss(labels, logits) * np.nan, RECIPE, name="train")


def test_predict_gives_probabilities(keras: Any, examples: Examples, small: Any) -> None:
    scores = keras.predict(small, examples.validation.features)
    assert scores.shape == (len(examples.validation), 4)
    assert scores.dtype == np.float32
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_the_caller_answers_as_predict_does(keras: Any, examples: Examples, small: Any) -> None:
    one = examples.validation.features[:1]
    logits = keras.caller(small)(one)
    exponents = np.exp(logits - logits.max())
    assert np.abs(exponents / exponents.sum() - keras.predict(small, one)).max() < 1e-5


@pytest.mark.parametrize(
    "settings", [Augment(), Augment(shift=4), Augment(gain=0.5, noise=0.3), Augment(mask_frames=60, mask_bands=60)]
)
def test_augmentation_keeps_shapes_and_every_label(keras: Any, examples: Examples, settings: Augment) -> None:
    from frameworks.keras.augment import augmented

    batches = list(augmented(examples.train, RECIPE.model_copy(update={"augment": settings})))
    assert {tuple(batch.shape[1:]) for batch, _ in batches} == {examples.shape}
    labels = np.concatenate([part.numpy() for _, part in batches])
    assert sorted(labels) == sorted(examples.train.labels)
    assert all(np.isfinite(batch.numpy()).all() for batch, _ in batches)


def test_a_shift_repeats_the_edge_and_never_wraps(keras: Any) -> None:
    from frameworks.keras.augment import _changed

    ramp = np.tile(np.arange(20, dtype=np.float32)[None, :, None], (200, 1, 3))
    moved = _changed(ramp, Augment(shift=5)).numpy()
    assert (np.diff(moved, axis=1) >= 0).all()
    assert set(np.unique(moved[:, 0, 0])) == {0, 1, 2, 3, 4, 5}


def softmax(logits: np.ndarray) -> np.ndarray:
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(("temperature", "alpha"), [(1.0, 1.0), (4.0, 0.7), (4.0, 0.0), (20.0, 0.3)])
def test_the_distillation_loss_is_hintons(keras: Any, temperature: float, alpha: float) -> None:
    """alpha T^2 KL(teacher at T || student at T) + (1 - alpha) cross-entropy, computed here without TensorFlow."""
    from frameworks.keras.distill import distillation_loss

    rng = np.random.default_rng(2)
    student, teacher, labels = rng.normal(0, 3, (32, 5)), rng.normal(0, 3, (32, 5)), rng.integers(0, 5, 32)
    soft, target = softmax(student / temperature), softmax(teacher / temperature)
    divergence = np.mean(np.sum(target * np.log(target / soft), axis=1))
    hard = -np.mean(np.log(softmax(student)[np.arange(32), labels]))
    expected = alpha * temperature**2 * divergence + (1 - alpha) * hard
    both = np.concatenate([student, teacher], axis=1).astype(np.float32)
    assert float(distillation_loss(temperature, alpha, 5)(labels, both)) == pytest.approx(expected, rel=1e-4)


def test_distillation_tells_both_scores_and_keeps_the_better(keras: Any, examples: Examples, teacher: Any) -> None:
    before = teacher.get_weights()
    recipe = Distill(network=TINY, epochs=2, batch_size=16, learning_rate=0.01, temperature=4.0, alpha=0.7)
    keras.seed(2)
    outcome = keras.distill(models.load("keywords"), teacher, examples, recipe)
    facts, held = outcome.facts, examples.validation
    score = 100 * np.mean(keras.predict(outcome.network, held.features).argmax(axis=1) == held.labels)
    assert score == pytest.approx(max(facts["with_teacher"], facts["without_teacher"]))
    assert facts["points_gained"] == pytest.approx(facts["with_teacher"] - facts["without_teacher"])
    assert facts["kept"] == ("with_teacher" if facts["points_gained"] >= 0 else "without_teacher")
    assert {row["phase"] for row in outcome.curve} == {"distill alone", "distill taught"}
    assert all(np.array_equal(a, b) for a, b in zip(before, teacher.get_weights(), strict=True)), (
        "a teacher does not learn"
    )
    assert teacher.trainable


BOTH_WAYS = """
import sys
from pathlib import Path
import numpy as np
import models
from frameworks import keras, recipe
from frameworks.keras import distill
from tasks import clips
if __name__ == "__main__":
    data, train = map(Path, sys.argv[1:])
    examples = clips.examples(data, models.load("keywords"))
    teacher = keras.load(train / "network")
    settings = recipe.Distill(network={"width": 8, "strides": [2, 1]}, epochs=2, batch_size=16, augment={"noise": 0.1})
    found = []
    for distill.WORTH in (10**9, 0):
        keras.seed(2)
        outcome = keras.distill(models.load("keywords"), teacher, examples, settings)
        found.append((outcome.facts, outcome.curve, outcome.network.get_weights()))
    (facts, curve, weights), (other, rows, kept) = found
    assert facts == other, (facts, other)
    assert curve == rows, (curve, rows)
    assert all(np.array_equal(a, b) for a, b in zip(weights, kept, strict=True))
    print("the same")
"""


def test_a_process_of_its_own_changes_no_number(pipeline: Any, project: Path) -> None:
    """A student learns without its teacher here or in a process beside: weights, curve and scores are the same."""
    command = [sys.executable, "-c", BOTH_WAYS, str(pipeline.data), str(pipeline.train)]
    env = {**os.environ, "PYTHONPATH": str(project), **dict.fromkeys(THREADS, "1")}  # as in a stage
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("the same\n"), done.stdout + done.stderr
