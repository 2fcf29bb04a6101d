"""Progress where somebody watches: a bar on a terminal, nothing in a log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

Item = TypeVar("Item")


def track(items: Iterable[Item], total: int, title: str) -> Iterator[Item]:
    """Pass the items on, counting them on a bar."""
    with bar(MofNCompleteColumn()) as progress:
        task = progress.add_task(title, total=total)
        for item in items:
            yield item
            progress.advance(task)


def bar(*columns: MofNCompleteColumn | DownloadColumn) -> Progress:
    """A bar on standard error, cleared at its end; off when that is no terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
