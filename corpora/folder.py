"""A person's own recordings: `python -m corpora.folder DIR` checks a corpus folder, file by file, and says what is in it.

The folder holds labels.csv (path, label, group, and split if there is an official one) and WAV or FLAC files.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from corpora.audio import inspect, read_audio
from corpora.corpus import Clip, Corpus
from corpora.errors import CorpusError
from corpora.labels import read_folder
from corpora.progress import track

__all__ = ["Clip", "Corpus", "Tally", "check", "read_folder", "tally"]

SILENCE = "silence"  # the label whose clips may be zero throughout
SHOWN = 20


@dataclass(frozen=True)
class Tally:
    """What there is of one label."""

    clips: int
    groups: int
    seconds: float
    rates: frozenset[int]


def check(corpus: Corpus) -> Iterator[CorpusError]:
    """Read every clip, and yield what is wrong with each that cannot be used."""
    for clip in track(corpus.clips, len(corpus.clips), "checking"):
        try:
            read_audio(corpus.file(clip), allow_silence=clip.label == SILENCE)
        except CorpusError as error:
            yield error


def tally(corpus: Corpus) -> Mapping[str, Tally]:
    """Clips, groups, seconds and sample rates a label, by the headers of the files."""
    clips: dict[str, list[Clip]] = defaultdict(list)
    for clip in corpus.clips:
        clips[clip.label].append(clip)
    return {label: _count(corpus, clips[label]) for label in corpus.labels}


def _count(corpus: Corpus, clips: list[Clip]) -> Tally:
    facts = [inspect(corpus.file(clip)) for clip in clips]
    return Tally(
        len(clips), len({clip.group for clip in clips}), sum(fact.seconds for fact in facts),
        frozenset(fact.rate for fact in facts),
    )  # fmt: skip


def _show(corpus: Corpus) -> Table:
    table = Table(title=f"{corpus.name} ({corpus.licence})", title_justify="left")
    for column in ("label", "clips", "groups", "seconds", "Hz"):
        table.add_column(column, justify="left" if column == "label" else "right")
    tallies = tally(corpus)
    for label, row in tallies.items():
        rates = ", ".join(map(str, sorted(row.rates)))
        table.add_row(label, str(row.clips), str(row.groups), f"{row.seconds:.1f}", rates)
    groups = len({clip.group for clip in corpus.clips})
    seconds = sum(row.seconds for row in tallies.values())
    table.add_section()
    table.add_row("all", str(len(corpus.clips)), str(groups), f"{seconds:.1f}", "")
    return table


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m corpora.folder", description=__doc__)
    parser.add_argument("folder", type=Path, help="the corpus folder")
    options = parser.parse_args(arguments)
    try:
        corpus = read_folder(options.folder)
        problems = list(check(corpus))
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    for problem in problems[:SHOWN]:
        print(problem, file=sys.stderr)
    if problems:
        print(f"{len(problems)} of {len(corpus.clips)} clips cannot be used", file=sys.stderr)
        return 1
    Console().print(_show(corpus))
    return 0


if __name__ == "__main__":
    sys.exit(main())
