"""Bring your own: a trained network read from a file or folder, refused in words where it does not fit the corpus.

What is taken, by suffix: a folder is a Hugging Face checkpoint; `.pt2` an exported program; `.safetensors`, `.pt` and `.pth`
the weights of the teacher that the model's own file builds, with the recipe's settings. Nothing is unpickled but what torch's
`weights_only` lets through. It is not trained here: it is the teacher as it was brought, and can be distilled from.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch.nn import Module

from frameworks import FrameworkError, Outcome
from frameworks.examples import Examples
from frameworks.recipe import Train
from frameworks.torch import checkpoint, program, weights
from frameworks.torch.build import build, check, typical
from models import Model


def bring(model: Model, examples: Examples, recipe: Train) -> Outcome:
    """The network at `recipe.import_`, for features as `examples` has them (as the teacher hears them).

    Raises FrameworkError that names what is taken, or both sides where a network does not fit features or labels.
    """
    path = Path(str(recipe.import_))
    readers = FOLDER if path.is_dir() else FILES
    if not path.exists():
        raise FrameworkError(f"train.import: {path} is not there")
    suffix = "" if path.is_dir() else path.suffix.lower()
    if suffix not in readers:
        raise FrameworkError(
            f"train.import: {path} is nothing torch networks are read from; allowed: a Hugging Face checkpoint folder, or a "
            f"file that ends in {', '.join(FILES)}"
        )
    network, facts = readers[suffix](path, model, examples, recipe)
    check(network)
    return Outcome(network.eval(), {"imported": str(path), **facts, "why": "brought in as it was; not trained here"})


def save(network: Any, folder: Path) -> None:
    """Writes a network that was brought from elsewhere; one built by a model's file is `files`' own to write."""
    KINDS[network.spec["brought"]].save(network, folder)


def load(folder: Path, spec: dict[str, Any]) -> Module:
    """The network that `save` left in `folder`, where `spec` is what its `network.json` says."""
    network: Module = KINDS[spec["brought"]].load(folder, spec)
    network.spec = spec  # type: ignore[assignment]
    return network


def _brought(kind: str) -> Callable[..., tuple[Module, dict[str, Any]]]:
    """A reader of networks that no file of ours builds."""

    def read(path: Path, model: Model, examples: Examples, recipe: Train) -> tuple[Module, dict[str, Any]]:
        features = examples.train.features
        spec = {
            "brought": kind,
            "task": model.task,
            "shape": list(examples.shape),
            "typical": typical(features),
            "classes": len(examples.labels),
        }
        network, facts = KINDS[kind].read(path, spec, examples.labels, recipe)
        network.spec = spec
        return network, {"kind": kind, **facts}

    return read


def _weights(path: Path, model: Model, examples: Examples, recipe: Train) -> tuple[Module, dict[str, Any]]:
    """The teacher that the model's file builds, with the weights of a file."""
    network = build(model, "teacher", examples, recipe.network)
    held = weights.read(path, "train.import")
    place = f"train.import: {path} does not hold the weights of models/{model.name}.py's teacher with {recipe.network}"
    weights.check(place, network.state_dict(), held)
    network.load_state_dict(dict(held))
    return network, {"kind": "weights"}


KINDS: dict[str, Any] = {"checkpoint": checkpoint, "program": program}
FOLDER = {"": _brought("checkpoint")}
FILES = {".pt2": _brought("program"), **dict.fromkeys(weights.SUFFIXES, _weights)}
