"""What all generated corpora share: their command line, and work in fresh processes, group by group."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from corpora.corpus import Corpus
from corpora.errors import CorpusError
from corpora.settings import Settings

Group = TypeVar("Group")
Made = TypeVar("Made")
S = TypeVar("S", bound=Settings)
# glibc keeps what arrays leave behind: pages that are given back and asked for again took an eighth of generated_music's time.
KEEP = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_TOP_PAD_": str(2**26)}


def in_processes(
    work: Callable[[Group], Made], groups: Sequence[Group], workers: int, preload: str
) -> Iterator[Made]:
    """`work` of each group, in order, each in a fresh process: what one leaves behind (espeak-ng's state, say) does not
    colour the next, so the number of workers changes no file. `preload` is the module that processes start with."""
    program = getattr(sys.modules["__main__"], "__file__", None)
    if program is not None and not Path(program).is_file():  # workers import it, and would die and be started without end
        raise CorpusError(f"called from {program}", place="the program", allowed="a file or a module that workers can import")
    start = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(start)
    context.set_forkserver_preload([preload])
    with _kept():
        pool = context.Pool(workers, maxtasksperchild=1)
    with pool:
        yield from pool.imap(work, groups)


@contextmanager
def _kept() -> Iterator[None]:
    """KEEP for the processes that start inside, whose parent is the server that the first of them starts; not for others."""
    mine = {name: value for name, value in KEEP.items() if name not in os.environ}
    os.environ.update(mine)
    try:
        yield
    finally:
        for name in mine:
            del os.environ[name]


def command(
    kind: type[S], make: Callable[[Path, S, int], Corpus], description: str | None, arguments: list[str] | None
) -> int:
    """`python -m corpora.NAME DEST [--params params.yaml]`: makes the corpus; 0 when it is there, 1 with the reason on
    standard error."""
    parser = argparse.ArgumentParser(prog=f"python -m {kind.SECTION}", description=description)
    parser.add_argument("dest", type=Path, help="the folder to make")
    parser.add_argument(
        "--params", type=Path, help=f"a params.yaml with the section {kind.SECTION}; default: its defaults"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes; the files do not depend on it")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    try:
        settings = kind.read(options.params) if options.params else kind()
        corpus = make(options.dest, settings, options.workers)
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    groups = len({clip.group for clip in corpus.clips})
    seconds = time.perf_counter() - started
    print(f"{options.dest}: {len(corpus.clips)} clips, {groups} groups, {seconds:.0f} s")
    return 0
