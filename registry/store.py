"""The store a registry is written to: a few operations, whatever lies beneath."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pianissimo.errors import RegistryError

from .folder import FolderStore


class Store(Protocol):
    """What publishing needs. A key is a relative path with / between parts; content is whole or absent."""

    root: str

    def get(self, key: str) -> bytes:
        """Content of a key; raises AbsentError."""

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        """Write a key that is absent, from bytes or a file; False, and nothing written, when it is there."""

    def compare_and_swap(self, key: str, expected: bytes | None, new: bytes) -> bool:
        """Write a key if its content is still `expected` (None: absent); otherwise False, nothing written."""

    def list(self, prefix: str) -> list[str]:
        """Keys that begin with a prefix, sorted."""

    def delete(self, key: str) -> None:
        """Remove a key; one that is absent is no error."""

    def age(self, key: str) -> float:
        """Seconds since a key was written, by the store's own clock; raises AbsentError."""


def _bucket(root: str) -> Store:
    from .s3 import S3Store  # boto3 takes half a second, and a folder needs none of it

    return S3Store(root)


# What an address begins with -> how its store is opened. An address without a scheme is a folder.
SCHEMES: dict[str, Callable[[str], Store]] = {"": FolderStore, "s3": _bucket}


def open_store(root: str) -> Store:
    """The store at `root`: a folder, made on the first write, or a bucket that exists, `s3://bucket/prefix`.

    Raises RegistryError for another address.
    """
    scheme = root.partition("://")[0] if "://" in root else ""
    if not root or scheme not in SCHEMES:
        raise RegistryError(
            root or "(none)", "this kind of address is not supported", "a folder, or s3://BUCKET/PREFIX"
        )
    return SCHEMES[scheme](root)
