"""What a person sees: tables when somebody looks, plain lines when nobody does, JSON when a program asks."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from typing import Any, TextIO

BAR = 24  # characters of a progress bar
STEP = 0.005  # share of a file between two drawings


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], stream: TextIO | None = None) -> None:
    """Columns under headings on a terminal; in a pipe the cells alone, two spaces between them, which is easy to cut."""
    out = sys.stdout if stream is None else stream
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not out.isatty():
        for row in cells:
            print("  ".join(row).rstrip(), file=out)
        return
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    numeric = [all(_number(row[at]) for row in cells) for at in range(len(headings))]
    for row in (list(headings), ["─" * width for width in widths], *cells):
        aligned = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        print("  ".join(aligned).rstrip(), file=out)


def facts(named: Mapping[str, object]) -> None:
    """A fact a line, its name before it."""
    width = max(map(len, named)) if sys.stdout.isatty() else 0
    for name, value in named.items():
        print(f"{name.ljust(width)}  {value:,}" if isinstance(value, int) else f"{name.ljust(width)}  {value}")


def document(content: Mapping[str, Any]) -> None:
    """One JSON document, for programs."""
    print(json.dumps(content, indent=2, allow_nan=False, default=list))


def size(count: int) -> str:
    """Bytes as a person reads them: 38,936."""
    return f"{count:,}"


class Bars:
    """Progress of downloads on a terminal's error stream, a line a file; nothing where nobody looks."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._drawn: tuple[str, float] = "", 0.0

    def __call__(self, name: str, done: int, total: int) -> None:
        """Draw, if it moved visibly."""
        share = done / total
        same = self._drawn[0] == name and share - self._drawn[1] < STEP
        if not self._stream.isatty() or (same and done < total):
            return
        self._drawn = name, share
        filled = round(share * BAR)
        line = f"{'█' * filled}{'░' * (BAR - filled)} {share:4.0%} {size(done)} of {size(total)}  {name}"
        end = "\n" if done == total else ""
        print(f"\r{line[: get_terminal_size().columns - 1]}", end=end, file=self._stream, flush=True)


def _number(cell: str) -> bool:
    return not cell or cell.lstrip("+-").replace(",", "").replace(".", "", 1).isdigit()
