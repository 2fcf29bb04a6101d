"""A store that dies at a write, and what must be true of a registry whatever died there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pianissimo as pp
from pianissimo import channel

import registry


class Killed(BaseException):
    """Not an Exception: nothing may catch it on the way."""


class Mortal:
    """A store that dies at its n-th write, before it or after it."""

    def __init__(self, store: registry.Store, writes: int, after: bool) -> None:
        self.root, self._store, self._left, self._after = store.root, store, writes, after
        self.get, self.list, self.delete = store.get, store.list, store.delete

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        return self._write(lambda: self._store.put_if_absent(key, data))

    def compare_and_swap(self, key: str, expected: bytes | None, new: bytes) -> bool:
        return self._write(lambda: self._store.compare_and_swap(key, expected, new))

    def _write(self, write: Callable[[], bool]) -> bool:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        done = write()
        if self._left == 0:
            raise Killed
        return done


def complete(root: str) -> None:
    """Everything a reader can reach is whole."""
    store = registry.open_store(root)
    for key in store.list("models/"):
        if key.endswith("manifest.json"):
            for file in pp.manifest.loads(store.get(key)).files():
                assert len(store.get(f"blobs/sha256/{file.sha256}")) == file.bytes
        elif "/channels/" in key:
            named = channel.loads(store.get(key)).version
            assert store.get(f"models/keywords/versions/{named}/manifest.json")
