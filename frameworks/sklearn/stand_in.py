"""A perceptron that stands in for another framework's classifier where only numpy runs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from frameworks import FrameworkError, metrics
from frameworks.examples import Examples
from frameworks.progress import Progress
from frameworks.sklearn.classifier import Classifier

UNLIKELY = 1e-4  # the least probability whose logarithm is learnt: below it a teacher is only sure


@dataclass(frozen=True)
class Settings:
    """What is tried: units of the hidden layers, and the `penalty` on weights; the rest is how each try is trained."""

    hidden: Sequence[Sequence[int]] = ((64,),)
    penalty: Sequence[float] = (0.01, 1.0)
    epochs: int = 40
    learning_rate: float = 0.001
    batch_size: int = 64


def stand_in(examples: Examples, soft: np.ndarray, settings: dict[str, Any]) -> Classifier:
    """The best on validation of perceptrons fitted to train, after whichever epoch: to its labels, and to the teacher's
    answers `soft` (n, classes), whose logits are learnt by least squares (Ba and Caruana 2014, "Do deep nets really need
    to be deep?"). Raises FrameworkError for settings there are not, and for what is not classified at a fixed shape.
    """
    wanted = _settings(settings)
    if not isinstance(examples.train.features, np.ndarray) or examples.task != "classify":
        raise FrameworkError(
            f"a stand-in classifies features of a fixed shape; this is {examples.task}, shape {examples.shape}"
        )
    metric, held = metrics.choose(examples.metric, examples.labels), np.asarray(examples.validation.features)
    attempts = list(product(FITS, wanted.hidden, wanted.penalty))
    progress = Progress("stand-in", len(attempts))
    tried: list[tuple[float, Classifier]] = []
    for name, hidden, penalty in attempts:
        epochs = FITS[name](examples, soft, wanted, tuple(hidden), penalty)
        scored = [(metric.measure(examples.validation.labels, made.outputs(held)), made) for made in epochs]
        tried.append(max(scored, key=lambda pair: metric.better * pair[0]))
        progress.step(f"{tried[-1][0]:.2f} %  {name}, {list(hidden)} units, penalty {penalty:g}")
    return max(tried, key=lambda pair: metric.better * pair[0])[1]


def _settings(settings: dict[str, Any]) -> Settings:
    known = [field.name for field in fields(Settings)]
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise FrameworkError(f"a stand-in has no setting {', '.join(unknown)}; it takes: {', '.join(known)}")
    return Settings(**settings)


def _labels(
    examples: Examples, soft: np.ndarray, wanted: Settings, hidden: tuple[int, ...], penalty: float
) -> Iterator[Classifier]:
    """The classifier after each epoch on the labels, by cross-entropy."""
    perceptron = MLPClassifier(hidden, alpha=penalty, **_schedule(wanted))
    classes, labels = np.arange(soft.shape[1]), examples.train.labels
    return _epochs(examples, wanted, perceptron, lambda rows: perceptron.partial_fit(rows, labels, classes=classes))


def _answers(
    examples: Examples, soft: np.ndarray, wanted: Settings, hidden: tuple[int, ...], penalty: float
) -> Iterator[Classifier]:
    """The classifier after each epoch on the teacher's logits, by squared error."""
    perceptron = MLPRegressor(hidden_layer_sizes=hidden, alpha=penalty, **_schedule(wanted))
    logits = np.log(np.maximum(soft, UNLIKELY))
    logits -= logits.mean(axis=1, keepdims=True)
    return _epochs(examples, wanted, perceptron, lambda rows: perceptron.partial_fit(rows, logits))


def _schedule(wanted: Settings) -> dict[str, Any]:
    return {"learning_rate_init": wanted.learning_rate, "batch_size": wanted.batch_size}


def _epochs(
    examples: Examples, wanted: Settings, perceptron: Any, learn: Callable[[np.ndarray], object]
) -> Iterator[Classifier]:
    features = np.asarray(examples.train.features)
    scaler = StandardScaler().fit(features.reshape(len(features), -1))
    rows = scaler.transform(features.reshape(len(features), -1))
    for _ in range(wanted.epochs):
        learn(rows)
        yield Classifier.of(features.shape[1:], scaler, perceptron)


FITS: dict[str, Callable[..., Iterator[Classifier]]] = {"labels": _labels, "answers": _answers}
