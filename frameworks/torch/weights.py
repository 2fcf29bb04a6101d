"""Weights on disk, read without running anything in them, and compared by name and shape with what a network has."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from frameworks import FrameworkError

SHOWN = 5  # how many names an error lists
Weights = Mapping[str, Tensor]


def read(file: Path, key: str) -> Weights:
    """The tensors in a file of SUFFIXES. Raises FrameworkError that begins with `key`, the parameter that names the file."""
    return SUFFIXES[file.suffix.lower()](file, key)


def check(place: str, own: Weights, held: Weights) -> None:
    """Raises FrameworkError that begins with `place` and names both sides where `held` is not just what `own` has."""
    for fault, names in (
        ("it lacks", [name for name in own if name not in held]),
        ("it has besides", [name for name in held if name not in own]),
        ("shapes differ (there, here):", _misshapen(own, held)),
    ):
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            raise FrameworkError(f"{place}: {fault} {', '.join(names[:SHOWN])}{more}")


def _misshapen(own: Weights, held: Weights) -> list[str]:
    shared = [name for name in own if name in held and own[name].shape != held[name].shape]
    return [f"{name} {tuple(held[name].shape)} {tuple(own[name].shape)}" for name in shared]


def _from_safetensors(file: Path, key: str) -> Weights:
    try:
        return safetensors.torch.load_file(file)
    except SafetensorError as error:
        raise FrameworkError(f"{key}: {file} is not a whole safetensors file: {error}") from error


def _from_torch(file: Path, key: str) -> Weights:
    """A state dict that `torch.save` wrote; nothing is unpickled but what torch's `weights_only` lets through."""
    wanted = "allowed: the weights alone, torch.save(network.state_dict(), file), or a .safetensors file"
    try:
        held = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise FrameworkError(f"{key}: {file} cannot be read as weights ({_first(error)}); {wanted}") from error
    if not isinstance(held, Mapping) or not all(isinstance(value, Tensor) for value in held.values()):
        raise FrameworkError(f"{key}: {file} holds a {type(held).__name__} of more than tensors; {wanted}")
    return held


def _first(error: Exception) -> str:
    """torch explains at length how to load a file without care; that is not what we advise."""
    return str(error).split("\n", 1)[0].split(". ", 1)[0]


SUFFIXES: dict[str, Callable[[Path, str], Weights]] = {
    ".safetensors": _from_safetensors, ".pt": _from_torch, ".pth": _from_torch,
}  # fmt: skip
