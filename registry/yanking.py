"""Take a version out of use: its consumers are told why and get an earlier one."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pianissimo import layout
from pianissimo.channel import Channel
from pianissimo.errors import ModelNotFoundError, RegistryError
from pianissimo.yank import Yank

from . import page, signing, state
from .channels import before, moment, swap
from .signing import Signer
from .store import Store


@dataclass(frozen=True)
class Yanked:
    """What came of it: the document, `new` when this run wrote it, and the channels that were moved."""

    yank: Yank
    new: bool
    moved: list[str]


def yank(
    store: Store,
    model: str,
    version: int,
    who: str,
    why: str,
    instead: int | None = None,
    signer: Signer | None = None,
) -> Yanked:
    """Yank a version for `instead`, by default what `stable` named before it, or the next earlier one in use.

    Written first, so that whoever loads the version by its number or through a channel gets the other one at once;
    then the channels that name it are moved. Without any earlier version the channels stay, and consumers are refused
    with the reason. Run again after a kill it completes, with the words it began with.

    Raises ModelNotFoundError for a version that is not there, RegistryError.
    """
    found = state.read_model(store, model)
    numbers = [each.number for each in found.versions]
    if version not in numbers:
        raise ModelNotFoundError(f"version {version} of {model}", numbers, store.root)
    for name in found.naming(version):
        key = layout.channel_key(model, name)
        signing.require(store, key, store.get(key), signer)
    document, new = _write(
        store, Yank(model, version, _instead(store, found, version, instead), who, moment(), why), signer
    )
    moved = [name for name in found.channels if _leave(store, document, name, who, signer)]
    page.write(store, model)
    return Yanked(document, new, moved)


def _instead(store: Store, model: state.Model, version: int, wanted: int | None) -> int | None:
    earlier = {number for number in model.usable() if number < version}
    if wanted is not None and wanted not in earlier:
        listed = ", ".join(map(str, sorted(earlier))) or "none"
        raise RegistryError(
            store.root, f"version {wanted} cannot stand in for {version}", f"an earlier one in use: {listed}"
        )
    if wanted is not None or not earlier:
        return wanted
    stable = model.channels.get("stable")
    named = before(stable, earlier) if stable and stable.version == version else None
    return named or max(earlier)


def _write(store: Store, wanted: Yank, signer: Signer | None) -> tuple[Yank, bool]:
    """The yank as it lies there afterwards, and whether it is ours."""
    key = layout.yank_key(wanted.model, wanted.version)
    data = (json.dumps(wanted.document(), indent=2) + "\n").encode()
    present = state.read_yank(store, wanted.model, wanted.version)
    if present is None:
        if signer:
            signer.sign(store, key, data)
        if store.put_if_absent(key, data):
            return wanted, True
        present = state.read_yank(store, wanted.model, wanted.version)
    if present is None:
        raise RegistryError(store.root, f"{key} is not to be read", "a registry whose files nobody else removes")
    return present, False


def _leave(store: Store, yanked: Yank, channel: str, who: str, signer: Signer | None) -> bool:
    def choose(current: Channel | None) -> int | None:
        return yanked.instead if current and current.version == yanked.version else None

    why = f"version {yanked.version} was yanked: {yanked.why}"
    return swap(store, yanked.model, channel, choose, who, why, signer) is not None
