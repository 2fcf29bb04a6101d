"""Free Spoken Digit Dataset, real digits by six speakers: `python -m corpora.fsdd [DEST] [--from FOLDER]`.

Without --from, the pinned commit is fetched with git. With it, FOLDER is either the repository's own layout
(recordings/0_george_12.wav) or our folder form of it (labels.csv beside recordings/).
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from corpora.audio import read_audio
from corpora.checkout import checkout
from corpora.corpus import Clip, Corpus, content_hash, hash_lines
from corpora.errors import CorpusError
from corpora.labels import FILE, listed, read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.staging import staged

DEST = Path("data/corpora/fsdd")
REPOSITORY = "https://github.com/Jakobovski/free-spoken-digit-dataset.git"
COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[a-z]+)_(?P<number>\d+)\.wav")
# Recordings 5 to 49, all 2,700: sha256 over "<git blob id> <file name>" lines in order of name.
TRAINING_NUMBERS = range(5, 50)
TRAINING_FILES = 2_700
TRAINING_DIGEST = "2af4f815c6622055578017cdcf6000a332a84c631431a9b0a9a0197a5d1fc8aa"
OFFICIAL = {"test": range(5), "validation": range(5, 10)}
FACTS = {
    "name": "Free Spoken Digit Dataset",
    "licence": "CC BY-SA 4.0; cite Zohar Jackson et al., Free Spoken Digit Dataset, Zenodo",
    "source": f"{REPOSITORY.removesuffix('.git')} commit {COMMIT}",
}


def make(dest: Path | str = DEST, source: Path | str | None = None) -> Corpus:
    """Write the corpus folder `dest` from `source`, or from the pinned commit, and read it.

    Labels stay as the set has them ("0" to "9"); the group is the speaker. The split is by recording number, as the
    set's own is, so speakers are in all three parts. Raises CorpusError for recordings that are not those pinned.
    """
    with tempfile.TemporaryDirectory(prefix="fsdd-") as place:
        folder = Path(source) if source is not None else checkout(REPOSITORY, COMMIT, Path(place))
        clips = _find(folder)
        verified = "every file, by the commit's id" if source is None else _verify(folder, clips)
        parts, why = _divide({_number(clip) for clip in clips})
        clips = [replace(clip, split=parts.get(_number(clip), "train")) for clip in clips]
        with staged(Path(dest)) as built:
            _copy(folder, built, clips)
            write_labels(built, clips)
            write_facts(built, FACTS | {"note": f"{why}; speakers are in all parts", "verified": verified})
    return read_folder(dest)


def _find(folder: Path) -> list[Clip]:
    """The recordings of a folder, from its labels.csv when it has one, else from the files' names."""
    if (folder / FILE).is_file():
        return [replace(clip, split=None) for clip in read_folder(folder).clips]
    names = sorted(path.name for path in (folder / "recordings").glob("*.wav"))
    if not names:
        raise CorpusError("no recordings", place=folder, allowed=f"recordings/DIGIT_SPEAKER_NUMBER.wav, or {FILE}")
    strange = [name for name in names if not NAME.fullmatch(name)]
    if strange:
        raise CorpusError(f"strange names: {listed(strange)}", place=folder, allowed="DIGIT_SPEAKER_NUMBER.wav")
    return [Clip(f"recordings/{name}", name.split("_")[0], name.split("_")[1]) for name in names]


def _number(clip: Clip) -> int:
    match = NAME.fullmatch(Path(clip.path).name)
    if match is None:
        raise CorpusError("no recording number", place=clip.path, allowed="DIGIT_SPEAKER_NUMBER.wav")
    return int(match["number"])


def _divide(numbers: set[int]) -> tuple[dict[int, str], str]:
    """Recording number to part (train where not named), and the reason in words."""
    if numbers.issuperset(OFFICIAL["test"]):
        parts = {number: part for part, range_ in OFFICIAL.items() for number in range_}
        return (
            parts,
            "split by recording number: test 0-4 (the official one), validation 5-9, train the others",
        )
    ordered = sorted(numbers)
    if len(ordered) < 16:
        raise CorpusError(f"{len(ordered)} recordings of a digit and speaker", place="recordings", allowed="16 or more")
    parts = dict.fromkeys(ordered[:10], "test") | dict.fromkeys(ordered[10:15], "validation")
    held = f"test the ten lowest ({ordered[0]}-{ordered[9]}), validation the next five ({ordered[10]}-{ordered[14]})"
    return parts, f"the official test part (recordings 0-4) is not here, so: {held}, train the others"


def _verify(folder: Path, clips: list[Clip]) -> str:
    """Compare recordings 5-49 with the pinned digest; says in words what was and was not verified."""
    pinned = sorted((Path(clip.path).name, clip) for clip in clips if _number(clip) in TRAINING_NUMBERS)
    if len(pinned) != TRAINING_FILES:
        return f"nothing: {len(pinned)} of the {TRAINING_FILES} recordings 5-49 that the pinned digest is over"
    found = hash_lines(f"{_blob_id(folder / clip.path)} {name}" for name, clip in pinned)
    if found != TRAINING_DIGEST:
        raise CorpusError(f"recordings 5-49 have digest {found}", place=folder, allowed=TRAINING_DIGEST)
    rest = len(clips) - len(pinned)
    return f"recordings 5-49, by the pinned digest; {f'not the {rest} others' if rest else 'there are no others'}"


def _blob_id(path: Path) -> str:
    """The id git gives a file: sha1 over "blob <length>", a zero byte, and the content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _copy(folder: Path, built: Path, clips: list[Clip]) -> None:
    for clip in track(clips, len(clips), "copying"):
        read_audio(folder / clip.path)
        target = built / clip.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / clip.path, target)
        if content_hash(target) != content_hash(folder / clip.path):
            raise CorpusError("changed while it was copied", place=folder / clip.path, allowed="a quiet disk")


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m corpora.fsdd", description=__doc__)
    parser.add_argument("dest", type=Path, nargs="?", default=DEST, help=f"the folder to make (default {DEST})")
    parser.add_argument("--from", dest="source", type=Path, help="a copy on disk, instead of fetching the commit")
    options = parser.parse_args(arguments)
    try:
        corpus = make(options.dest, options.source)
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    speakers = len({clip.group for clip in corpus.clips})
    print(f"{options.dest}: {len(corpus.clips)} clips, {len(corpus.labels)} digits, {speakers} speakers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
