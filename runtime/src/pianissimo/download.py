"""Bring a file whole and right over a connection that may break: what came is kept, and gone on from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep
from typing import BinaryIO

from . import integrity
from .errors import IntegrityError, PianissimoError
from .manifest import File
from .turns import turn

log = logging.getLogger("pianissimo")
Source = Callable[[int], Iterator[bytes]]  # the file's content from a byte on; raises BrokenOffError where it breaks
Progress = Callable[[str, int, int], None]  # the file's name, its bytes so far, its bytes in all

ATTEMPTS = 5  # without a single byte in between, before a download is given up for now
LONGEST_WAIT = 4.0  # seconds between two of them


class BrokenOffError(Exception):
    """A connection broke in the middle of a file's content; `fault` is what to tell when it breaks for good."""

    def __init__(self, fault: PianissimoError) -> None:
        self.fault = fault
        super().__init__(str(fault))


def fetch(file: File, place: Path, aside: Path, source: Source, progress: Progress | None = None) -> Path:
    """`place`, with the file's content there: as it is, or downloaded, checked by size and SHA-256 before it gets its name.

    `aside` is a folder for what is unfinished, which the next call goes on from, whatever process it is in; of several
    callers one downloads and the others wait. Raises IntegrityError when what the source has is another file, what the
    source raises when it breaks for good, OSError.
    """
    if not is_whole(place, file):
        aside.mkdir(parents=True, exist_ok=True)
        with turn(aside / f"{file.sha256}.lock"):
            if not is_whole(place, file):  # nobody else has brought it meanwhile
                part = aside / f"{file.sha256}.part"
                _bring(file, part, source, progress)
                place.parent.mkdir(parents=True, exist_ok=True)
                part.replace(place)
    return place


def is_whole(path: Path, file: File) -> bool:
    """Whether the file is there and is the one that was published."""
    try:
        integrity.check(path, file)
    except IntegrityError:
        return False
    return True


def pause(attempt: int) -> None:
    """Wait before another attempt, longer each time."""
    sleep(min(LONGEST_WAIT, 0.1 * 2**attempt))


def _bring(file: File, part: Path, source: Source, progress: Progress | None) -> None:
    """From where an earlier run stopped; once more from the beginning when that turns out to be something else."""
    left = part.stat().st_size if part.exists() else 0
    if left > file.bytes:
        part.unlink()
        left = 0
    _append(file, part, source, progress)
    try:
        integrity.check(part, file)
    except IntegrityError:
        part.unlink()
        if not left:
            raise
        log.warning("what an earlier download left of %s was damaged; it begins again", file.name)
        _bring(file, part, source, progress)


def _append(file: File, part: Path, source: Source, progress: Progress | None) -> None:
    """What is missing; gone on from after a break, unless nothing more comes at all."""
    stalled = 0
    with part.open("ab") as stream:
        while (before := stream.tell()) < file.bytes:
            broken = _pour(file, stream, source, progress)
            stalled = stalled + 1 if stream.tell() == before else 0
            if stalled == ATTEMPTS:
                raise broken
            if stream.tell() < file.bytes:
                log.info("%s broke off at %d of %d bytes: %s", file.name, stream.tell(), file.bytes, broken)
                pause(stalled)


def _pour(file: File, stream: BinaryIO, source: Source, progress: Progress | None) -> PianissimoError:
    """As much as comes at once; gives what to tell when that was the last that ever came."""
    try:
        for chunk in source(stream.tell()):
            if stream.tell() + len(chunk) > file.bytes:  # whoever sends without an end shall not fill the disk
                raise IntegrityError(file.name, "bytes", file.bytes, "more")
            stream.write(chunk)
            if progress is not None:
                progress(file.name, stream.tell(), file.bytes)
    except BrokenOffError as broken:
        return broken.fault
    return IntegrityError(file.name, "bytes", file.bytes, stream.tell())  # some connections break without a word
