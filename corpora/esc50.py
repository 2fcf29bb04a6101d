"""ESC-50, five seconds of each of fifty environmental sounds: `python -m corpora.esc50 [DEST] [--from FOLDER] [--ten]`.

Without --from, the pinned commit (0.6 GB) is fetched with git. FOLDER is the repository's own layout: meta/esc50.csv and
audio/*.wav. --ten takes the ten sounds of ESC-10.
Karol Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from corpora.checkout import checkout
from corpora.corpus import Clip, Corpus
from corpora.errors import CorpusError
from corpora.labels import is_inside, listed, read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.staging import staged
from corpora.transfer import transfer

DEST = Path("data/corpora/esc50")
REPOSITORY = "https://github.com/karolpiczak/ESC-50.git"
COMMIT = "33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6"
META = "meta/esc50.csv"
COLUMNS = ("filename", "fold", "category", "esc10", "src_file")
PARTS = {"1": "train", "2": "train", "3": "train", "4": "validation", "5": "test"}
CITE = "cite Karol Piczak, ACM Multimedia 2015; authors and licences of the clips in the repository's LICENSE"
LICENCES = {False: f"CC BY-NC 3.0; {CITE}", True: f"CC BY 3.0; {CITE}"}
NAMES = {False: "ESC-50", True: "ESC-10"}


def make(dest: Path | str = DEST, source: Path | str | None = None, ten: bool = False) -> Corpus:
    """Write the corpus folder `dest` from `source`, or from the pinned commit, and read it.

    Labels are the set's categories; the group is the recording on Freesound a clip was cut from. The split is by the
    set's folds: 1-3 train, 4 validation, 5 test. Files that cannot be used, and those whose content is in the set twice,
    are left out and named in corpus.json. Raises CorpusError for a table or folder that is not as the set has it.
    """
    with tempfile.TemporaryDirectory(prefix="esc50-", dir=_beside(dest, source)) as place:
        folder = Path(source) if source is not None else checkout(REPOSITORY, COMMIT, Path(place))
        verified = "every file, by the commit's id" if source is None else "nothing: a folder has no checksum"
        clips = _read(folder, ten)
        with staged(Path(dest)) as built:
            kept, left_out = transfer(folder / "audio", built, track(clips, len(clips), "copying"))
            write_labels(built, kept)
            note = f"folds 1-3 train, 4 validation, 5 test; group = recording; left out: {', '.join(left_out) or 'nothing'}"
            facts = {
                "name": NAMES[ten],
                "licence": LICENCES[ten],
                "source": f"{REPOSITORY.removesuffix('.git')} commit {COMMIT}",
            }
            write_facts(built, facts | {"note": note, "verified": verified})
    return read_folder(dest)


def _read(folder: Path, ten: bool) -> list[Clip]:
    """The clips of the set's table; path as in the folder audio/."""
    table = folder / META
    if not table.is_file():
        raise CorpusError(f"has no {META}", place=folder, allowed=f"the repository's layout: {META} and audio/")
    with table.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise CorpusError(f"lacks the column {', '.join(missing)}", place=table, allowed=", ".join(COLUMNS))
        rows = [_row(table, line, row) for line, row in enumerate(reader, start=2)]
    clips = [clip for clip, of_ten in rows if of_ten or not ten]
    if not clips:
        raise CorpusError(
            f"no clips of {NAMES[ten]}", place=table, allowed="one row a clip, esc10 True for those of ESC-10"
        )
    _check(folder, clips)
    return clips


def _row(table: Path, line: int, row: dict[str, str | None]) -> tuple[Clip, bool]:
    filename, fold, category, of_ten, recording = ((row[column] or "").strip() for column in COLUMNS)
    place = f"{table} line {line}"
    if not (filename and category and recording) or not is_inside(filename):
        raise CorpusError(f"row {row}", place=place, allowed=f"{', '.join(COLUMNS)} in each row")
    if fold not in PARTS:
        raise CorpusError(f"fold {fold!r}", place=place, allowed=", ".join(PARTS))
    if of_ten not in ("True", "False"):
        raise CorpusError(f"esc10 {of_ten!r}", place=place, allowed="True, False")
    return Clip(filename, category, f"freesound-{recording}", PARTS[fold]), of_ten == "True"


def _check(folder: Path, clips: list[Clip]) -> None:
    absent = [clip.path for clip in clips if not (folder / "audio" / clip.path).is_file()]
    if absent:
        raise CorpusError(
            f"{META} names files that are not there: {listed(absent)}", place=folder, allowed="all in audio/"
        )
    parts: dict[str, set[str | None]] = defaultdict(set)
    for clip in clips:
        parts[clip.group].add(clip.split)
    crossing = [group for group, found in parts.items() if len(found) > 1]
    if crossing:
        raise CorpusError(
            f"recordings in several parts: {listed(crossing)}", place=folder / META, allowed="one fold each"
        )


def _beside(dest: Path | str, source: Path | str | None) -> Path | None:
    """Where to fetch: beside the corpus, since a system's own temporary folder may be small."""
    if source is not None:
        return None
    parent = Path(dest).parent
    parent.mkdir(parents=True, exist_ok=True)
    return parent


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m corpora.esc50", description=__doc__)
    parser.add_argument("dest", type=Path, nargs="?", default=DEST, help=f"the folder to make (default {DEST})")
    parser.add_argument("--from", dest="source", type=Path, help="a copy on disk, instead of fetching the commit")
    parser.add_argument("--ten", action="store_true", help="ESC-10 alone: ten of the sounds, under CC BY")
    options = parser.parse_args(arguments)
    try:
        corpus = make(options.dest, options.source, options.ten)
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.dest}: {len(corpus.clips)} clips, {len(corpus.labels)} labels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
