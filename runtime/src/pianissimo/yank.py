"""A yanked version: a document beside its manifest that says why, and which earlier version is used instead."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import checks
from .errors import ManifestError

SCHEMA = 1


@dataclass(frozen=True)
class Yank:
    """Why a version is not used any more; `instead` is an earlier version, None when there was none to take."""

    model: str
    version: int
    instead: int | None
    who: str
    when: str
    why: str

    def document(self) -> dict[str, Any]:
        """As it is written."""
        return {"schema": SCHEMA, **asdict(self)}


def loads(data: bytes | str, place: str = "yank") -> Yank:
    """A yank from JSON text; raises ManifestError."""
    entries = checks.fields(checks.document(data, place), place, _REQUIRED, {"instead": checks.or_null(_VERSION)})
    del entries["schema"]
    yank = Yank(**entries)
    if yank.instead is not None and yank.instead >= yank.version:
        raise ManifestError(f"{place}.instead", yank.instead, f"null, or a version before {yank.version}")
    return yank


_VERSION = checks.whole(1, 10**9)
_REQUIRED: dict[str, checks.Check[Any]] = {
    "schema": checks.one_of(SCHEMA),
    "model": checks.name,
    "version": _VERSION,
    "who": checks.text,
    "when": checks.text,
    "why": checks.text,
}
