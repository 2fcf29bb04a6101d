"""Networks on disk: what to build (`network.json`) and its weights (`weights.safetensors`), no pickle."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor
from torch.nn import Module

from frameworks.torch import bring, shapes
from frameworks.torch.build import from_spec, laid_out

SPEC, WEIGHTS = "network.json", "weights.safetensors"


def save(network: Any, folder: Path) -> None:
    """Writes `network` into `folder`, made when absent: the same bytes for the same weights, each file whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    saver = SAVERS["brought" if "brought" in network.spec else "built"]
    saver(network, folder)


def load(folder: Path) -> Any:
    """The network in `folder`, ready to answer. Raises FileNotFoundError that names the folder."""
    file = folder / SPEC
    if not file.is_file():
        raise FileNotFoundError(f"{folder}: no {SPEC} here; run the stage before this one")
    spec = json.loads(file.read_text(encoding="utf-8"))
    loader = LOADERS["brought" if "brought" in spec else "built"]
    return loader(folder, spec).eval()


def weights_of(network: Module) -> dict[str, Tensor]:
    """All that training changes, laid out as it will be read."""
    return {name: value.detach().contiguous() for name, value in network.state_dict().items()}


def write(file: Path, content: bytes) -> None:
    """Writes `file` whole: a reader sees the old one or the new one."""
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(content)
    part.replace(file)


def _save_built(network: Any, folder: Path) -> None:
    write(folder / WEIGHTS, safetensors.torch.save(weights_of(network)))
    write(folder / SPEC, (json.dumps(network.spec, indent=2, sort_keys=True) + "\n").encode())


def _load_built(folder: Path, spec: dict[str, Any]) -> Any:
    """The model's file builds it, and pruning may have narrowed it since: stored shapes are the true ones."""
    network = from_spec(spec)
    weights = safetensors.torch.load_file(folder / WEIGHTS)
    shapes.adopt(network, weights)
    network.load_state_dict(weights)
    return laid_out(network)


SAVERS: dict[str, Callable[[Any, Path], None]] = {"built": _save_built, "brought": bring.save}
LOADERS: dict[str, Callable[[Path, dict[str, Any]], Any]] = {"built": _load_built, "brought": bring.load}
