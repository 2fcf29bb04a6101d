"""A store in a folder, safe under many processes and under a kill at any moment.

New content is written to a file aside, flushed to disk, and only then given its name by a hard link, which
fails when the name is taken; a swap is a rename under a lock. So a reader sees whole content or none.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pianissimo.errors import RegistryError

from .keys import AbsentError, parts

ASIDE = ".incoming"  # on the same file system as the content, so that a link works; a leading dot is never a key
LOCK = ".lock"

# What the system says -> what a person can act on: the problem, and what would do.
WORDS = {
    errno.EACCES: ("is not writable", "a folder this user may write to"),
    errno.EPERM: ("is not writable", "a folder this user may write to"),
    errno.EROFS: ("lies on a read-only file system", "a folder that can be written"),
    errno.ENOSPC: ("has no space left", "a folder with room for the files"),
    errno.EDQUOT: ("has no quota left", "a folder with room for the files"),
    errno.EFBIG: ("takes no file this large", "a folder with room for the files"),
    errno.ENOTDIR: ("is not a folder", "a folder"),
    errno.EEXIST: ("is not a folder", "a folder"),
    errno.EISDIR: ("has a folder where a file should be", "a registry nothing else writes to"),
}
NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}  # FAT, some network shares


class FolderStore:
    """The operations of `Store` on a folder; the folder is made on the first write."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._folder = Path(root)
        self._swept = False

    def get(self, key: str) -> bytes:
        """Content of a key; raises AbsentError."""
        path = self._path(key)
        with self._in_words():
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise AbsentError(self.root, key) from None

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        """Write a key unless it exists."""
        path = self._path(key)
        with self._in_words():
            if path.exists():
                return False
            with self._aside(data) as ready:
                path.parent.mkdir(parents=True, exist_ok=True)
                created = self._name(ready, path)
            _flush_folder(path.parent)
            return created

    def compare_and_swap(self, key: str, expected: bytes | None, new: bytes) -> bool:
        """Write a key if its content is still the expected one."""
        path = self._path(key)
        with self._in_words(), self._aside(new) as ready, self._locked():
            current = path.read_bytes() if path.exists() else None
            if current != expected:
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            Path(ready).replace(path)
            _flush_folder(path.parent)
            return True

    def list(self, prefix: str) -> list[str]:
        """Keys that begin with a prefix, sorted."""
        *folders, begins = prefix.split("/")
        start = self._folder.joinpath(*folders)
        with self._in_words():
            if not start.is_dir():
                return []
            tops = [path for path in start.iterdir() if path.name.startswith(begins)]
            paths = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*"))]
            found = [path.relative_to(self._folder) for path in paths if path.is_file()]
        keys = [path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts)]
        return sorted(keys)

    def delete(self, key: str) -> None:
        """Remove a key if it is there."""
        path = self._path(key)
        with self._in_words():
            path.unlink(missing_ok=True)

    def age(self, key: str) -> float:
        """Seconds since a key was written; raises AbsentError."""
        path = self._path(key)
        with self._in_words():
            try:
                return time.time() - path.stat().st_mtime
            except FileNotFoundError:
                raise AbsentError(self.root, key) from None

    def _path(self, key: str) -> Path:
        return self._folder.joinpath(*parts(self.root, key))

    def _name(self, ready: str, path: Path) -> bool:
        """Give finished content its name; False when the name is taken."""
        try:
            os.link(ready, path)
        except FileExistsError:
            return False
        except OSError as fault:
            if fault.errno not in NO_LINKS:
                raise
            with self._locked():  # without links, every writer takes the lock and looks first
                if path.exists():
                    return False
                Path(ready).replace(path)
        return True

    @contextmanager
    def _aside(self, data: bytes | Path) -> Iterator[str]:
        """A flushed file with this content, gone afterwards; its writer keeps it locked while it lives."""
        folder = self._folder / ASIDE
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep(folder)
        stream = _locked_file(folder)
        try:
            with stream:
                if isinstance(data, Path):
                    with data.open("rb") as source:
                        shutil.copyfileobj(source, stream, 2**20)
                else:
                    stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
                os.fchmod(stream.fileno(), 0o644)  # mkstemp keeps others out, but consumers are others
                yield stream.name
        finally:
            Path(stream.name).unlink(missing_ok=True)

    def _sweep(self, folder: Path) -> None:
        """Once: remove what killed writers left. A living writer's lock keeps its file."""
        if self._swept:
            return
        self._swept = True
        for path in folder.iterdir():
            try:
                with path.open("rb") as stream:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink(missing_ok=True)
            except (BlockingIOError, FileNotFoundError):
                continue  # its writer lives, or has just finished

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time; the system lets the lock go when its holder dies."""
        with (self._folder / LOCK).open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except RegistryError:
            raise
        except OSError as fault:
            problem, allowed = WORDS.get(fault.errno or 0, (f"failed: {fault}", "a folder that can be written"))
            raise RegistryError(self.root, f"{problem} ({fault.strerror})", allowed) from fault


def _locked_file(folder: Path) -> BinaryIO:
    """A new file, locked; made again when a sweeper took it between the two steps."""
    while True:
        stream = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115 (it outlives this function)
        fcntl.flock(stream, fcntl.LOCK_EX)
        if os.fstat(stream.fileno()).st_nlink:
            return stream  # type: ignore[return-value]
        stream.close()


def _flush_folder(folder: Path) -> None:
    """Make a new name survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
