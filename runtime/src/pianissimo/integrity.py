"""Check that a file is the one that was published, before anything opens it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .errors import IntegrityError
from .manifest import File

CHUNK = 2**20  # bytes


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def check(path: Path, file: File) -> None:
    """Raise IntegrityError unless the file at `path` has the size and the hash the manifest states."""
    try:
        size = path.stat().st_size if path.is_file() else None
        if size is None:
            raise IntegrityError(file.name, "the file", f"{file.bytes} bytes at {path}", "nothing there")
        if size != file.bytes:
            raise IntegrityError(file.name, "bytes", file.bytes, size)
        found = sha256(path)
    except IntegrityError:
        raise
    except OSError as fault:
        raise IntegrityError(file.name, "a readable file", path, fault.strerror) from fault
    if found != file.sha256:
        raise IntegrityError(file.name, "sha256", file.sha256, found)
