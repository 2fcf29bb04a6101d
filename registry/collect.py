"""Remove what no version needs, and on request old versions; what is in use, or may be gone back to, stays.

Publishers may be at work: a blob is removed only when it is old, and when no version that is there the moment before
needs it. A publisher puts its blobs once more after its manifest, and a version that a channel came to name while it
was removed is put back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pianissimo import layout, signature
from pianissimo.errors import RegistryError

from . import page, signing, state
from .channels import before
from .keys import AbsentError
from .store import Store

# The names under a prefix that are needed, without the versions that a dry run would remove.
Needs = Callable[[Store, set[tuple[str, int]]], set[str]]

HOURS = 24.0  # how old what nobody needs must be: longer than publishing ever takes


@dataclass
class Collected:
    """What was removed, or with a dry run would be: versions as (model, number), keys of blobs and signatures."""

    versions: list[tuple[str, int]] = field(default_factory=list)
    blobs: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)


def collect(store: Store, keep: int | None = None, hours: float = HOURS, dry: bool = False) -> Collected:
    """Remove blobs and signatures that nothing needs and that are older than `hours`.

    With `keep`, first remove the versions of each model but its newest `keep`, those a channel names or would go back
    to, and those that are used instead of a yanked one. `dry` removes nothing.

    Raises RegistryError for an impossible retention, ManifestError when a document is broken: then nothing is removed.
    """
    if keep is not None and keep < 1:
        raise RegistryError(store.root, f"keep={keep}", "1 or more versions a model")
    if not 0 <= hours < float("inf"):
        raise RegistryError(store.root, f"hours={hours}", "0 or more hours")
    models = state.read(store)
    found = Collected()
    if keep is not None:
        found.versions = [(model.name, number) for model in models for number in _surplus(model, keep)]
    if not dry:
        found.versions = [each for each in found.versions if _remove_version(store, *each)]
    gone = set(found.versions) if dry else set()
    found.blobs = list(_remove(store, layout.blob_key(""), hours, dry, gone, _needed_blobs))
    found.signatures = list(_remove(store, layout.signatures_prefix(), hours, dry, gone, _needed_signatures))
    if not dry:
        page.write(store)
    return found


def _surplus(model: state.Model, keep: int) -> list[int]:
    """Numbers of the versions that retention lets go, oldest first."""
    numbers = sorted(version.number for version in model.versions)
    kept = set(numbers[-keep:])
    for channel in model.channels.values():
        kept.add(channel.version)
        kept.add(before(channel, model.usable()) or channel.version)
    while (
        more := {v.yanked.instead for v in model.versions if v.number in kept and v.yanked and v.yanked.instead} - kept
    ):
        kept |= more
    return [number for number in numbers if number not in kept]


def _remove_version(store: Store, model: str, number: int) -> bool:
    """The manifest first, so that no reader sees half a version; put back when a channel has come to name it."""
    key = layout.manifest_key(model, number)
    data = store.get(key)
    store.delete(key)
    if state.read_model(store, model).naming(number):
        store.put_if_absent(key, data)
        return False
    for other in store.list(f"{layout.versions_prefix(model)}{number}/"):
        store.delete(other)
    return True


def _remove(
    store: Store, prefix: str, hours: float, dry: bool, gone: set[tuple[str, int]], needs: Needs
) -> Iterator[str]:
    """Keys under a prefix that are old and whose names `needs` does not hold, the moment before each is removed."""
    documents: list[str] = []
    needed: set[str] = set()
    for key in store.list(prefix):
        name = key.removeprefix(prefix)
        if name in needed or not _is_old(store, key, hours):
            continue
        now = store.list(layout.models_prefix())
        if now != documents:
            documents, needed = now, needs(store, gone)
        if name in needed:
            continue
        if not dry:
            store.delete(key)
        yield key


def _is_old(store: Store, key: str, hours: float) -> bool:
    try:
        return store.age(key) >= hours * 3600
    except AbsentError:
        return False  # another collection took it


def _needed_blobs(store: Store, gone: set[tuple[str, int]]) -> set[str]:
    """SHA-256 of every file of every version."""
    return {
        file.sha256
        for model in state.read(store)
        for version in model.versions
        if (model.name, version.number) not in gone
        for file in version.manifest.files()
    }


def _needed_signatures(store: Store, gone: set[tuple[str, int]]) -> set[str]:
    """Names of the signatures of every document, by whatever key."""
    lost = tuple(f"{layout.versions_prefix(model)}{number}/" for model, number in gone)
    keys = [key for key in signing.documents(store) if not key.startswith(lost)]
    digests = {signature.digest(key, store.get(key)) for key in keys}
    prefix = layout.signatures_prefix()
    names = [key.removeprefix(prefix) for key in store.list(prefix)]
    return {name for name in names if name.partition(".")[0] in digests}
