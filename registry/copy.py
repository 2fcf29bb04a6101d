"""Copy a registry to another place: what is needed first, then what needs it, so that no reader there sees half of it.

The copy is the same byte for byte, so signatures hold. Killed anywhere it is run again and goes on; run again later it
brings what is new. A place where somebody else publishes is refused before anything is written.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from pianissimo import channel as channels
from pianissimo import integrity, layout, signature
from pianissimo import manifest as manifests
from pianissimo.errors import RegistryError
from pianissimo.manifest import File

from . import page, signing, state
from .store import Store

Documents = dict[str, bytes]  # by their keys


@dataclass(frozen=True)
class Copied:
    """How many documents and blobs were written, and how many of both were there already."""

    documents: int
    blobs: int
    there: int


def copy(source: Store, target: Store) -> Copied:
    """Bring what a consumer of `source` may ask for to `target`.

    Raises RegistryError when `target` has something else under the same key, or a channel that was moved there;
    IntegrityError for a blob of `source` that is damaged or missing, ManifestError.
    """
    documents = _documents(source)
    present = {key: state.read_document(target, key) for key in documents}
    for key, data in documents.items():
        _check(target, key, data, present[key])
    files = {file.sha256: file for key, data in documents.items() for file in _files(key, data)}
    blobs = [_blob(source, target, file) for file in files.values()]
    written = [_document(source, target, key, data, present[key]) for key, data in documents.items()]
    page.write(target)
    return Copied(sum(written), sum(blobs), written.count(False) + blobs.count(False))


def _documents(source: Store) -> Documents:
    """Every document in the order of writing: wheels, what stands beside a manifest, manifests, channels.

    Channels are read first, and so name only versions that are read after them.
    """
    moving = {key: source.get(key) for key in signing.documents(source) if _is_channel(key)}
    others = [key for key in signing.documents(source) if not _is_channel(key)]
    others.sort(key=lambda key: key.endswith("/manifest.json"))
    return {**{key: source.get(key) for key in others}, **moving}


def _is_channel(key: str) -> bool:
    return key.startswith(layout.models_prefix()) and key.split("/")[2:3] == ["channels"]


def _files(key: str, data: bytes) -> list[File]:
    return list(manifests.loads(data, key).files()) if key.endswith("/manifest.json") else []


def _check(target: Store, key: str, data: bytes, there: bytes | None) -> None:
    """A channel may have moved on here since; everything else never changes."""
    if there in (None, data):
        return
    if _is_channel(key):
        before, now = channels.loads(there, key).history, channels.loads(data, key).history
        if now[: len(before)] == before:
            return
    raise RegistryError(target.root, f"{key} is another one there", "an empty place, or a copy of this registry")


def _blob(source: Store, target: Store, file: File) -> bool:
    """By way of a file, from which it goes up in parts where it is large."""
    key = layout.blob_key(file.sha256)
    if key in target.list(key):
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, file.sha256)
        path.write_bytes(source.get(key))
        integrity.check(path, file)
        return target.put_if_absent(key, path)


def _document(source: Store, target: Store, key: str, data: bytes, there: bytes | None) -> bool:
    """With its signatures first, so that no reader meets it without them."""
    for name in source.list(layout.signature_key(signature.digest(key, data), "")):
        target.put_if_absent(name, source.get(name))
    if there == data:
        return False
    if not target.compare_and_swap(key, there, data):
        raise RegistryError(target.root, f"{key} was written from elsewhere", "the same command again")
    return True
