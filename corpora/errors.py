"""The one error of this package: a corpus, a clip or a setting that cannot be used, and what is allowed instead."""

from __future__ import annotations

from pathlib import Path


class CorpusError(ValueError):
    """Something about a corpus is wrong.

    `place` says where (a file, a folder, a column, a key), `allowed` what would have been right;
    both are part of the message and stay readable as attributes.
    """

    def __init__(self, problem: str, *, place: Path | str | None = None, allowed: str | None = None) -> None:
        self.problem = problem
        self.place = place
        self.allowed = allowed
        where = f"{place}: " if place is not None else ""
        hint = f"; allowed: {allowed}" if allowed else ""
        super().__init__(f"{where}{problem}{hint}")

    def __reduce__(self) -> tuple[object, ...]:
        # Errors travel between worker processes; the default would lose the keyword arguments.
        return _rebuild, (self.problem, self.place, self.allowed)


def _rebuild(problem: str, place: Path | str | None, allowed: str | None) -> CorpusError:
    return CorpusError(problem, place=place, allowed=allowed)
