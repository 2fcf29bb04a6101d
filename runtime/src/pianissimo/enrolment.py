"""Templates of people's voices: made of a few vectors at enrolment, compared with numpy alone.

A template is a one-class SVM (Schölkopf et al. 2001, "Estimating the support of a high-dimensional distribution") with
a Gaussian kernel over the vectors a network made of somebody's recordings, one vector a recording: cutting recordings
into halves for more vectors changed nothing that could be measured. Making one needs scikit-learn, using one does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import archive, checks
from .errors import BackendMissingError, EnrolmentError, ManifestError
from .reduction import gaussian, reduced

Float32 = NDArray[np.float32]
SCHEMA = 1
MOST_VECTORS = 64  # of one person; with more, enrolment gets slow and no surer
EXACT = 1e-6  # tolerance of the SVM's solver, so that a template is the same everywhere to six digits
PRIOR = 2.0  # accepted attempts that what is typical of everybody counts as, against a person's own


@dataclass(frozen=True)
class Settings:
    """How to enrol, a manifest's `enrolment`.

    `enrol` recordings at least, the SVM's `nu` and `gamma`, `support` vectors at most in a template; `typical` is the mean
    decision of rightful attempts on validation, `margin` how far a person's own threshold may move from everybody's.
    """

    enrol: int
    nu: float
    gamma: float
    support: int
    typical: float = 0.0
    margin: float = 0.0

    @classmethod
    def read(cls, entries: object, place: str = "enrolment") -> Settings:
        """Settings from parsed JSON; ManifestError tells the place, what was found and what is allowed."""
        return cls(
            **checks.fields(entries, place, _SETTINGS, {"typical": _or(0.0, _FINITE), "margin": _or(0.0, _MARGIN)})
        )


@dataclass(frozen=True)
class Template:
    """One person's voice, as a machine over vectors of `d` numbers.

    `support` (s, d) and `coefficients` (s,), which sum to about one, `offset` and `gamma` are the SVM, made of `vectors`
    (n, d) as `settings` say, by the network of `model`. `threshold` is the artifact's; `accepted` attempts so far had,
    together with what is typical of everybody, the mean decision `typical`.
    """

    support: Float32
    coefficients: Float32
    vectors: Float32
    offset: float
    gamma: float
    threshold: float
    settings: Settings
    model: str = ""
    typical: float = 0.0
    accepted: int = 0

    @property
    def limit(self) -> float:
        """The person's own threshold: the artifact's, moved by what is typical of the person, at most by `margin`.

        On 39 speakers two accepted attempts brought the equal error rate from 3.0 to 2.6 % this way.
        """
        margin = self.settings.margin
        return self.threshold + min(max(self.typical - self.settings.typical, -margin), margin)

    def decision(self, vectors: ArrayLike) -> Float32:
        """Decisions (n,) of vectors (n, d): 0 at the edge of what was enrolled, at most about 1 - offset inside.

        Raises EnrolmentError for vectors of another length.
        """
        given = np.asarray(vectors, np.float32)
        if given.ndim != 2 or given.shape[1] != self.support.shape[1]:
            raise EnrolmentError(f"vectors of shape {given.shape}", f"(n, {self.support.shape[1]})")
        values = gaussian(given, self.support, self.gamma) @ self.coefficients - self.offset
        return values.astype(np.float32)

    def after(self, decision: float) -> Template:
        """The template after an attempt with this decision was accepted."""
        count = self.accepted + 1
        typical = self.typical + (decision - self.typical) / (count + PRIOR)
        return replace(self, typical=float(typical), accepted=count)

    def save(self, path: Path) -> None:
        """Write an .npz without pickles; the same template gives the same bytes."""
        facts = {name: getattr(self, name) for name in _FACTS if name not in ("schema", "settings")}
        text = json.dumps({"schema": SCHEMA, **facts, "settings": asdict(self.settings)}, sort_keys=True)
        arrays = {name: getattr(self, name) for name in ARRAYS}
        archive.write(path, {**arrays, "facts": np.frombuffer(text.encode(), np.uint8)})

    @classmethod
    def load(cls, path: Path) -> Template:
        """Read a template strictly; raises EnrolmentError for whatever is none."""
        try:
            arrays = archive.read(path)
            _whole(arrays)
            facts = checks.fields(checks.document(arrays["facts"].tobytes(), "facts"), "facts", _FACTS, {})
        except (ValueError, ManifestError) as fault:
            raise EnrolmentError(f"{path.name} is no template ({fault})", "a file that enrolment wrote") from fault
        facts.pop("schema")
        support, coefficients, vectors = (arrays[name].astype(np.float32) for name in ARRAYS)
        return cls(support, coefficients, vectors, **facts)


def enrol(
    vectors: ArrayLike, settings: Settings | Mapping[str, Any], threshold: float = 0.0, model: str = ""
) -> Template:
    """A template of the vectors (n, d) of one person's recordings, one a recording.

    `threshold` and `model` are the artifact's. Raises EnrolmentError for too few vectors or for what is no vector,
    ManifestError for impossible settings, BackendMissingError without scikit-learn.
    """
    wanted = settings if isinstance(settings, Settings) else Settings.read(settings)
    given = np.asarray(vectors, np.float64)
    if given.ndim != 2 or not given.shape[1] or not np.isfinite(given).all():
        raise EnrolmentError(f"vectors of shape {given.shape}, or not finite", "finite numbers (n, d)")
    if not wanted.enrol <= len(given) <= MOST_VECTORS:
        raise EnrolmentError(f"{len(given)} recordings", f"{wanted.enrol} to {MOST_VECTORS} recordings")
    machine = _one_class_svm()(nu=wanted.nu, gamma=wanted.gamma, tol=EXACT).fit(given)
    weight = machine.dual_coef_[0].sum()  # nu n: without it, templates of many vectors would decide on a larger scale
    support, coefficients = machine.support_vectors_, machine.dual_coef_[0] / weight
    offset = float(machine.offset_[0] / weight)
    if len(support) > wanted.support:
        support, coefficients, raised = reduced(support, coefficients, wanted.gamma, wanted.support)
        offset += raised
    held = [np.ascontiguousarray(array, np.float32) for array in (support, coefficients, given)]
    return Template(held[0], held[1], held[2], offset, wanted.gamma, threshold, wanted, model, wanted.typical)


def _one_class_svm() -> Any:
    try:
        from sklearn.svm import OneClassSVM
    except ImportError as fault:
        remedy = f"enrolment needs it, pip install 'pianissimo[voice]' ({fault})"
        raise BackendMissingError("scikit-learn", remedy) from fault
    return OneClassSVM


def _whole(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse arrays that are not a template's, or do not fit one another."""
    strange = sorted(set(arrays) ^ {*ARRAYS, "facts"})
    if strange:
        raise ValueError(f"missing or unknown: {', '.join(strange)}")
    for name, axes in ARRAYS.items():
        array = arrays[name]
        if array.dtype not in (np.float16, np.float32) or array.ndim != axes or not array.size:
            raise ValueError(f"{name} is {array.dtype} of shape {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinity")
    shapes = [arrays[name].shape for name in ARRAYS]
    if len(arrays["support"]) != len(arrays["coefficients"]) or shapes[0][1] != shapes[2][1]:
        raise ValueError(f"{', '.join(ARRAYS)} of shapes {shapes}")
    if arrays["facts"].dtype != np.uint8:
        raise ValueError(f"facts of {arrays['facts'].dtype}")


def _or(default: float, check: checks.Check[float]) -> checks.Check[float]:
    return lambda value, place: default if value is None else check(value, place)


ARRAYS = {"support": 2, "coefficients": 1, "vectors": 2}  # the arrays of a template, and how many axes each has
_FINITE = checks.number(*checks.FINITE)
_GAMMA = checks.number(1e-9, 1e9)
_MARGIN = checks.number(0.0, 1e9)
_SETTINGS: dict[str, checks.Check[Any]] = {
    "enrol": checks.whole(1, MOST_VECTORS),
    "nu": checks.number(1e-3, 0.99),  # with 1 every vector is outside, and libsvm finds no offset
    "gamma": _GAMMA,
    "support": checks.whole(1, MOST_VECTORS),
}
_FACTS: dict[str, checks.Check[Any]] = {
    "schema": checks.one_of(SCHEMA),
    "offset": _FINITE,
    "gamma": _GAMMA,
    "threshold": _FINITE,
    "settings": Settings.read,
    "model": lambda value, place: value if value == "" else checks.text(value, place),
    "typical": _FINITE,
    "accepted": checks.whole(0, 10**9),
}
