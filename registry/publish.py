"""Publish a version: blobs first, then signature and manifest, then the channels, so that no reader sees half of one.

Every step is a single conditional write that another run finds done or not done. A run killed anywhere is
therefore run again, and publishing the same content again changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pianissimo import checks, integrity, layout
from pianissimo import manifest as manifests
from pianissimo.errors import ManifestError, RegistryError
from pianissimo.manifest import File, Manifest

from . import page, signing, state
from .channels import moment, move
from .fingerprint import fingerprint
from .keys import AbsentError
from .signing import Signer
from .store import Store

ROUNDS = 5  # a version may be collected while its content is published again


@dataclass(frozen=True)
class Published:
    """What came of it: `new` tells whether it made the version, `moved` lists the channels it moved."""

    model: str
    version: int
    new: bool
    moved: list[str]


def publish(
    store: Store,
    manifest: Mapping[str, Any],
    files: Mapping[str, Path],
    channels: Sequence[str],
    who: str,
    why: str,
    signer: Signer | None = None,
) -> Published:
    """Publish a draft manifest with the files it names, and move channels to it.

    `files` maps each file name of the manifest, the golden vectors included, to where it lies. `version` and
    `created` are set here. Content that was published before, whatever its figures and lineage, keeps its
    version. A channel is moved forward only, and never to a version it named before, so that running this
    again does not undo a rollback. With a `signer` manifest and channels are signed, the ones that are there too.

    Raises ManifestError, IntegrityError (a file is not what the manifest says), RegistryError.
    """
    draft = manifests.parse({**manifest, "version": None, "created": None})
    _check_arguments(store, channels, who, why)
    _check_signed(store, draft.model, channels, signer)
    contents = _checked_files(store, draft, files)
    for _ in range(ROUNDS):
        _put(store, contents)
        version, new = _number(store, draft, manifest, signer)
        if new:
            _put(store, contents)  # once more: until now no version needed them, and a collection may have run
        moved = [channel for channel in channels if move(store, draft.model, channel, version, who, why, signer)]
        if version in state.numbers(store, draft.model):
            page.write(store, draft.model)
            return Published(draft.model, version, new, moved)
    raise RegistryError(
        store.root, f"version {version} is removed as often as it is published", "a pause in collecting"
    )


def put_card(store: Store, model: str, version: int, text: str, signer: Signer | None = None) -> bool:
    """Put a version's model card beside its manifest, signed with a `signer`; False where one is, which stays.

    It is for people, and no version waits for it: a run killed before it writes it the next time.
    """
    key = layout.card_key(model, version)
    data = state.read_document(store, key) or text.encode()
    if signer:
        signer.sign(store, key, data)
    new = store.put_if_absent(key, data)
    page.write(store, model)
    return new


def _put(store: Store, contents: Mapping[str, Path]) -> None:
    for sha256, path in sorted(contents.items()):
        store.put_if_absent(layout.blob_key(sha256), path)


def _check_arguments(store: Store, channels: Sequence[str], who: str, why: str) -> None:
    if isinstance(channels, str):
        raise RegistryError(store.root, f"channels={channels!r}", "a sequence of channel names")
    for channel in channels:
        checks.name(channel, "channels")
    checks.text(who, "who")
    checks.text(why, "why")


def _check_signed(store: Store, model: str, channels: Sequence[str], signer: Signer | None) -> None:
    """Told before anything is written: signed channels move with a key only."""
    for channel in channels:
        key = layout.channel_key(model, channel)
        try:
            signing.require(store, key, store.get(key), signer)
        except AbsentError:
            continue


def _checked_files(store: Store, draft: Manifest, files: Mapping[str, Path]) -> dict[str, Path]:
    """sha256 -> path, once every file has proved to be the one the manifest describes."""
    wanted: dict[str, File] = {file.name: file for file in draft.files()}
    if set(wanted) != set(files):
        differing = ", ".join(sorted(set(wanted) ^ set(files)))
        raise RegistryError(store.root, f"the manifest and the files given differ in {differing}", ", ".join(wanted))
    for name, file in wanted.items():
        integrity.check(files[name], file)
    return {file.sha256: files[name] for name, file in wanted.items()}


def _number(store: Store, draft: Manifest, manifest: Mapping[str, Any], signer: Signer | None) -> tuple[int, bool]:
    """The version with this content, made if there is none; looks again when another took the number."""
    wanted = fingerprint(draft)
    seen: dict[int, str] = {}
    while True:
        for version in state.numbers(store, draft.model):
            if version not in seen:
                key = layout.manifest_key(draft.model, version)
                seen[version] = fingerprint(manifests.loads(store.get(key), key))
        same = [version for version, found in seen.items() if found == wanted]
        version = max(same or [max(seen, default=0) + 1])
        key = layout.manifest_key(draft.model, version)
        data = store.get(key) if same else _completed(manifest, version)
        if signer:  # first, so that no reader meets the manifest without it
            signer.sign(store, key, data)
        if same:
            return version, False
        if store.put_if_absent(key, data):
            return version, True


def _completed(manifest: Mapping[str, Any], version: int) -> bytes:
    """The manifest as it is written, read back once as its consumers will."""
    try:
        text = json.dumps({**manifest, "version": version, "created": moment()}, indent=2, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as fault:
        raise ManifestError("manifest", fault, "what JSON can hold: finite numbers, text, arrays, objects") from fault
    manifests.loads(text)
    return (text + "\n").encode()
