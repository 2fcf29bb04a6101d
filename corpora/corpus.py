"""What a corpus is once read: clips with a label and a group, and a hash of all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, order=True)
class Clip:
    """One audio file: its path inside the corpus (POSIX), its label, who or what it comes from, its official split."""

    path: str
    label: str
    group: str
    split: str | None = None


@dataclass(frozen=True)
class Corpus:
    """A folder of clips; `labels` are sorted, `clips` stand in the order of labels.csv."""

    root: Path
    clips: tuple[Clip, ...]
    labels: tuple[str, ...]
    name: str
    licence: str

    def file(self, clip: Clip) -> Path:
        """The clip's file on disk."""
        return self.root / clip.path

    def digest(self) -> str:
        """sha256 (hex) over path, label, group, split and file content of every clip, whatever their order."""
        lines = (
            "\t".join((clip.path, clip.label, clip.group, clip.split or "", content_hash(self.file(clip))))
            for clip in sorted(self.clips, key=lambda clip: clip.path)
        )
        return hash_lines(lines)


def hash_lines(lines: Iterable[str]) -> str:
    """sha256 (hex) of the lines, each ended by a newline, in UTF-8."""
    total = hashlib.sha256()
    for line in lines:
        total.update(line.encode() + b"\n")
    return total.hexdigest()


def content_hash(path: Path) -> str:
    """sha256 (hex) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
