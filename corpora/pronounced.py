"""Words as phones: `python -m corpora.pronounced DEST --from CORPUS [--words FILE]`.

Takes a corpus folder whose labels are words, such as the digits of FSDD, and writes one whose labels are their phones
(ARPAbet without stress), so that real words can train and test a phoneme recogniser. Digits are known; FILE says others,
a line each: the word, a tab, its phones with spaces between.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from corpora.audio import read_audio
from corpora.corpus import Corpus, content_hash
from corpora.errors import CorpusError
from corpora.generated_phrases.phones import PHONES
from corpora.labels import listed, read_folder, write_facts, write_labels
from corpora.progress import track
from corpora.staging import staged

# As CMUdict has them first.
DIGITS = {
    "zero": "Z IH R OW", "one": "W AH N", "two": "T UW", "three": "TH R IY", "four": "F AO R", "five": "F AY V",
    "six": "S IH K S", "seven": "S EH V AH N", "eight": "EY T", "nine": "N AY N",
}  # fmt: skip
BUILT_IN: Mapping[str, str] = MappingProxyType(
    DIGITS | {str(digit): phones for digit, phones in enumerate(DIGITS.values())}
)
FORM = "WORD, a tab, PHONES: one pronunciation a word, of " + " ".join(PHONES)


def make(dest: Path | str, source: Path | str, words: Path | str | None = None) -> Corpus:
    """Write the corpus folder `dest` from the corpus folder `source`, with phones for its labels, and read it.

    Groups, splits and audio files are kept. Words are compared without regard to case; `words` wins over what is built
    in. Raises CorpusError for labels without a pronunciation, all of them at once.
    """
    known = {**BUILT_IN, **(read_words(Path(words)) if words is not None else {})}
    corpus = read_folder(source)
    unknown = [label for label in corpus.labels if label.lower() not in known]
    if unknown:
        allowed = f"{', '.join(sorted(known))}; others by --words FILE ({FORM})"
        raise CorpusError(f"no pronunciation of {listed(unknown, 40)}", place=corpus.root, allowed=allowed)
    if Path(dest).resolve() == corpus.root.resolve():
        raise CorpusError("is the corpus it is made from", place=dest, allowed="another folder")
    clips = [replace(clip, label=known[clip.label.lower()]) for clip in corpus.clips]
    note = "labels are the words' pronunciations, not what each speaker said; groups, splits and files as in the source"
    with staged(Path(dest)) as built:
        _copy(corpus, built)
        write_labels(built, clips)
        facts = {"name": f"{corpus.name}, pronounced", "licence": corpus.licence, "source": corpus.name, "note": note}
        write_facts(built, facts | {"words": {label: known[label.lower()] for label in corpus.labels}})
    return read_folder(dest)


def read_words(path: Path) -> dict[str, str]:
    """Pronunciations by word in lower case; raises CorpusError for a line that is none, by file and line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"not readable: {error}", place=path, allowed=f"text in UTF-8: {FORM}") from error
    words: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        word, _, spelt = line.partition("\t")
        word, phones = word.strip().lower(), spelt.split()
        if not line.strip():
            continue
        if not word or not phones or not set(phones) <= set(PHONES) or word in words:
            raise CorpusError(f"{line!r}", place=f"{path} line {number}", allowed=FORM)
        words[word] = " ".join(phones)
    return words


def _copy(corpus: Corpus, built: Path) -> None:
    for clip in track(corpus.clips, len(corpus.clips), "copying"):
        read_audio(corpus.file(clip))
        target = built / clip.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(corpus.file(clip), target)
        if content_hash(target) != content_hash(corpus.file(clip)):
            raise CorpusError("changed while it was copied", place=corpus.file(clip), allowed="a quiet disk")


def main(arguments: list[str] | None = None) -> int:
    """Makes the corpus; 0 when it is there, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m corpora.pronounced", description=__doc__)
    parser.add_argument("dest", type=Path, help="the folder to make")
    parser.add_argument("--from", dest="source", type=Path, required=True, help="a corpus folder with words for labels")
    parser.add_argument("--words", type=Path, help="pronunciations of other words than the digits")
    options = parser.parse_args(arguments)
    try:
        corpus = make(options.dest, options.source, options.words)
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.dest}: {len(corpus.clips)} clips, {len(corpus.labels)} pronunciations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
