"""One process, and one thread of it, at a time: a lock on a file, which the system lets go when its holder dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

WAIT = 0.05  # seconds between two tries where the system cannot wait by itself

if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        while True:
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # LK_LOCK gives up after ten seconds
                return
            except PermissionError:  # somebody else has it
                sleep(WAIT)

    def _give(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)

    def _give(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Wait for one's turn on a file, which is made when it is not there and stays afterwards. Raises OSError."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(handle)
        try:
            yield
        finally:
            _give(handle)
    finally:
        os.close(handle)
