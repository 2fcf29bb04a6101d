"""Networks built by a model's file, and refused at once where they do not fit their features or labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

import models
from frameworks import FrameworkError
from frameworks.examples import Examples, Features
from frameworks.torch import objectives
from models import Model


def build(model: Model, part: str, examples: Examples, settings: dict[str, Any]) -> Any:
    """The untrained `part` ("teacher" or "student") for the examples' features and labels, with its `spec`.

    Raises FrameworkError that names both sides where it cannot take such features, or answers another number of classes.
    """
    features = examples.train.features
    network = from_spec(
        {
            "model": model.name,
            "part": part,
            "task": model.task,
            "shape": list(examples.shape),
            "typical": typical(features),
            "classes": len(examples.labels),
            "settings": settings,
        },
        model,
    )
    check(network)
    return network


def from_spec(spec: dict[str, Any], model: Model | None = None) -> Any:
    """The untrained network that a spec tells of."""
    model = model or models.load(spec["model"])
    maker = {"teacher": model.teacher, "student": model.student}[spec["part"]]
    network = maker(tuple(spec["shape"]), spec["classes"], spec["settings"])
    network.spec = spec
    return laid_out(network)


def laid_out(network: Any) -> Any:
    """The same network with its picture convolutions laid out channels last: twice as fast on the CPU."""
    return network.to(memory_format=torch.channels_last)


def typical(features: Features) -> int:
    """The median length of the clips along their first axis: what a free axis is measured with."""
    return int(np.median([len(clip) for clip in features]))


def example_shape(spec: dict[str, Any]) -> tuple[int, ...]:
    """The shape of a typical clip's features."""
    shape: Sequence[int | None] = spec["shape"]
    return (spec["typical"] if shape[0] is None else int(shape[0]), *(int(size or 0) for size in shape[1:]))


def check(network: Any) -> None:
    """Tries `network` on two clips of silence. Raises FrameworkError that names both sides where it does not fit."""
    spec = network.spec
    place = f"models/{spec['model']}.py: the {spec['part']}" if "model" in spec else "the imported network"
    shape = example_shape(spec)
    objective = objectives.of(network)
    network.eval()
    try:
        with torch.inference_mode():
            answer = objective.call(network, torch.zeros(2, *shape), torch.full((2,), shape[0]))
    except (RuntimeError, ValueError, IndexError) as error:  # what torch raises where shapes do not meet
        raise FrameworkError(f"{place} cannot take features of shape {tuple(spec['shape'])}: {error}") from error
    wanted, found = objective.outputs(spec["classes"]), int(answer.logits.shape[-1])
    if found != wanted:
        raise FrameworkError(
            f"{place} answers {found} values where {spec['classes']} labels need {wanted} ({spec['task']})"
        )
