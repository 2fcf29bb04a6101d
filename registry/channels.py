"""Move a channel to a version, with who and why kept in its history."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from pianissimo import channel as documents
from pianissimo import checks, layout
from pianissimo.channel import Channel, Move
from pianissimo.errors import ModelNotFoundError, RegistryError

from . import contention, page, signing, state
from .signing import Signer
from .store import Store

# Given a channel, or None where there is none yet: the version it shall name, or None when it stays.
Choice = Callable[[Channel | None], int | None]


def move(
    store: Store, model: str, channel: str, version: int, who: str, why: str, signer: Signer | None = None
) -> bool:
    """Move a channel forward to a version it never named; False when it stays.

    A channel that names a later version stays: of two publishers at once the later version wins, in whatever
    order they finish. A version that is in the history stays there: it was rolled back, and a re-run must not
    undo that. Nor does a channel move to a yanked one.
    """

    def choose(current: Channel | None) -> int | None:
        history = current.history if current else ()
        if any(step.version >= version for step in history[-1:]) or any(step.version == version for step in history):
            return None
        return version

    return (
        state.read_yank(store, model, version) is None
        and swap(store, model, channel, choose, who, why, signer) is not None
    )


def promote(
    store: Store, model: str, channel: str, version: int, who: str, why: str, signer: Signer | None = None
) -> Move | None:
    """Move a channel to any version that is in use; None when it names that one already.

    Raises ModelNotFoundError for a version that is not there or was yanked, RegistryError.
    """
    usable = state.read_model(store, model).usable()
    if version not in usable:
        raise ModelNotFoundError(f"version {version} of {model} in use", sorted(usable), store.root)

    def choose(current: Channel | None) -> int | None:
        return None if current and current.version == version else version

    done = swap(store, model, channel, choose, who, why, signer)
    page.write(store, model)
    return done


def rollback(store: Store, model: str, channel: str, who: str, why: str, signer: Signer | None = None) -> Move:
    """Move a channel back to the version it named before; again, to the one before that.

    Raises ModelNotFoundError for a channel that is not there, RegistryError when there is nothing to go back to.
    """
    found = state.read_model(store, model)
    if channel not in found.channels:
        raise ModelNotFoundError(f"channel {channel} of {model}", found.channels, store.root)

    def choose(current: Channel | None) -> int | None:
        earlier = before(current, found.usable()) if current else None
        if earlier is None:
            raise RegistryError(
                store.root,
                f"{channel} of {model} has no earlier version in use to go back to",
                "promote with --version",
            )
        return earlier

    done = swap(store, model, channel, choose, who, why, signer)
    page.write(store, model)
    assert done, "a rollback moves or raises"
    return done


def before(channel: Channel, usable: Collection[int]) -> int | None:
    """The version a channel named before its present one and would go back to; one it was moved back from is none."""
    line: list[int] = []
    for step in channel.history:
        if step.version in line:  # a move back: what came after is behind us
            del line[line.index(step.version) :]
        line.append(step.version)
    return next((version for version in reversed(line[:-1]) if version in usable), None)


def swap(
    store: Store, model: str, channel: str, choose: Choice, who: str, why: str, signer: Signer | None
) -> Move | None:
    """Move a channel as `choose` says, again when another moved it meanwhile; None when it stays."""
    checks.name(channel, "channel")
    checks.text(who, "who")
    checks.text(why, "why")
    key = layout.channel_key(model, channel)
    lost = 0
    while True:
        data = state.read_document(store, key)
        current = documents.loads(data, key) if data is not None else None
        version = choose(current)
        if version is None:
            return None
        step = Move(version, current.version if current else None, who, moment(), why)
        after = Channel(model, channel, version, (*(current.history if current else ()), step))
        new = (json.dumps(after.document(), indent=2) + "\n").encode()
        if data is not None:
            signing.require(store, key, data, signer)
        if signer:  # first, so that no reader meets the document without it
            signer.sign(store, key, new)
        if store.compare_and_swap(key, data, new):
            return step
        lost += 1
        contention.pause(lost)


def moment() -> str:
    """Now, as documents have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
