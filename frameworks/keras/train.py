"""Training: cross-entropy on augmented features, cosine decay, and the weights that did best on validation."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from frameworks import FrameworkError, Outcome, metrics
from frameworks.examples import Examples
from frameworks.keras.answers import checked, fixed
from frameworks.keras.augment import augmented
from frameworks.keras.balance import class_weights, weighted_mean
from frameworks.keras.bring import bring
from frameworks.keras.predict import predict
from frameworks.progress import Progress
from frameworks.recipe import Train
from models import Model

Loss = Callable[[Any, Any], Any]


def seed(number: int) -> None:
    """Makes this process repeatable: Python, numpy and TensorFlow, and operators that give the same bits every time."""
    keras.utils.set_random_seed(number)
    tf.config.experimental.enable_op_determinism()


def train(model: Model, examples: Examples, recipe: Train) -> Outcome:
    """The float teacher: built by the model's file and fitted to the labels, or brought in as it is from `recipe.import_`."""
    if recipe.import_ is not None:
        network, facts = bring(recipe.import_, examples)
        return Outcome(network, facts)
    fixed(examples.train.features, "train")
    network = model.teacher(examples.shape, len(examples.labels), recipe.network)
    checked(network, examples, f"models/{model.name}.py: the teacher")
    return Outcome(network, {}, fit(network, examples, plain_loss(examples, recipe), recipe, name="train"))


def labels_loss(labels: Any, logits: Any, weights: np.ndarray | None = None) -> Any:
    """Mean cross-entropy of logits (n, classes) against label indices (n,), each clip counted by its class's weight."""
    labels = tf.reshape(tf.cast(labels, tf.int64), [-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    return tf.reduce_mean(losses if weights is None else losses * tf.gather(tf.constant(weights), labels))


def plain_loss(examples: Examples, recipe: Any) -> Loss:
    """Cross-entropy, its classes balanced where the recipe says so."""
    return partial(labels_loss, weights=class_weights(examples, recipe))


def fit(
    network: Any,
    examples: Examples,
    loss: Loss,
    recipe: Any,
    *,
    name: str,
    scored: Any = None,
    data: Any = None,
    since: int = 0,
    callbacks: tuple[Any, ...] = (),
) -> list[dict[str, Any]]:
    """Trains `network` in place and leaves it with its best weights on validation; a row an epoch comes back.

    `recipe` has epochs, batch_size and learning_rate, and may have `augment` and `balance`. `scored` is the network to
    judge and keep where it is only a part of the one that is trained, whose batches are then `data`; epochs before `since`
    are not kept (pruning is not done by then).
    """
    data = augmented(examples.train, recipe) if data is None else data
    steps = -(-len(examples.train) // recipe.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, recipe.epochs * steps)
    network.compile(keras.optimizers.Adam(rate), loss=loss)
    best = Best(scored if scored is not None else network, examples, recipe, name, since)
    network.fit(data.repeat(), epochs=recipe.epochs, steps_per_epoch=steps, verbose=0, callbacks=[*callbacks, best])
    best.restore()
    return best.curve


class Best(keras.callbacks.Callback):  # type: ignore[misc]
    """Scores validation after each epoch, tells the progress, and keeps the weights of least validation loss.

    The loss, not the score: the score of a few hundred clips jumps by chance, and its best epoch is often luck.
    """

    def __init__(self, network: Any, examples: Examples, recipe: Any, name: str, since: int) -> None:
        super().__init__()
        self.network, self.examples, self.name, self.since = network, examples, name, since
        self.metric = metrics.choose(examples.metric, examples.labels)
        self.class_weights = class_weights(examples, recipe)
        self.progress = Progress(name, recipe.epochs)
        self.curve: list[dict[str, Any]] = []
        self.best = float("inf")
        self.weights: list[np.ndarray] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keras calls this after each epoch, `logs["loss"]` being the mean training loss."""
        loss = float((logs or {})["loss"])
        if not np.isfinite(loss):
            raise FrameworkError(f"{self.name}: the loss became {loss} in epoch {epoch + 1}; lower learning_rate")
        held = self.examples.validation
        scores = predict(self.network, held.features)
        score = self.metric.measure(held.labels, scores)
        losses = -np.log(scores[np.arange(len(held)), held.labels] + 1e-9)
        surprise = weighted_mean(losses, held.labels, self.class_weights)
        self.curve.append(
            {
                "phase": self.name,
                "epoch": epoch + 1,
                "loss": round(loss, 5),
                "validation_loss": round(surprise, 5),
                "validation_score": round(score, 3),
            }
        )
        self.progress.step(f"loss {loss:.3f}  validation {score:.2f} %")
        if epoch >= self.since and surprise < self.best:
            self.best = surprise
            self.weights = self.network.get_weights()

    def restore(self) -> None:
        """Puts the best weights back into the network."""
        self.network.set_weights(self.weights)
