"""Distillation (Hinton, Vinyals and Dean 2015), and the same student without its teacher beside it."""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from frameworks import Outcome, metrics
from frameworks.examples import Examples
from frameworks.keras.predict import predict
from frameworks.keras.train import Loss, fit, labels_loss
from frameworks.recipe import Distill
from models import Model


def distill(model: Model, teacher: Any, examples: Examples, recipe: Distill) -> Outcome:
    """Trains the student twice from the same first weights, with and without the teacher, and keeps the better.

    A distillation that does not help is a finding, so the record shows both scores.
    """
    student = model.student(examples.shape, len(examples.labels), recipe.network)
    first = student.get_weights()
    alone = fit(student, examples, labels_loss, recipe, name="distill alone")
    tried = {"without_teacher": (_score(student, examples), student.get_weights())}
    student.set_weights(first)
    taught = fit_with_teacher(student, teacher, examples, recipe, name="distill taught")
    tried["with_teacher"] = (_score(student, examples), student.get_weights())
    better = metrics.choose(examples.metric).better
    gained = better * (tried["with_teacher"][0] - tried["without_teacher"][0])
    kept = "with_teacher" if gained >= 0 else "without_teacher"
    student.set_weights(tried[kept][1])
    facts = {name: score for name, (score, _) in tried.items()}
    return Outcome(student, {**facts, "points_gained": gained, "kept": kept}, [*alone, *taught])


def fit_with_teacher(
    student: Any,
    teacher: Any,
    examples: Examples,
    recipe: Any,
    *,
    name: str,
    temperature: float | None = None,
    alpha: float | None = None,
    since: int = 0,
    callbacks: tuple[Any, ...] = (),
) -> list[dict[str, Any]]:
    """Fits `student` to labels and `teacher` at once; temperature and alpha are the recipe's unless given.

    The teacher sees the very batch the student sees, augmented alike ("a good teacher is patient and consistent",
    Beyer et al. 2022), so its answer is computed in the loop and not once beforehand.
    """
    joint = Joint(student, teacher)
    loss = distillation_loss(
        recipe.temperature if temperature is None else temperature,
        recipe.alpha if alpha is None else alpha,
        len(examples.labels),
    )
    teacher.trainable = False
    try:
        return fit(joint, examples, loss, recipe, name=name, scored=student, since=since, callbacks=callbacks)
    finally:
        teacher.trainable = True  # a network narrowed from it later inherits the flag, and would not learn


class Joint(keras.Model):  # type: ignore[misc]
    """Student and teacher over the same batch: their logits side by side, (n, 2 * classes)."""

    def __init__(self, student: Any, teacher: Any) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher

    def call(self, batch: Any, training: bool = False) -> Any:
        """Keras calls this with one batch of features."""
        return tf.concat([self.student(batch, training=training), self.teacher(batch, training=False)], axis=-1)


def distillation_loss(temperature: float, alpha: float, classes: int) -> Loss:
    """alpha T^2 KL(teacher at T || student at T) + (1 - alpha) cross-entropy, of student and teacher logits side by side.

    T^2 keeps the soft part's gradient at the size of the hard part's when the temperature changes (section 2 there).
    """
    divergence = keras.losses.KLDivergence()

    def loss(labels: Any, logits: Any) -> Any:
        student, teacher = logits[:, :classes], logits[:, classes:]
        soft = divergence(tf.nn.softmax(teacher / temperature), tf.nn.softmax(student / temperature))
        return alpha * temperature**2 * soft + (1 - alpha) * labels_loss(labels, student)

    return loss


def _score(network: Any, examples: Examples) -> float:
    held = examples.validation
    return metrics.choose(examples.metric).measure(held.labels, predict(network, held.features))
