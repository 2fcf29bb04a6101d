"""What a store's key may look like, and what is raised for one that is not there."""

from __future__ import annotations

import re

from pianissimo.errors import RegistryError

PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*", re.ASCII)


class AbsentError(RegistryError):
    """The store holds no such key: `key`."""

    def __init__(self, place: str, key: str) -> None:
        self.key = key
        super().__init__(place, f"there is no {key}", "a key that was written")


def parts(place: str, key: str) -> list[str]:
    """The parts of a key; raises RegistryError for a root, a `..`, a hidden or an empty part."""
    split = key.split("/")
    if not all(PART.fullmatch(part) for part in split):
        raise RegistryError(place, f"the key {key!r}", "a relative path of plain parts, without .. or a leading . or /")
    return split
