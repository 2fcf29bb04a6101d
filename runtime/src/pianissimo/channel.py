"""A channel document: the version a channel names and every move it made, read strictly."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import checks
from .errors import ManifestError

SCHEMA = 1
VERSION = checks.whole(1, 10**9)


@dataclass(frozen=True)
class Move:
    """One move of a channel; `origin` is the version it named before, None at first."""

    version: int
    origin: int | None
    who: str
    when: str
    why: str


@dataclass(frozen=True)
class Channel:
    """The version a channel names, with its history, oldest move first."""

    model: str
    channel: str
    version: int
    history: tuple[Move, ...]

    def document(self) -> dict[str, Any]:
        """As it is written; `from` is a Python word, so the field is called `origin` here."""
        moves = [asdict(move) for move in self.history]
        history = [{"from": move.pop("origin"), **move} for move in moves]
        return {"schema": SCHEMA, **asdict(self), "history": history}


def loads(data: bytes | str, place: str = "channel") -> Channel:
    """A channel from JSON text; raises ManifestError."""
    entries = checks.fields(checks.document(data, place), place, _REQUIRED, {})
    del entries["schema"]
    channel = Channel(**entries)
    if channel.history[-1].version != channel.version:
        raise ManifestError(f"{place}.version", channel.version, f"{channel.history[-1].version}, the last move's")
    return channel


def _move(value: object, place: str) -> Move:
    entries = checks.fields(value, place, _MOVE, {"from": checks.or_null(VERSION)})
    return Move(origin=entries.pop("from"), **entries)


_MOVE: dict[str, checks.Check[Any]] = {
    "version": VERSION,
    "who": checks.text,
    "when": checks.text,
    "why": checks.text,
}
_REQUIRED: dict[str, checks.Check[Any]] = {
    "schema": checks.one_of(SCHEMA),
    "model": checks.name,
    "channel": checks.name,
    "version": VERSION,
    "history": checks.list_of(_move, least=1),
}
