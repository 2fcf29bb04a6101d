"""Read everything again and name what is wrong: documents, signatures, and every byte of every blob."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from pianissimo import channel as channels
from pianissimo import layout, signature, yank
from pianissimo import manifest as manifests
from pianissimo.errors import ManifestError

from . import state
from .keys import AbsentError
from .store import Store

Loaded = TypeVar("Loaded")


@dataclass
class Audit:
    """What was found: `problems` as (key, what is wrong), and how much was looked at."""

    problems: list[tuple[str, str]] = field(default_factory=list)
    documents: int = 0
    blobs: int = 0
    bytes: int = 0
    unneeded: int = 0
    unsigned: int = 0

    def say(self, key: str, what: str) -> None:
        """Note a problem."""
        self.problems.append((key, what))


def audit(store: Store, public: bytes | None = None) -> Audit:
    """Audit a registry; with a public key, its signature is asked of every document.

    A registry that cannot be read at all raises RegistryError.
    """
    found = Audit()
    needed: dict[str, tuple[int, str]] = {}
    for model in state.models(store):
        numbers = state.numbers(store, model)
        for number in numbers:
            _manifest(store, found, model, number, needed, public)
        for key in store.list(layout.versions_prefix(model)):
            if key.endswith("/yank.json"):
                _yank(store, found, model, key, numbers, public)
            elif key.endswith("/README.md"):
                _document(store, found, key, public)
        for key in store.list(layout.channels_prefix(model)):
            _channel(store, found, key, numbers, public)
    for key in store.list(layout.runtime_key("")):
        _document(store, found, key, public)
    _blobs(store, found, needed)
    return found


def _manifest(
    store: Store, found: Audit, model: str, number: int, needed: dict[str, tuple[int, str]], public: bytes | None
) -> None:
    key = layout.manifest_key(model, number)
    data = _document(store, found, key, public)
    try:
        manifest = manifests.loads(data, key)
    except ManifestError as fault:
        found.say(key, str(fault))
        _needed_anyway(data, key, needed)
        return
    if (manifest.model, manifest.version) != (model, number):
        found.say(key, f"says that it is {manifest.model} version {manifest.version}")
    for file in manifest.files():
        needed[file.sha256] = file.bytes, f"{model} version {number}, {file.name}"


def _needed_anyway(data: bytes, key: str, needed: dict[str, tuple[int, str]]) -> None:
    """A broken manifest still names what a repaired one would need: no blob of it counts as unneeded."""
    for sha256 in set(hashes(data)):
        needed.setdefault(sha256, (-1, key))


def hashes(data: bytes) -> list[str]:
    """Every SHA-256 that a text mentions, JSON or not."""
    return re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", data.decode("utf-8", errors="replace"))


def _loaded(
    store: Store, found: Audit, key: str, public: bytes | None, loads: Callable[[bytes, str], Loaded]
) -> Loaded | None:
    """A small document as its own reader takes it; None, and the reason is told, where it takes it not."""
    try:
        return loads(_document(store, found, key, public), key)
    except ManifestError as fault:
        found.say(key, str(fault))
        return None


def _yank(store: Store, found: Audit, model: str, key: str, numbers: list[int], public: bytes | None) -> None:
    yanked = _loaded(store, found, key, public, yank.loads)
    if yanked is None:
        return
    if layout.yank_key(model, yanked.version) != key or yanked.model != model:
        found.say(key, f"says that it is of {yanked.model} version {yanked.version}")
    if yanked.instead is not None and yanked.instead not in numbers:
        found.say(key, f"version {yanked.instead} is to be used instead, and is not there")


def _channel(store: Store, found: Audit, key: str, numbers: list[int], public: bytes | None) -> None:
    channel = _loaded(store, found, key, public, channels.loads)
    if channel is None:
        return
    if layout.channel_key(channel.model, channel.channel) != key:
        found.say(key, f"says that it is {channel.channel} of {channel.model}")
    if channel.version not in numbers:
        found.say(key, f"names version {channel.version}, which is not there")
    origins = [None, *(step.version for step in channel.history[:-1])]
    if [step.origin for step in channel.history] != origins:
        found.say(key, "its history does not hang together: a move was lost or changed")


def _document(store: Store, found: Audit, key: str, public: bytes | None) -> bytes:
    """The document; what is wrong with its signature is noted."""
    data = store.get(key)
    found.documents += 1
    names = [name.rpartition(".")[2] for name in store.list(layout.signature_key(signature.digest(key, data), ""))]
    found.unsigned += not names
    if public is not None and signature.name(public) not in names:
        found.say(key, f"is not signed by {signature.name(public)}")
    elif public is not None and not signature.holds(
        public, key, data, store.get(signature.signature_key(key, data, public))
    ):
        found.say(key, "its signature does not fit its content")
    return data


def _blobs(store: Store, found: Audit, needed: dict[str, tuple[int, str]]) -> None:
    prefix = layout.blob_key("")
    present = {key.removeprefix(prefix): key for key in store.list(prefix)}
    for sha256, key in present.items():
        try:
            data = store.get(key)
        except AbsentError:
            continue  # collected meanwhile; if a version needs it, it is missing below
        found.blobs += 1
        found.bytes += len(data)
        found.unneeded += sha256 not in needed
        actual = hashlib.sha256(data).hexdigest()
        if actual != sha256:
            of = f", needed by {needed[sha256][1]}" if sha256 in needed else ""
            found.say(key, f"its content has the SHA-256 {actual}, not the one of its name{of}")
        elif sha256 in needed and needed[sha256][0] not in {-1, len(data)}:
            found.say(key, f"has {len(data)} bytes, but {needed[sha256][1]} says {needed[sha256][0]}")
    for sha256 in sorted(set(needed) - set(present)):
        if needed[sha256][0] >= 0:  # what a broken manifest mentions may be a hash of something else
            found.say(layout.blob_key(sha256), f"is missing, needed by {needed[sha256][1]}")
