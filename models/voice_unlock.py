"""Is this the enrolled speaker? Voice statistics, principal components and a one-class SVM for each enrolled person.

What is trained, gated and published is the projector, scaler and components, with the SVM's settings; templates are made
where people enrol. Groups are speakers, so nobody in validation or test was ever trained on.
"""

from collections.abc import Sequence
from typing import Any

FRAMEWORK = "sklearn"
TASK = "verify"
METRIC = "eer"


def teacher(
    shape: tuple[int | None, ...],
    classes: int,  # noqa: ARG001  # speakers come and go
    *,
    components: int = 100,
    whitening: Sequence[str] = ("none", "within"),
    shrinkage: Sequence[float] = (0.1, 0.3, 0.5),
    normalise: Sequence[bool] = (True,),
    nu: Sequence[float] = (0.5,),
    gamma: Sequence[float] = (0.03, 0.1, 0.3),
    enrol: int = 3,
    support: int = 64,
) -> list[dict[str, list[Any]]]:
    """The grids validation chooses from: a list of values for each setting, a grid a whitening.

    `whitening` is `none`, or by what differs `within` a speaker's clips, whose covariance is shrunk by `shrinkage`; then
    come `components` of PCA; `normalise` gives vectors unit length. `nu` and `gamma` are the SVM's, gamma divided by the
    variance of all dimensions together. `enrol` recordings make a template of at most `support` vectors.
    """
    if len(shape) != 1 or shape[0] is None or components > shape[0]:
        raise ValueError(f"{components} components need at least as many statistics, in one axis")
    shared: dict[str, list[Any]] = {
        "components": [components],
        "normalise": list(normalise),
        "nu": list(nu),
        "gamma": list(gamma),
        "enrol": [enrol],
        "support": [support],
    }
    shrunk = {"within": list(shrinkage)}
    return [{**shared, "whitening": [kind], "shrinkage": shrunk.get(kind, [0.0])} for kind in whitening]


def student(
    shape: tuple[int | None, ...],  # noqa: ARG001
    classes: int,  # noqa: ARG001
    *,
    support: Sequence[int] = (1, 2, 3),
    max_drop: float = 0.2,
) -> dict[str, Any]:
    """How many vectors a template may be cut down to, and how many points of validation that may cost."""
    return {"support": list(support), "max_drop": max_drop}
