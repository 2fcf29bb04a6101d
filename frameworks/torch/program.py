"""A torch exported program (.pt2) as a network of ours, read with nothing in it unpickled that could run.

`torch.export.load` unpickles weights marked so, and anything it cannot read safely, without asking. So the archive is looked
through first: such weights are refused, and what is left must pass torch's `weights_only`. A program is still a program: it
says which of torch's functions are called, and its symbolic sizes are read by sympy. Import none that you would not run.
"""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.nn import Module

from frameworks import FrameworkError
from frameworks.recipe import Train

SPEC, PROGRAM = "network.json", "program.pt2"
PAYLOADS = ("weights_config.json", "constants_config.json")
TENSORS = ("weight_", "tensor_")  # names of payloads that hold plain tensors, as torch writes them


class Program(Module):
    """A program that takes (features) or (features, lengths), and answers logits or (logits, lengths)."""

    def __init__(self, exported: ExportedProgram, content: bytes, *, listing: bool) -> None:
        super().__init__()
        self.content, self.listing = content, listing
        inputs = [node for node in exported.graph.nodes if node.name in exported.graph_signature.user_inputs]
        self.takes = len(inputs)
        self.one_by_one = isinstance(inputs[0].meta["val"].shape[0], int)
        self.network = exported.module(check_guards=False)

    def train(self, mode: bool = True) -> "Program":
        """An exported program is in the mode it was exported in: torch cannot change it."""
        self.training = mode
        return self

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Any:
        """(n, …) to logits (n, classes), or (n, frames, classes + 1) and how many frames of each clip are no padding."""
        if lengths is None:
            lengths = torch.full((features.shape[0],), features.shape[1])
        if not self.listing or int(lengths.min()) == features.shape[1]:
            logits = self._together(features, lengths)
            return (logits, torch.full((len(logits),), logits.shape[1])) if self.listing else logits
        if self.takes > 1 and not self.one_by_one:
            return self.network(features, lengths)
        # Without lengths a program cannot tell padding from sound, so every clip goes alone.
        single = [self._logits(clip[None, :size], size[None])[0] for clip, size in zip(features, lengths, strict=True)]
        return nn.utils.rnn.pad_sequence(single, batch_first=True), torch.tensor([len(clip) for clip in single])

    def _together(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Clips of one length."""
        if not self.one_by_one or len(features) == 1:
            return self._logits(features, lengths)
        return torch.cat([self._logits(clip[None], size[None]) for clip, size in zip(features, lengths, strict=True)])

    def _logits(self, features: Tensor, lengths: Tensor) -> Tensor:
        # torch looks at every input before it runs a program, which the tracer of the ONNX exporter cannot follow.
        call = self.network.forward if torch.onnx.is_in_onnx_export() else self.network
        answer = call(features, *((lengths,) if self.takes > 1 else ()))
        logits: Tensor = answer[0] if isinstance(answer, (tuple, list)) else answer
        return logits


def read(file: Path, spec: dict[str, Any], _labels: tuple[str, ...], _recipe: Train) -> tuple[Module, dict[str, Any]]:
    """The program in `file`. Whether its outputs fit the labels, which it has no names of, is for `build.check` to say.

    Raises FrameworkError for what is no program, holds a pickle, or takes other inputs.
    """
    network = _opened(file, file.read_bytes(), spec)
    return network, {"takes": network.takes, "one_by_one": network.one_by_one}


def save(network: Any, folder: Path) -> None:
    """Writes the program as it was brought, and the spec."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROGRAM).write_bytes(network.content)
    (folder / SPEC).write_text(json.dumps(network.spec, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load(folder: Path, spec: dict[str, Any]) -> Module:
    """The program that `save` left in `folder`."""
    return _opened(folder / PROGRAM, (folder / PROGRAM).read_bytes(), spec)


def _opened(file: Path, content: bytes, spec: dict[str, Any]) -> Program:
    _check_archive(file, content)
    try:
        exported = torch.export.load(io.BytesIO(content))
    except (RuntimeError, KeyError, AssertionError, ValueError) as error:
        raise FrameworkError(f"train.import: {file} is no exported program this torch can read: {error}") from error
    takes = len(exported.graph_signature.user_inputs)
    if takes not in (1, 2):
        raise FrameworkError(f"train.import: {file} takes {takes} inputs; allowed: (features), or (features, lengths)")
    return Program(exported, content, listing=spec["task"] == "transcribe")


def _check_archive(file: Path, content: bytes) -> None:
    """Raises FrameworkError that names what torch would unpickle without care."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise FrameworkError(f"train.import: {file} is no exported program; torch.export.save writes one") from None
    with archive:
        names = archive.namelist()
        if not any("/models/" in name for name in names):
            raise FrameworkError(
                f"train.import: {file} holds no program, or one of a torch before 2.8; export it again"
            )
        for name in names:
            if name.endswith(PAYLOADS):
                _check_payloads(file, json.loads(archive.read(name)))
            elif name.endswith(".pt"):
                _check_pickle(file, name, archive.read(name))


def _check_payloads(file: Path, payloads: dict[str, Any]) -> None:
    for name, payload in payloads["config"].items():
        plain = not payload["use_pickle"] and payload["path_name"].startswith(TENSORS)
        if not plain:
            raise FrameworkError(
                f"train.import: {file} stores {name} as a pickle, which runs what it holds; allowed: plain tensors on the CPU"
            )


def _check_pickle(file: Path, name: str, content: bytes) -> None:
    """What passes `weights_only` here passes it again in torch.export.load, which then has no reason to do without it."""
    if not content:
        return
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise FrameworkError(
            f"train.import: {file} holds {name}, a pickle of more than tensors; it is not opened"
        ) from error
