"""A corpus folder appears whole or not at all: built beside its place, renamed into it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpora.errors import CorpusError
from corpora.labels import FACTS, FILE


@contextmanager
def staged(dest: Path) -> Iterator[Path]:
    """Give a fresh folder to fill; it becomes `dest` if the block ends well, and is gone if it does not.

    An earlier corpus in `dest` is replaced. Raises CorpusError before any work when `dest` holds something else.
    """
    _check_replaceable(dest)
    dest.parent.mkdir(parents=True, exist_ok=True)
    for left in dest.parent.glob(f".{dest.name}.partial-*"):
        if not _is_running(left.name.rpartition("-")[2]):
            shutil.rmtree(left)  # of a run that was killed
    partial = dest.parent / f".{dest.name}.partial-{os.getpid()}"
    partial.mkdir()
    try:
        yield partial
        _replace(partial, dest)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(partial: Path, dest: Path) -> None:
    former = partial.with_name(f"{partial.name}-former")
    if dest.exists():
        dest.rename(former)
    partial.rename(dest)
    shutil.rmtree(former, ignore_errors=True)


def _check_replaceable(dest: Path) -> None:
    if not dest.exists():
        return
    if not dest.is_dir():
        raise CorpusError("is a file", place=dest, allowed="a folder, or a name not taken")
    held = {entry.name for entry in dest.iterdir()} - {"README.md", ".gitignore"}
    if held and not {FACTS, FILE} <= held:
        raise CorpusError(
            f"holds something that is no corpus of ours ({len(held)} entries)",
            place=dest,
            allowed=f"an empty folder, a folder with {FACTS} and {FILE}, or a name not taken",
        )


def _is_running(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
