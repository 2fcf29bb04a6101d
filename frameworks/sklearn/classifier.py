"""A multilayer perceptron as plain arrays: what stands in for another framework's classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from frameworks import FrameworkError


@dataclass(frozen=True)
class Classifier:
    """`shape` of one example's features; `mean` and `deviation` of the flattened features; a (weight, bias) pair a layer,
    with ReLU between them and softmax at the end. Arrays are float32."""

    KIND: ClassVar[str] = "classifier"

    shape: tuple[int, ...]
    mean: np.ndarray
    deviation: np.ndarray
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    @classmethod
    def of(cls, shape: Sequence[int], scaler: Any, perceptron: Any) -> "Classifier":
        """From scikit-learn's StandardScaler and a perceptron over all classes, with ReLU inside."""
        weights, biases = list(perceptron.coefs_), list(perceptron.intercepts_)
        if len(biases[-1]) == 1:  # of two classes scikit-learn keeps one logit: sigmoid(z) is softmax(0, z)
            weights[-1], biases[-1] = (np.insert(array, 0, 0, axis=-1) for array in (weights[-1], biases[-1]))
        layers = zip(weights, biases, strict=True)  # copied below: an epoch more changes scikit-learn's own in place
        return cls(
            tuple(shape),
            np.asarray(scaler.mean_, np.float32),
            np.asarray(scaler.scale_, np.float32),
            tuple((np.array(weight, np.float32), np.array(bias, np.float32)) for weight, bias in layers),
        )

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """Probabilities (n, classes) float32 of features (n, *shape)."""
        if features.shape[1:] != self.shape:
            raise FrameworkError(f"features of shape {features.shape[1:]} for a classifier of {self.shape}")
        values = (features.reshape(len(features), -1) - self.mean) / self.deviation
        for at, (weight, bias) in enumerate(self.layers, 1):
            values = values @ weight + bias
            if at < len(self.layers):
                values = np.maximum(values, 0)
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def program(self) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        """The steps and arrays of the runtime's backend `numpy`; the scaler is folded into the first layer."""
        weight, bias = (array.astype(np.float64) for array in self.layers[0])
        scaled = weight / self.deviation[:, None]
        layers = [(scaled.astype(np.float32), (bias - self.mean @ scaled).astype(np.float32)), *self.layers[1:]]
        arrays: dict[str, np.ndarray] = {}
        steps: list[dict[str, Any]] = [{"op": "input", "shape": list(self.shape)}, {"op": "flatten"}]
        for at, pair in enumerate(layers):
            names = {"weight": f"weight{at}", "bias": f"bias{at}"}
            arrays.update(zip(names.values(), pair, strict=True))
            steps += [{"op": "dense", "arrays": names}, {"op": "relu"}]
        return [*steps[:-1], {"op": "softmax"}], arrays

    def settings(self) -> dict[str, Any]:
        """Nothing: a classifier is its file."""
        return {}

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Facts and arrays, as `restored` takes them."""
        arrays = {"mean": self.mean, "deviation": self.deviation}
        for at, (weight, bias) in enumerate(self.layers):
            arrays |= {f"weight{at}": weight, f"bias{at}": bias}
        return {"shape": list(self.shape), "layers": len(self.layers)}, arrays

    @classmethod
    def restored(cls, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> "Classifier":
        """The classifier that gave this state."""
        layers = tuple((arrays[f"weight{at}"], arrays[f"bias{at}"]) for at in range(facts["layers"]))
        return cls(tuple(facts["shape"]), arrays["mean"], arrays["deviation"], layers)
