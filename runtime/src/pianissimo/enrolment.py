"""Templates of people's voices: made of a few vectors at enrolment, compared with numpy alone.

A template is a one-class SVM (Schölkopf et al. 2001, "Estimating the support of a high-dimensional distribution") with
a Gaussian kernel over the vectors a network made of somebody's recordings, one vector a recording: cutting recordings
into halves for more vectors changed nothing that could be measured. Making one needs scikit-learn, using one does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import archive, checks
from .errors import BackendMissingError, EnrolmentError, ManifestError
from .reduction import gaussian, reduced

Float32 = NDArray[np.float32]
SCHEMA = 1
MOST_VECTORS = 256  # of one person; more only make enrolment slow
MOST_DIMS = 4_096
EXACT = 1e-6  # tolerance of the SVM's solver, so that a template is the same everywhere to six digits


@dataclass(frozen=True)
class Settings:
    """How to enrol, a manifest's `enrolment`: `enrol` recordings at least, the SVM's `nu` and `gamma`, and how many
    `support` vectors a template may have."""

    enrol: int
    nu: float
    gamma: float
    support: int

    @classmethod
    def read(cls, entries: object, place: str = "enrolment") -> Settings:
        """Settings from parsed JSON; ManifestError tells the place, what was found and what is allowed."""
        return cls(**checks.fields(entries, place, _SETTINGS, {}))


@dataclass(frozen=True)
class Template:
    """One person's voice, as a machine over vectors of `d` numbers.

    `support` (s, d) and `coefficients` (s,), which sum to about one, `offset` and `gamma` are the SVM. A vector whose
    decision reaches `threshold` is that person's. `settings` are how it was made.
    """

    support: Float32
    coefficients: Float32
    offset: float
    gamma: float
    threshold: float
    settings: Settings

    def decision(self, vectors: ArrayLike) -> Float32:
        """Decisions (n,) of vectors (n, d): 0 at the edge of what was enrolled, at most about 1 - offset inside.

        Raises EnrolmentError for vectors of another length.
        """
        given = np.asarray(vectors, np.float32)
        if given.ndim != 2 or given.shape[1] != self.support.shape[1]:
            raise EnrolmentError(f"vectors of shape {given.shape}", f"(n, {self.support.shape[1]})")
        values = gaussian(given, self.support, self.gamma) @ self.coefficients - self.offset
        return values.astype(np.float32)

    def save(self, path: Path) -> None:
        """Write an .npz without pickles; the same template gives the same bytes."""
        numbers = {"offset": self.offset, "gamma": self.gamma, "threshold": self.threshold}
        text = json.dumps({"schema": SCHEMA, **numbers, "settings": asdict(self.settings)}, sort_keys=True)
        arrays = {"support": self.support, "coefficients": self.coefficients}
        archive.write(path, {**arrays, "facts": np.frombuffer(text.encode(), np.uint8)})

    @classmethod
    def load(cls, path: Path) -> Template:
        """Read a template strictly; raises EnrolmentError for whatever is none."""
        try:
            arrays = archive.read(path)
            facts = _facts(arrays)
            support, coefficients = (_array(arrays, name, axes) for name, axes in (("support", 2), ("coefficients", 1)))
            if len(support) != len(coefficients):
                raise ValueError(f"{len(support)} vectors with {len(coefficients)} coefficients")
        except (ValueError, ManifestError) as fault:
            raise EnrolmentError(f"{path.name} is no template ({fault})", "a file that enrolment wrote") from fault
        return cls(support, coefficients, **facts)


def enrol(vectors: ArrayLike, settings: Settings | Mapping[str, Any], threshold: float = 0.0) -> Template:
    """A template of the vectors (n, d) of one person's recordings, one a recording.

    `threshold` is the artifact's. Raises EnrolmentError for too few vectors or for what is no vector, ManifestError for
    impossible settings, BackendMissingError without scikit-learn.
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
    single = (np.ascontiguousarray(array, np.float32) for array in (support, coefficients))
    return Template(*single, offset, wanted.gamma, threshold, wanted)


def _one_class_svm() -> Any:
    try:
        from sklearn.svm import OneClassSVM
    except ImportError as fault:
        remedy = f"enrolment needs it, pip install 'pianissimo[voice]' ({fault})"
        raise BackendMissingError("scikit-learn", remedy) from fault
    return OneClassSVM


def _facts(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """The numbers and settings beside the arrays."""
    unknown = sorted(set(arrays) ^ {"support", "coefficients", "facts"})
    if unknown:
        raise ValueError(f"wrong or missing: {', '.join(unknown)}")
    if arrays["facts"].dtype != np.uint8:
        raise ValueError(f"facts of {arrays['facts'].dtype}")
    text = arrays["facts"].tobytes()
    facts = checks.fields(checks.document(text, "facts"), "facts", _FACTS, {})
    facts.pop("schema")
    return facts


def _array(arrays: Mapping[str, NDArray[Any]], name: str, axes: int) -> Float32:
    array = arrays[name]
    if array.dtype not in (np.float16, np.float32) or array.ndim != axes or not array.size:
        raise ValueError(f"{name} is {array.dtype} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")
    return array.astype(np.float32)


_GAMMA = checks.number(1e-9, 1e9)
_FINITE = checks.number(*checks.FINITE)
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
}
