"""Distillation (Hinton, Vinyals and Dean 2015), and the same student without its teacher beside it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from frameworks import Outcome, metrics, views
from frameworks.aside import aside
from frameworks.examples import Examples, Features
from frameworks.keras.answers import checked, fixed
from frameworks.keras.augment import augmented
from frameworks.keras.balance import class_weights
from frameworks.keras.predict import predict
from frameworks.keras.train import Loss, fit, labels_loss, plain_loss, seed
from frameworks.recipe import Distill
from models import Model

WORTH = 50_000  # clips heard, epochs times train, from which a training is worth a process of its own


def distill(model: Model, teacher: Any, examples: Examples, recipe: Distill) -> Outcome:
    """Trains the student twice from the same first weights and the same dice, with and without the teacher, side by side,
    and keeps the better.

    A distillation that does not help is a finding, so the record shows both scores.
    """
    fixed(examples.train.features, "distill")
    student = model.student(examples.shape, len(examples.labels), recipe.network)
    checked(student, examples, f"models/{model.name}.py: the student")
    checked(teacher, examples.as_heard(), "the teacher")
    dice = int(np.random.randint(2**31))  # noqa: NPY002  # the seeded one
    with _beside(student, examples, recipe, dice) as without:
        seed(dice)
        taught = fit_with_teacher(student, teacher, examples, recipe, name="distill taught", heard=examples.train.heard)
        tried = {"with_teacher": (_score(student, examples), student.get_weights())}
        weights, alone = without()
    student.set_weights(weights)
    tried["without_teacher"] = (_score(student, examples), weights)
    better = metrics.choose(examples.metric, examples.labels).better
    gained = better * (tried["with_teacher"][0] - tried["without_teacher"][0])
    kept = "with_teacher" if gained >= 0 else "without_teacher"
    student.set_weights(tried[kept][1])
    facts = {name: score for name, (score, _) in sorted(tried.items(), reverse=True)}
    return Outcome(student, {**facts, "points_gained": gained, "kept": kept}, [*alone, *taught])


@contextmanager
def _beside(student: Any, examples: Examples, recipe: Distill, dice: int) -> Iterator[Callable[[], Any]]:
    """Yields what gives the weights and the curve of the student that learns without its teacher: trained in a process of
    its own where that is worth TensorFlow's start, else before; the answer is the same."""
    arguments = (type(student), student.get_config(), student.get_weights(), examples, recipe, dice)
    if (os.cpu_count() or 1) > 1 and recipe.epochs * len(examples.train) >= WORTH:
        with aside("distill alone", _alone, *arguments) as answer:
            yield answer
    else:
        found = _alone(*arguments)
        yield lambda: found


def _alone(
    kind: Any, config: dict[str, Any], first: list[np.ndarray], examples: Examples, recipe: Distill, dice: int
) -> tuple[list[np.ndarray], list[dict[str, Any]]]:
    """(weights, curve) of a student that learns from labels."""
    student = kind.from_config(config)
    student.set_weights(first)
    seed(dice)
    curve = fit(student, examples, plain_loss(examples, recipe), recipe, name="distill alone")
    return student.get_weights(), curve


def fit_with_teacher(
    student: Any,
    teacher: Any,
    examples: Examples,
    recipe: Any,
    *,
    name: str,
    temperature: float | None = None,
    alpha: float | None = None,
    heard: Features | None = None,
    since: int = 0,
    callbacks: tuple[Any, ...] = (),
) -> list[dict[str, Any]]:
    """Fits `student` to labels and `teacher` at once; temperature and alpha are the recipe's unless given.

    The teacher hears the very batch the student hears, augmented alike ("a good teacher is patient and consistent", Beyer
    et al. 2022): see `taught`. A teacher with ears of its own (`heard`, one row a clip of train) cannot: it hears each clip
    as it is, and so its answers are computed once, before.
    """
    loss = distillation_loss(
        recipe.temperature if temperature is None else temperature,
        recipe.alpha if alpha is None else alpha,
        len(examples.labels),
        class_weights(examples, recipe),
    )
    if heard is None:
        data = taught(augmented(examples.train, recipe), teacher, recipe.epochs)
    else:
        data = augmented(examples.train, recipe, logits(teacher, heard))
    return fit(
        Told(student), examples, loss, recipe, name=name, scored=student, data=data, since=since, callbacks=callbacks
    )


def taught(data: Any, teacher: Any, epochs: int) -> Any:
    """Batches (features, labels) of one epoch after the other as ((features, the teacher's logits), labels), without end.

    After as many as `views` keeps, the same ones come again from memory with the answers they got.
    """
    steps = int(data.cardinality())
    answered = data.repeat().map(lambda batch, labels: ((batch, teacher(batch, training=False)), labels))
    (batch, _), _ = answered.element_spec
    size = steps * int(next(iter(data))[0].shape[0]) * int(np.prod(batch.shape[1:])) * batch.dtype.size
    kept = views.kept(epochs, size)
    return answered.take(kept * steps).cache().repeat() if kept else answered


def logits(network: Any, features: Features) -> np.ndarray:
    """What a network answers before softmax, (n, classes) float32."""
    return np.asarray(network.predict(fixed(features, "the teacher"), batch_size=256, verbose=0), np.float32)


class Told(keras.Model):  # type: ignore[misc]
    """A student whose batch carries what the teacher answered: logits side by side, (n, 2 * classes)."""

    def __init__(self, student: Any) -> None:
        super().__init__()
        self.student = student

    def call(self, batch: Any, training: bool = False) -> Any:
        """Keras calls this with (features, the teacher's logits)."""
        features, answers = batch
        return tf.concat([self.student(features, training=training), answers], axis=-1)


def distillation_loss(temperature: float, alpha: float, classes: int, weights: np.ndarray | None = None) -> Loss:
    """alpha T^2 KL(teacher at T || student at T) + (1 - alpha) cross-entropy, of student and teacher logits side by side,
    each clip counted by its class's weight.

    T^2 keeps the soft part's gradient at the size of the hard part's when the temperature changes (section 2 there).
    """

    def loss(labels: Any, both: Any) -> Any:
        student, teacher = both[:, :classes], tf.stop_gradient(both[:, classes:])
        target = tf.nn.softmax(teacher / temperature)
        soft = tf.nn.softmax_cross_entropy_with_logits(target, student / temperature)
        soft -= tf.nn.softmax_cross_entropy_with_logits(target, teacher / temperature)  # so that 0 is agreement
        if weights is not None:
            soft *= tf.gather(tf.constant(weights), tf.reshape(tf.cast(labels, tf.int64), [-1]))
        hard = labels_loss(labels, student, weights)
        return alpha * temperature**2 * tf.reduce_mean(soft) + (1 - alpha) * hard

    return loss


def _score(network: Any, examples: Examples) -> float:
    held = examples.validation
    return metrics.choose(examples.metric, examples.labels).measure(held.labels, predict(network, held.features))
