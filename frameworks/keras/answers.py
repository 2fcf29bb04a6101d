"""What a Keras network must be, and what it must answer: one example's features in, one score a label out, all finite."""

from typing import Any

import numpy as np

from frameworks import FrameworkError
from frameworks.examples import Examples, Features


def checked(network: Any, examples: Examples, place: str) -> Any:
    """`network`, if it takes the examples' features and answers their labels. Raises FrameworkError that names both sides."""
    fixed(examples.train.features, place)
    takes, wanted = tuple(network.input_shape[1:]), tuple(examples.shape)
    if takes != wanted:
        raise FrameworkError(f"{place} takes features of shape {takes}; the front end gives {wanted}")
    answers, labels = tuple(network.output_shape[1:]), len(examples.labels)
    if answers != (labels,):
        raise FrameworkError(
            f"{place} answers {answers} a clip; the corpus has {labels} labels: {', '.join(examples.labels)}"
        )
    return network


def fixed(features: Features, place: str) -> np.ndarray:
    """`features`, which must be one array. Raises FrameworkError that says what to do where clips differ in length."""
    if isinstance(features, list):
        raise FrameworkError(
            f"{place}: keras takes clips of one length, and here they differ; choose a front end that fits clips to one: "
            "log_mel or mfcc"
        )
    return features


def finite(scores: np.ndarray, place: str) -> np.ndarray:
    """`scores`, if every one is a number."""
    wrong = int(np.sum(~np.isfinite(scores).all(axis=-1)))
    if wrong:
        raise FrameworkError(f"{place}: {wrong} of {len(scores)} answers are no numbers; lower learning_rate")
    return scores
