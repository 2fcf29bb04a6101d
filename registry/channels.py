"""Move a channel to a version, with the reason kept in its history."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pianissimo import channel as documents
from pianissimo import layout
from pianissimo.channel import Channel, Move

from .keys import AbsentError
from .store import Store


def move(store: Store, model: str, channel: str, version: int, who: str, why: str) -> bool:
    """Move a channel forward to a version it never named; False when it stays.

    A channel that names a later version stays: of two publishers at once the later version wins, in whatever
    order they finish. A version that is in the history stays there: it was rolled back, and a re-run must not
    undo that.
    """
    key = layout.channel_key(model, channel)
    while True:
        before = _read(store, key)
        current = documents.loads(before, key) if before is not None else None
        history = current.history if current else ()
        if any(step.version >= version for step in history[-1:]) or any(step.version == version for step in history):
            return False
        when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        step = Move(version, current.version if current else None, who, when, why)
        after = Channel(model, channel, version, (*history, step))
        if store.compare_and_swap(key, before, (json.dumps(after.document(), indent=2) + "\n").encode()):
            return True


def _read(store: Store, key: str) -> bytes | None:
    try:
        return store.get(key)
    except AbsentError:
        return None
