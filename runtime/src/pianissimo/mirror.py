"""A registry in a bucket: documents are read afresh, files are downloaded once, and all of it is kept in a mirror.

The mirror is a registry in a folder of the cache, so what was downloaded can be used without a network.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING

from . import download, places
from .download import Progress
from .errors import BackendMissingError, PianissimoError, RegistryError
from .manifest import File

if TYPE_CHECKING:
    from .s3 import Bucket

log = logging.getLogger("pianissimo")

SCHEME = "s3://"
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)  # of a bucket
ASIDE = ".incoming"  # of a mirror, where unfinished downloads lie; a leading dot is never a key
ADDRESS = ".address"  # the file of a mirror that says what it is the mirror of


class BucketReader:
    """A registry at `s3://bucket/prefix`. Raises RegistryError for an address that is none."""

    def __init__(self, root: str, progress: Progress | None = None) -> None:
        name, _, prefix = root.removeprefix(SCHEME).partition("/")
        if not root.startswith(SCHEME) or not NAME.fullmatch(name):
            allowed = "s3://BUCKET or s3://BUCKET/PREFIX, the bucket's name of 3 to 63 of a-z, 0-9, . and -"
            raise RegistryError(root, "that is no bucket's address", allowed)
        self.root = root
        self._name, self._prefix = name, f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._progress = progress
        self._opened: tuple[int, Bucket] | None = None
        self._told = False

    def get(self, key: str) -> bytes | None:
        """Content of a document, kept in the mirror too; None when there is none."""
        data = self._bucket.document(self._prefix + key)
        if data is not None:
            try:
                self._keep(key, data)
            except OSError as fault:  # it is here all the same, and only without a network will it be missed
                self._tell(fault)
        return data

    def names(self, prefix: str) -> list[str]:
        """Names directly under a prefix."""
        return self._bucket.names(self._prefix + prefix)

    def fetch(self, key: str, file: File) -> Path:
        """The mirror's file with this content, downloaded if need be and checked."""
        bucket, full = self._bucket, self._prefix + key
        with self._in_words():
            folder = self.mirror
            return download.fetch(
                file,
                folder.joinpath(*key.split("/")),
                folder / ASIDE,
                lambda first: bucket.content(full, first, file.bytes),
                self._progress,
            )

    @property
    def mirror(self) -> Path:
        """The folder this registry is copied into, one for each address and endpoint; made if need be."""
        endpoint = self._bucket.endpoint
        digest = hashlib.sha256(f"{endpoint} {self._name}/{self._prefix}".encode()).hexdigest()
        plain = re.sub(r"[^a-z0-9]+", "-", f"{self._name}-{self._prefix}".lower()).strip("-")
        folder = places.mirrors() / f"{plain[:40]}-{digest[:12]}"
        if not (folder / ADDRESS).is_file():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / ADDRESS).write_text(f"{self.root} at {endpoint}\n", encoding="utf-8")
        return folder

    @property
    def _bucket(self) -> Bucket:
        """Opened when it is needed, and anew after a fork: two processes must not talk over one connection."""
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = os.getpid(), _open(self.root, self._name)
        return self._opened[1]

    def _keep(self, key: str, data: bytes) -> None:
        path = self.mirror.joinpath(*key.split("/"))
        if path.is_file() and path.read_bytes() == data:  # a mirror that came along read-only stays of use
            return
        part = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)

    def _tell(self, fault: OSError) -> None:
        """Once: documents come by the dozen."""
        if not self._told:
            self._told = True
            log.warning("%s cannot be kept in the cache %s: %s", self.root, places.cache(), fault)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """What the disk refuses."""
        try:
            yield
        except PianissimoError:
            raise
        except OSError as fault:
            allowed = f"room and the right to write there, or {places.ENVIRONMENT}=FOLDER"
            raise RegistryError(self.root, f"the cache {places.cache()} failed ({fault})", allowed) from fault


def _open(place: str, name: str) -> Bucket:
    try:
        from .s3 import Bucket
    except ImportError as fault:
        raise BackendMissingError("s3", f"pip install 'pianissimo[s3]' ({fault})") from fault
    return Bucket(place, name)


def mirrors() -> dict[str, Path]:
    """Every registry that was downloaded from: its address, and the folder with its copy."""
    found = sorted(places.mirrors().glob(f"*/{ADDRESS}"))
    return {path.read_text(encoding="utf-8").strip(): path.parent for path in found}
