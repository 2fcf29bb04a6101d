"""A multilayer perceptron as plain arrays: what stands in for another framework's classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from frameworks import FrameworkError

Layer = tuple[np.ndarray, np.ndarray]  # weight (inputs, outputs) and bias (outputs,)


@dataclass(frozen=True)
class Classifier:
    """A perceptron over features of `shape`, scaled by `mean` and `deviation`; arrays are float32.

    With `frames` every frame (the last axis) goes through those layers, each with ReLU behind it, and their mean over the
    frames goes through `layers`, with ReLU between them and softmax at the end: so what is heard early or late counts
    alike. Without, `layers` take the flattened features.
    """

    KIND: ClassVar[str] = "classifier"

    shape: tuple[int, ...]
    mean: np.ndarray
    deviation: np.ndarray
    frames: tuple[Layer, ...]
    layers: tuple[Layer, ...]

    @classmethod
    def of(cls, shape: Sequence[int], scaler: Any, frames: Sequence[Layer], perceptron: Any) -> "Classifier":
        """From scikit-learn's StandardScaler and a perceptron over all classes, with ReLU inside."""
        return cls(
            tuple(shape),
            np.asarray(scaler.mean_, np.float32),
            np.asarray(scaler.scale_, np.float32),
            tuple(frames),
            tuple(_both(perceptron) if perceptron.coefs_[-1].shape[1] == 1 else hidden(perceptron, upto=None)),
        )

    def pooled(self, features: np.ndarray) -> np.ndarray:
        """What `layers` take, (n, inputs), of features (n, *shape)."""
        values = np.asarray(features, np.float32)
        if not self.frames:
            return np.asarray((values.reshape(len(values), -1) - self.mean) / self.deviation)
        values = (values.reshape(len(values), -1, self.shape[-1]) - self.mean) / self.deviation
        for weight, bias in self.frames:
            values = np.maximum(values @ weight + bias, 0)
        return np.asarray(values.mean(axis=1))

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """Probabilities (n, classes) float32 of features (n, *shape)."""
        if features.shape[1:] != self.shape:
            raise FrameworkError(f"features of shape {features.shape[1:]} for a classifier of {self.shape}")
        values = self.pooled(features)
        for at, (weight, bias) in enumerate(self.layers, 1):
            values = values @ weight + bias
            if at < len(self.layers):
                values = np.maximum(values, 0)
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def program(self) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        """The steps and arrays of the runtime's backend `numpy`.

        The scaler is folded into the first layer. The mean over frames is folded into the layer after it, whose weights
        are repeated a frame: the backend has no step that averages.
        """
        arrays: dict[str, np.ndarray] = {}
        layers = [*self.frames, *self.layers]
        layers[0] = _scaled(*layers[0], self.mean, self.deviation)
        if self.frames:
            count = int(np.prod(self.shape[:-1]))
            weight, bias = layers[len(self.frames)]
            layers[len(self.frames)] = np.tile(weight / np.float32(count), (count, 1)), bias
        steps: list[dict[str, Any]] = [{"op": "input", "shape": list(self.shape)}]
        for at, pair in enumerate(layers):
            names = {"weight": f"weight{at}", "bias": f"bias{at}"}
            arrays.update(zip(names.values(), pair, strict=True))
            steps += [{"op": "flatten"}] if at == len(self.frames) else []
            steps += [{"op": "dense", "arrays": names}, {"op": "relu"}]
        return [*steps[:-1], {"op": "softmax"}], arrays

    def settings(self) -> dict[str, Any]:
        """Nothing: a classifier is its file."""
        return {}

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Facts and arrays, as `restored` takes them."""
        arrays = {"mean": self.mean, "deviation": self.deviation}
        for at, (weight, bias) in enumerate([*self.frames, *self.layers]):
            arrays |= {f"weight{at}": weight, f"bias{at}": bias}
        return {"shape": list(self.shape), "frames": len(self.frames), "layers": len(self.layers)}, arrays

    @classmethod
    def restored(cls, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> "Classifier":
        """The classifier that gave this state."""
        count = facts["frames"]
        every = [(arrays[f"weight{at}"], arrays[f"bias{at}"]) for at in range(count + facts["layers"])]
        shape = tuple(facts["shape"])
        return cls(shape, arrays["mean"], arrays["deviation"], tuple(every[:count]), tuple(every[count:]))


def hidden(perceptron: Any, upto: int | None = -1) -> list[Layer]:
    """A fitted perceptron's layers but the last, or all, copied: learning on changes scikit-learn's own in place."""
    pairs = zip(perceptron.coefs_[:upto], perceptron.intercepts_[:upto], strict=True)
    return [(np.array(weight, np.float32), np.array(bias, np.float32)) for weight, bias in pairs]


def _both(perceptron: Any) -> list[Layer]:
    """Of two classes scikit-learn keeps one logit: sigmoid(z) is softmax(0, z)."""
    *inner, (weight, bias) = hidden(perceptron, upto=None)
    return [*inner, (np.insert(weight, 0, 0, axis=1), np.insert(bias, 0, 0))]


def _scaled(weight: np.ndarray, bias: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> Layer:
    """The layer that takes features as they come in place of scaled ones."""
    scaled = weight.astype(np.float64) / deviation[:, None]
    return scaled.astype(np.float32), (bias - mean @ scaled).astype(np.float32)
