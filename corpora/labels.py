"""labels.csv, the one interface of a corpus: read strictly, written in one way."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from corpora.corpus import SPLITS, Clip, Corpus
from corpora.errors import CorpusError

FILE = "labels.csv"
FACTS = "corpus.json"
SUFFIXES = (".wav", ".flac")
SPLIT_NAMES = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}
# FSDD's own table says speaker where ours says group.
COLUMNS = {"path": ("path",), "label": ("label",), "group": ("group", "speaker")}
ALLOWED_COLUMNS = "path, label, group (or speaker) and, if there is an official one, split; others are ignored"


def read_folder(root: Path | str) -> Corpus:
    """Read a corpus folder: labels.csv, the files it names, and corpus.json when there.

    Raises CorpusError for anything that is not as `ALLOWED_COLUMNS` says, for paths outside the folder,
    duplicates, absent files, empty cells, split names not known, and fewer than two labels.
    Audio is not opened here: that is `read_audio`.
    """
    root = Path(root)
    table = root / FILE
    if not root.is_dir():
        raise CorpusError("no such folder", place=root, allowed=f"a folder with {FILE} and WAV or FLAC files")
    if not table.is_file():
        raise CorpusError(f"has no {FILE}", place=root, allowed=f"{FILE} with the columns {ALLOWED_COLUMNS}")
    clips = _read_table(table)
    _check_paths(table, clips)
    _check_present(root, clips)
    _check_splits(table, clips)
    labels = tuple(sorted({clip.label for clip in clips}))
    if len(labels) < 2:
        raise CorpusError(f"only one label, {labels[0]!r}", place=table, allowed="two labels or more")
    facts = _read_facts(root)
    return Corpus(root, clips, labels, facts.get("name", root.resolve().name), facts.get("licence", "unknown"))


def write_labels(root: Path, clips: Sequence[Clip]) -> None:
    """Write labels.csv, sorted by path; the split column appears when any clip has one."""
    columns = ["path", "label", "group"] + (["split"] if any(clip.split for clip in clips) else [])
    with (root / FILE).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([getattr(clip, column) or "" for column in columns] for clip in sorted(clips))


def write_facts(root: Path, facts: Mapping[str, object]) -> None:
    """Write corpus.json: at least name, licence, source, note."""
    (root / FACTS).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def listed(items: Iterable[object], shown: int = 5) -> str:
    """The first few of many, and how many there are: 'a, b, c … (17 in all)'."""
    every = [str(item) for item in items]
    return ", ".join(every) if len(every) <= shown else f"{', '.join(every[:shown])} … ({len(every)} in all)"


def _read_table(table: Path) -> tuple[Clip, ...]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = _choose_columns(table, list(reader.fieldnames or []))
            clips = tuple(_read_row(table, line, row, columns) for line, row in enumerate(reader, start=2))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"not readable as a table: {error}", place=table, allowed="CSV in UTF-8") from error
    if not clips:
        raise CorpusError("names no clips", place=table, allowed="one row a clip under the header")
    return clips


def _choose_columns(table: Path, header: list[str]) -> dict[str, str]:
    """Which column of this table serves for which of ours."""
    chosen = {want: next((name for name in names if name in header), None) for want, names in COLUMNS.items()}
    missing = [want for want, name in chosen.items() if name is None]
    if missing:
        found = ", ".join(header) or "nothing"
        raise CorpusError(
            f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; found {found}",
            place=table,
            allowed=ALLOWED_COLUMNS,
        )
    return {want: name for want, name in chosen.items() if name is not None}


def _read_row(table: Path, line: int, row: dict[str, str | None], columns: dict[str, str]) -> Clip:
    cells = {want: (row.get(name) or "").strip() for want, name in columns.items()}
    empty = [want for want, cell in cells.items() if not cell]
    if empty:
        raise CorpusError(f"empty {' and '.join(empty)}", place=f"{table} line {line}", allowed="a value in each row")
    return Clip(cells["path"], cells["label"], cells["group"], _read_split(table, line, row.get("split")))


def _read_split(table: Path, line: int, cell: str | None) -> str | None:
    word = (cell or "").strip().lower()
    if not word:
        return None
    if word not in SPLIT_NAMES:
        raise CorpusError(f"unknown split {cell!r}", place=f"{table} line {line}", allowed=", ".join(SPLITS))
    return SPLIT_NAMES[word]


def _check_paths(table: Path, clips: Sequence[Clip]) -> None:
    outside = [clip.path for clip in clips if not is_inside(clip.path)]
    if outside:
        raise CorpusError(f"paths that leave the folder: {listed(outside)}", place=table, allowed="paths inside it")
    other = [clip.path for clip in clips if not clip.path.lower().endswith(SUFFIXES)]
    if other:
        raise CorpusError(f"not audio by name: {listed(other)}", place=table, allowed=" and ".join(SUFFIXES))
    counts = Counter(PurePosixPath(clip.path) for clip in clips)
    twice = sorted(path for path, count in counts.items() if count > 1)
    if twice:
        raise CorpusError(f"named more than once: {listed(twice)}", place=table, allowed="one row a file")


def is_inside(path: str) -> bool:
    """Whether the path, read as POSIX or as Windows would, stays in the folder by its words alone.

    Links are not followed: DVC lays its files out as links into a cache outside the folder.
    """
    windows = PureWindowsPath(path)
    return not (path.startswith(("/", "\\")) or windows.drive or ".." in windows.parts or "\\" in path or "\0" in path)


def _check_present(root: Path, clips: Sequence[Clip]) -> None:
    absent = [clip.path for clip in clips if not (root / clip.path).is_file()]
    if absent:
        raise CorpusError(
            f"{FILE} names {len(absent)} of {len(clips)} files that are not there: {listed(absent)}",
            place=root,
            allowed="every file named is present",
        )


def _check_splits(table: Path, clips: Sequence[Clip]) -> None:
    without = [clip.path for clip in clips if clip.split is None]
    if without and len(without) < len(clips):
        raise CorpusError(f"no split for {listed(without)}", place=table, allowed="a split in every row, or in none")


def _read_facts(root: Path) -> dict[str, str]:
    path = root / FACTS
    if not path.is_file():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorpusError(
            f"not JSON: {error}", place=path, allowed="an object with name, licence, source, note"
        ) from error
    texts = ("name", "licence", "source", "note")
    if not isinstance(facts, dict) or any(not isinstance(facts.get(key, ""), str) for key in texts):
        raise CorpusError("not as expected", place=path, allowed=f"an object whose {', '.join(texts)} are texts")
    return {key: facts[key] for key in texts if key in facts}
