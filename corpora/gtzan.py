"""GTZAN, thirty seconds of each of a thousand pieces in ten genres: `python -m corpora.gtzan [DEST] --from FOLDER`.

FOLDER holds blues/blues.00000.wav and so on (at any depth), or the files alone, or is the archive genres.tar.gz. There
is no download: the set's own server is gone, and what is offered elsewhere are copies, some of them damaged.
George Tzanetakis and Perry Cook, "Musical genre classification of audio signals", IEEE TSAP 10, 2002.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from corpora.archive import extract
from corpora.corpus import Clip, Corpus, content_hash
from corpora.errors import CorpusError
from corpora.labels import listed, read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.staging import staged
from corpora.transfer import transfer

DEST = Path("data/corpora/gtzan")
NAME = re.compile(r"(?P<genre>[a-z]+)\.(?P<number>\d{5})\.wav")
ARCHIVES = {
    # tensorflow/datasets, audio/gtzan/checksums.tsv, and torchaudio, datasets/gtzan.py.
    "24347e0223d2ba798e0a558c4c172d9d4a19c00bb7963fe055d183dadb4ef2c6": "the archive of marsyas.info",
    "b28cc067ff6199bd826f5d1a6931458586d64acae7f44b2e882b7a97af057531": "the archive marsyas/gtzan on Hugging Face",
}
DAMAGED = "jazz.00054"
WHERE = (
    "--from FOLDER (genres/GENRE/GENRE.NUMBER.wav) or --from genres.tar.gz, got by way of marsyas.info or a copy of it"
)
FACTS = {
    "name": "GTZAN",
    "licence": "none stated; for research, and not to be passed on; cite Tzanetakis and Cook, 2002",
    "source": "http://marsyas.info/downloads/datasets.html",
}
LIMITS = (
    "group = the file; some artists and recordings are in the set more than once "
    "(Bob Sturm, The GTZAN dataset, arXiv 1306.1461), and files of one artist may be in two parts"
)


def make(dest: Path | str = DEST, source: Path | str | None = None) -> Corpus:
    """Write the corpus folder `dest` from a copy of the set (a folder, or the archive), and read it.

    The label is the genre in the file's name, or without one the name of its folder; the group is the file. Left out,
    and named in corpus.json: jazz.00054, which is damaged in most copies, whatever else cannot be read, and files whose
    content was there before. Raises CorpusError without `source`, and for an archive that is not a known one.
    """
    if source is None:
        raise CorpusError("has no download: the set's own server is gone", place="gtzan", allowed=WHERE)
    with tempfile.TemporaryDirectory(prefix="gtzan-") as place:
        folder, verified = _open(Path(source), Path(place))
        clips = _find(folder)
        sound = [clip for clip in clips if not Path(clip.path).name.startswith(DAMAGED)]
        with staged(Path(dest)) as built:
            kept, left_out = transfer(folder, built, track(sound, len(sound), "copying"))
            left_out += [f"{clip.path} (damaged in most copies)" for clip in clips if clip not in sound]
            write_labels(built, kept)
            note = f"{LIMITS}; left out: {', '.join(left_out) or 'nothing'}"
            write_facts(built, FACTS | {"note": note, "verified": verified})
    return read_folder(dest)


def _open(source: Path, place: Path) -> tuple[Path, str]:
    """The folder to read, and what is verified of it, in words."""
    if source.is_dir():
        return source, "nothing: a folder has no checksum"
    if not source.is_file():
        raise CorpusError("not here", place=source, allowed=WHERE)
    found = content_hash(source)
    if found not in ARCHIVES:
        raise CorpusError(f"sha256 {found}, so no archive known", place=source, allowed=" or ".join(ARCHIVES))
    return extract(source, place), f"every file, by the sha256 of {ARCHIVES[found]}"


def _find(folder: Path) -> list[Clip]:
    """The tracks of a folder; macOS's "._" companions are passed over."""
    paths = sorted(path for path in folder.rglob("*.wav") if not path.name.startswith("."))
    if not paths:
        raise CorpusError("no tracks", place=folder, allowed=WHERE)
    clips = [Clip(path.relative_to(folder).as_posix(), _genre(folder, path), path.stem) for path in paths]
    _check_names(folder, clips)
    return clips


def _genre(folder: Path, path: Path) -> str:
    match = NAME.fullmatch(path.name)
    if match:
        return match["genre"]
    if path.parent == folder:
        raise CorpusError("neither a genre in its name nor a folder of one", place=path, allowed="GENRE.NUMBER.wav")
    return path.parent.name


def _check_names(folder: Path, clips: list[Clip]) -> None:
    """A file in the folder of another genre is a mistake, and so are two files of one name, for they would be one group."""
    genres = {clip.label for clip in clips}
    astray = [clip.path for clip in clips if {Path(clip.path).parent.name} & (genres - {clip.label})]
    if astray:
        raise CorpusError(
            f"in the folder of another genre: {listed(astray)}", place=folder, allowed="GENRE/GENRE.NUMBER.wav"
        )
    places: dict[str, list[str]] = defaultdict(list)
    for clip in clips:
        places[clip.group].append(clip.path)
    twice = [path for paths in places.values() if len(paths) > 1 for path in paths]
    if twice:
        raise CorpusError(f"one name more than once: {listed(twice)}", place=folder, allowed="one copy of the set")


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m corpora.gtzan", description=__doc__)
    parser.add_argument("dest", type=Path, nargs="?", default=DEST, help=f"the folder to make (default {DEST})")
    parser.add_argument("--from", dest="source", type=Path, help="the set on disk, a folder or genres.tar.gz; needed")
    options = parser.parse_args(arguments)
    try:
        corpus = make(options.dest, options.source)
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.dest}: {len(corpus.clips)} tracks, {len(corpus.labels)} genres")
    return 0


if __name__ == "__main__":
    sys.exit(main())
