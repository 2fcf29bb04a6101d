"""Voice statistics to vectors that tell speakers apart: scaler, whitening, principal components, unit length."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from frameworks import FrameworkError
from frameworks.examples import Part

Steps = list[dict[str, Any]]
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Choice:
    """One way to project and to enrol, of those validation chooses among; `models/voice_unlock.py` says what each is."""

    components: int
    whitening: str
    shrinkage: float
    normalise: bool
    nu: float
    gamma: float
    enrol: int
    support: int


@dataclass(frozen=True)
class Projector:
    """`mean` and `deviation` (features,) of the scaler, `whitening` (features, features), `components` (k, features) as PCA
    has them. `choice` is how it was made, `gamma` the kernel's in the space it projects to; `typical` and `margin` are as
    the runtime's enrolment has them. Arrays are float32."""

    KIND: ClassVar[str] = "projector"
    ARRAYS: ClassVar[tuple[str, ...]] = ("mean", "deviation", "whitening", "components")

    mean: np.ndarray
    deviation: np.ndarray
    whitening: np.ndarray
    components: np.ndarray
    choice: Choice
    gamma: float
    typical: float = 0.0
    margin: float = 0.0

    @cached_property
    def turned(self) -> np.ndarray:
        """(k, features): whitening and components in one matrix, as they ship."""
        return np.asarray(self.components.astype(np.float64) @ self.whitening.T, np.float32)

    @cached_property
    def estimator(self) -> Pipeline:
        """What scikit-learn computes vectors with: float32 in, float32 out."""
        scaler, pca = StandardScaler(), PCA(len(self.components))
        scaler.mean_, scaler.scale_, scaler.var_ = self.mean, self.deviation, self.deviation**2
        scaler.n_features_in_ = pca.n_features_in_ = len(self.mean)
        pca.mean_, pca.components_, pca.n_components_ = np.zeros_like(self.mean), self.turned, len(self.components)
        return make_pipeline(scaler, pca, *([Normalizer()] if self.choice.normalise else []))

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """Vectors (n, k) float32 of features (n, features)."""
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise FrameworkError(f"features of shape {features.shape} for a projector of {len(self.mean)} numbers")
        return np.asarray(self.estimator.transform(features.astype(np.float32)), np.float32)

    def program(self) -> tuple[Steps, Arrays]:
        """The steps and arrays of the runtime's backend `numpy`."""
        scale = (1 / self.deviation.astype(np.float64)).astype(np.float32)
        arrays = {
            "scale": scale,
            "shift": -self.mean * scale,
            "weight": np.ascontiguousarray(self.turned.T),
            "bias": np.zeros(len(self.components), np.float32),
        }
        steps: Steps = [
            {"op": "input", "shape": [len(self.mean)]},
            {"op": "affine", "arrays": {"scale": "scale", "shift": "shift"}},
            {"op": "dense", "arrays": {"weight": "weight", "bias": "bias"}},
        ]
        return steps + ([{"op": "l2"}] if self.choice.normalise else []), arrays

    def settings(self) -> dict[str, Any]:
        """A manifest's `enrolment`."""
        choice = self.choice
        machine = {"enrol": choice.enrol, "nu": choice.nu, "gamma": self.gamma, "support": choice.support}
        return {**machine, "typical": self.typical, "margin": self.margin}

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """Facts and arrays, as `restored` takes them."""
        facts = {name: getattr(self, name) for name in ("gamma", "typical", "margin")}
        return {**facts, "choice": asdict(self.choice)}, {name: getattr(self, name) for name in self.ARRAYS}

    @classmethod
    def restored(cls, facts: dict[str, Any], arrays: Arrays) -> "Projector":
        """The projector that gave this state."""
        held: dict[str, Any] = {**arrays, **facts, "choice": Choice(**facts["choice"])}
        return cls(**held)


def fit(part: Part, choice: Choice) -> Projector:
    """A projector of the features of `part`, whose labels are the speakers the whitening leaves alone.

    `gamma` is the choice's, divided by the number of dimensions and their mean variance, so that one number suits any cut.
    """
    features = np.asarray(part.features, np.float64)
    if choice.components > min(features.shape):
        raise FrameworkError(
            f"{choice.components} components of {features.shape} features; allowed: {min(features.shape)}"
        )
    if choice.whitening not in WHITENINGS:
        raise FrameworkError(f"no whitening {choice.whitening!r}; there is: {', '.join(WHITENINGS)}")
    scaler = StandardScaler().fit(features)
    scaled = scaler.transform(features)
    whitening = WHITENINGS[choice.whitening](scaled, part.labels, choice.shrinkage)
    # Whitening comes first: what PCA then cuts away is what tells speakers apart least. After PCA, cut to 30 of 100
    # components, the error on 39 speakers went from 2.2 to 3.4 %; before it, to 2.8 %.
    pca = PCA(choice.components, svd_solver="full").fit(scaled @ whitening)
    mean, deviation = np.asarray(scaler.mean_, np.float32), np.asarray(scaler.scale_, np.float32)
    components = np.asarray(pca.components_, np.float32)
    projector = Projector(mean, deviation, whitening.astype(np.float32), components, choice, 1.0)
    variance = projector.outputs(features.astype(np.float32)).astype(np.float64).var(axis=0).sum()
    return replace(projector, gamma=float(f"{choice.gamma / variance:.6g}"))


def _within(scaled: np.ndarray, speakers: np.ndarray, shrinkage: float) -> np.ndarray:
    """Within-class covariance normalisation (Hatch, Kajarekar and Stolcke 2006): directions in which one speaker's clips
    differ count less. Few clips a speaker leave the covariance unsure, so it is shrunk towards its mean variance."""
    means = np.stack([scaled[speakers == speaker].mean(axis=0) for speaker in speakers])
    covariance = (scaled - means).T @ (scaled - means) / max(len(scaled) - len(np.unique(speakers)), 1)
    dims = len(covariance)
    if not covariance.any():
        raise FrameworkError("one clip a speaker says nothing of what differs within; allowed: more, or whitening none")
    covariance = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / dims * np.eye(dims)
    return np.asarray(np.linalg.cholesky(np.linalg.inv(covariance)))


# To equal variance of the components, PCA's own whitening, is not among them: it amplifies noise, 9 % against 3 % without.
WHITENINGS = {"none": lambda scaled, speakers, shrinkage: np.eye(scaled.shape[1]), "within": _within}
