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
from frameworks.sklearn.classifier import Classifier, Layer, hidden

UNLIKELY = 1e-4  # the least probability whose logarithm is learnt: below it a teacher is only sure


@dataclass(frozen=True)
class Settings:
    """What is tried: units of the `hidden` layers, and the `penalty` on weights; the rest is how each try is trained.

    `frames` are the units of layers that every frame goes through before the mean over frames, which `frame_epochs` over
    all frames of train make; none, and the features are flattened.
    """

    frames: Sequence[int] = (64, 32)
    frame_epochs: int = 4
    hidden: Sequence[Sequence[int]] = ((), (32,))
    penalty: Sequence[float] = (0.1, 3.0)
    epochs: int = 40
    learning_rate: float = 0.003
    batch_size: int = 64


@dataclass(frozen=True)
class Ground:
    """What all tries share: the scaler, the layers of frames, what they make of train (n, inputs), and the targets."""

    shape: tuple[int, ...]
    scaler: StandardScaler
    frames: tuple[Layer, ...]
    rows: np.ndarray
    labels: np.ndarray
    soft: np.ndarray

    def classifier(self, perceptron: Any) -> Classifier:
        """The whole, with this perceptron behind the frames."""
        return Classifier.of(self.shape, self.scaler, self.frames, perceptron)


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
    ground = _ground(examples.train.features, examples.train.labels, soft, wanted)
    attempts = list(product(FITS, wanted.hidden, wanted.penalty))
    progress = Progress("stand-in", len(attempts))
    tried: list[tuple[float, Classifier]] = []
    for name, units, penalty in attempts:
        epochs = FITS[name](ground, wanted, tuple(units), penalty)
        scored = [(metric.measure(examples.validation.labels, made.outputs(held)), made) for made in epochs]
        tried.append(max(scored, key=lambda pair: metric.better * pair[0]))
        progress.step(f"{tried[-1][0]:.2f} %  {name}, {list(units)} units, penalty {penalty:g}")
    return max(tried, key=lambda pair: metric.better * pair[0])[1]


def _settings(settings: dict[str, Any]) -> Settings:
    known = [field.name for field in fields(Settings)]
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise FrameworkError(f"a stand-in has no setting {', '.join(unknown)}; it takes: {', '.join(known)}")
    return Settings(**settings)


def _ground(features: np.ndarray, labels: np.ndarray, soft: np.ndarray, wanted: Settings) -> Ground:
    """Scales, and learns what a single frame tells of its clip's label, where there are frames.

    On generated music a perceptron over flattened MFCC named 66 % of unseen tracks right, over the mean of frames 80 %.
    """
    shape, frames = features.shape[1:], tuple(wanted.frames) if features.ndim > 2 else ()
    rows = features.reshape(-1, shape[-1]) if frames else features.reshape(len(features), -1)
    scaler = StandardScaler().fit(rows)
    layers: list[Layer] = []
    if frames:
        perceptron = MLPClassifier(frames, learning_rate_init=wanted.learning_rate, batch_size=4 * wanted.batch_size)
        scaled, repeated = scaler.transform(rows), np.repeat(labels, len(rows) // len(labels))
        for _ in range(wanted.frame_epochs):
            perceptron.partial_fit(scaled, repeated, classes=np.arange(soft.shape[1]))
        layers = hidden(perceptron)
    mean, deviation = np.asarray(scaler.mean_, np.float32), np.asarray(scaler.scale_, np.float32)
    bare = Classifier(shape, mean, deviation, tuple(layers), ())
    return Ground(shape, scaler, *_steadied(layers, bare.pooled(features)), labels, soft)


def _steadied(frames: list[Layer], rows: np.ndarray) -> tuple[tuple[Layer, ...], np.ndarray]:
    """The layers of frames with outputs of mean square one, as learning wants them; ReLU lets a scale through."""
    if not frames:
        return (), rows
    size = np.sqrt(np.square(rows).mean(axis=0)) + 1e-6
    *inner, (weight, bias) = frames
    return (*inner, ((weight / size).astype(np.float32), (bias / size).astype(np.float32))), rows / size


def _labels(ground: Ground, wanted: Settings, units: tuple[int, ...], penalty: float) -> Iterator[Classifier]:
    """The classifier after each epoch on the labels, by cross-entropy."""
    perceptron = MLPClassifier(units, alpha=penalty, **_schedule(wanted))
    classes = np.arange(ground.soft.shape[1])
    for _ in range(wanted.epochs):
        yield ground.classifier(perceptron.partial_fit(ground.rows, ground.labels, classes=classes))


def _answers(ground: Ground, wanted: Settings, units: tuple[int, ...], penalty: float) -> Iterator[Classifier]:
    """The classifier after each epoch on the teacher's logits, by squared error."""
    perceptron = MLPRegressor(hidden_layer_sizes=units, alpha=penalty, **_schedule(wanted))
    logits = np.log(np.maximum(ground.soft, UNLIKELY))
    logits -= logits.mean(axis=1, keepdims=True)
    for _ in range(wanted.epochs):
        yield ground.classifier(perceptron.partial_fit(ground.rows, logits))


def _schedule(wanted: Settings) -> dict[str, Any]:
    return {"learning_rate_init": wanted.learning_rate, "batch_size": wanted.batch_size}


FITS: dict[str, Callable[..., Iterator[Classifier]]] = {"labels": _labels, "answers": _answers}
