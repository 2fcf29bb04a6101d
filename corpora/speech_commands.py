"""Speech Commands v2, real words by 2,600 people: `python -m corpora.speech_commands [DEST] [--from FOLDER]`.

Without --from, the archive (2.4 GB) is fetched into a folder beside DEST, and kept there. FOLDER is the archive
unpacked: word/<speaker>_nohash_<n>.wav, _background_noise_/, validation_list.txt, testing_list.txt.
Pete Warden, "Speech Commands: a dataset for limited-vocabulary speech recognition", arXiv 1804.03209.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from corpora.archive import extract
from corpora.background import cut_background
from corpora.corpus import SPLITS, Clip, Corpus
from corpora.download import fetch
from corpora.errors import CorpusError
from corpora.labels import listed, read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.staging import staged
from corpora.transfer import transfer

DEST = Path("data/corpora/speech_commands")
URL = "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"
# Both from tensorflow/datasets, url_checksums/speech_commands.txt.
SHA256 = "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"
SIZE = 2_428_923_189
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
NOISE = "_background_noise_"
LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
HASHES = 2**27 - 1  # MAX_NUM_WAVS_PER_CLASS of the set's own which_set
FACTS = {
    "name": "Speech Commands v2",
    "licence": "CC BY 4.0; cite Pete Warden, arXiv 1804.03209",
    "source": URL,
}


def make(
    dest: Path | str = DEST, source: Path | str | None = None, words: Sequence[str] = WORDS, seed: int = 0
) -> Corpus:
    """Write the corpus folder `dest` from the unpacked `source`, or from the archive, and read it.

    Labels: the chosen `words`; `unknown`, in each part as many clips as a chosen word has there on average, drawn
    evenly from the other words; `silence`, as many one-second cuts of the background noise as there are up to that.
    The group is the speaker. The split is the official one: the lists, or without them the hash they were made by.
    Files that cannot be used, and files whose content is in the set twice, are left out and counted in corpus.json.
    """
    with tempfile.TemporaryDirectory(prefix="speech-commands-", dir=_beside(dest, source)) as place:
        folder = Path(source) if source is not None else _fetch(Path(dest), Path(place))
        chosen = _choose(folder, words, seed)
        with staged(Path(dest)) as built:
            kept, left_out = transfer(folder, built, track(chosen, len(chosen), "copying"))
            counts = Counter(clip.split for clip in kept if clip.label in words)
            silence = {part: max(1, counts[part] // len(words)) for part in SPLITS}
            kept += cut_background(folder / NOISE, built, silence)
            write_labels(built, kept)
            note = f"official split; left out: {left_out or 'nothing'}"
            write_facts(built, FACTS | {"note": note, "words": list(words), "seed": seed})
    return read_folder(dest)


def which_set(name: str, validation: float = 10.0, test: float = 10.0) -> str:
    """The part a file belongs to by the official rule (README of the set): a hash of the speaker, in percent."""
    digest = hashlib.sha1(name.split("_nohash_", maxsplit=1)[0].encode(), usedforsecurity=False).hexdigest()
    percent = (int(digest, 16) % (HASHES + 1)) * (100.0 / HASHES)
    if percent < validation:
        return "validation"
    return "test" if percent < validation + test else "train"


def _choose(folder: Path, words: Sequence[str], seed: int) -> list[Clip]:
    """The clips of the words, and of `unknown`, with their parts; path as in the source folder."""
    present = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    present = [name for name in present if not name.startswith(("_", "."))]
    missing = [word for word in words if word not in present]
    others = [word for word in present if word not in words]
    if missing or not others or len(set(words)) < max(len(words), 2):
        raise CorpusError(
            f"words {listed(words, 10)}, missing {listed(missing, 10) or 'none'}", place=folder,
            allowed=f"two or more of {listed(present, 40) or 'the folders of the set, which are not here'}, "
            "each once, and at least one left over for unknown",
        )  # fmt: skip
    lists = _read_lists(folder)
    known = [clip for word in words for clip in _of_word(folder, word, word, lists)]
    strange = [clip for word in others for clip in _of_word(folder, word, "unknown", lists)]
    return known + [clip for part in SPLITS for clip in _sample(known, strange, part, len(words), seed)]


def _of_word(folder: Path, word: str, label: str, lists: dict[str, set[str]] | None) -> list[Clip]:
    return [
        Clip(
            f"{word}/{path.name}",
            label,
            path.name.split("_nohash_", maxsplit=1)[0],
            _part(f"{word}/{path.name}", lists),
        )
        for path in sorted((folder / word).glob("*_nohash_*.wav"))
    ]


def _part(path: str, lists: dict[str, set[str]] | None) -> str:
    if lists is None:
        return which_set(path.rpartition("/")[2])
    return next((part for part, paths in lists.items() if path in paths), "train")


def _read_lists(folder: Path) -> dict[str, set[str]] | None:
    """The official lists; None when neither is there. One without the other cannot be right."""
    there = [name for name in LISTS.values() if (folder / name).is_file()]
    if len(there) == 1:
        raise CorpusError(f"{there[0]} alone", place=folder, allowed=f"both of {', '.join(LISTS.values())}, or none")
    if not there:
        return None
    return {part: set((folder / name).read_text(encoding="utf-8").split()) for part, name in LISTS.items()}


def _sample(known: list[Clip], strange: list[Clip], part: str, words: int, seed: int) -> list[Clip]:
    """As many unknown clips of a part as its chosen words have on average, word by word in turn.

    Within a word the order is by a hash of path and seed, which no change elsewhere disturbs.
    """
    wanted = sum(clip.split == part for clip in known) // words
    decks: dict[str, list[Clip]] = {}
    for clip in strange:
        if clip.split == part:
            decks.setdefault(clip.path.split("/")[0], []).append(clip)
    ranked = [
        (turn, word, clip)
        for word, deck in decks.items()
        for turn, clip in enumerate(
            sorted(deck, key=lambda clip: hashlib.sha256(f"{seed}/{clip.path}".encode()).digest())
        )
    ]
    return [clip for _, _, clip in sorted(ranked)[: max(wanted, 1)]]


def _fetch(dest: Path, place: Path) -> Path:
    archive = fetch(URL, dest.parent / "downloads" / URL.rpartition("/")[2], sha256=SHA256, size=SIZE)
    return extract(archive, place)


def _beside(dest: Path | str, source: Path | str | None) -> Path | None:
    """Where to unpack: beside the corpus, since a system's own temporary folder may be small."""
    if source is not None:
        return None
    parent = Path(dest).parent
    parent.mkdir(parents=True, exist_ok=True)
    return parent


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m corpora.speech_commands", description=__doc__)
    parser.add_argument("dest", type=Path, nargs="?", default=DEST, help=f"the folder to make (default {DEST})")
    parser.add_argument("--from", dest="source", type=Path, help="the archive unpacked, instead of fetching it")
    parser.add_argument("--words", default=",".join(WORDS), help="words to know, with commas (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which clips of the other words are unknown")
    options = parser.parse_args(arguments)
    try:
        corpus = make(options.dest, options.source, options.words.split(","), options.seed)
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.dest}: {len(corpus.clips)} clips, {len(corpus.labels)} labels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
