"""A warm start: a network begins with the weights that another corpus taught it, and trains on from there.

`train.start` and `distill.start` name the `network` folder that such a stage left, or a file of weights. Corpora differ in
their labels, so the head, where its count of classes differs, is new; everything else must be there, and fit.
"""

from pathlib import Path
from typing import Any

from frameworks import FrameworkError
from frameworks.torch import weights
from frameworks.torch.build import from_spec
from frameworks.torch.files import WEIGHTS
from models import Model


def start(network: Any, model: Model, path: str | None, stage: str) -> dict[str, Any]:
    """Gives `network`, fresh from the model's file, the weights at `path`; facts for the record, none without a path.

    Raises FrameworkError that names what is taken, or both sides where a tensor is missing, too many or of another shape.
    """
    if path is None:
        return {}
    key, spec = f"{stage}.start", network.spec
    held, own = weights.read(_file(Path(path), key), key), network.state_dict()
    new = sorted(name for name in _head(spec, model) if name in held and held[name].shape != own[name].shape)
    taken = {name: tensor for name, tensor in held.items() if name not in new}
    place = f"{key}: {path} is not the {spec['part']} that models/{model.name}.py builds with {spec['settings']}"
    weights.check(place, {name: tensor for name, tensor in own.items() if name not in new}, taken)
    if not taken:
        raise FrameworkError(f"{key}: nothing but a head is in {path}, and it has another count of classes than here")
    network.load_state_dict({**own, **taken})
    numbers = sum(tensor.numel() for tensor in taken.values())
    return {"start": {"path": path, "tensors_taken": len(taken), "numbers_taken": numbers, "new": new}}


def _file(path: Path, key: str) -> Path:
    """The weights at `path`."""
    allowed = (
        f"allowed: the folder network that train or distill left, or a file that ends in {', '.join(weights.SUFFIXES)}"
    )
    if not path.exists():
        raise FrameworkError(f"{key}: {path} is not there; {allowed}")
    file = path / WEIGHTS if path.is_dir() else path
    if not file.is_file() or file.suffix.lower() not in weights.SUFFIXES:
        raise FrameworkError(f"{key}: {path} holds no weights of a network that models/ builds; {allowed}")
    return file


def _head(spec: dict[str, Any], model: Model) -> set[str]:
    """The tensors whose shape follows the count of classes, found by building the network for one class more."""
    own, other = (from_spec({**spec, "classes": spec["classes"] + more}, model).state_dict() for more in (0, 1))
    return {name for name, tensor in own.items() if tensor.shape != other[name].shape}
