"""Check a front end's settings: types as a class declares them, and ranges, each refusal naming what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from sys import float_info
from typing import Any

import numpy as np

from ..errors import FrontEndError

LONGEST = 60.0  # seconds of audio in one feature array of a fixed size
MOST_NUMBERS = 4_096  # in a setting that is a list

Numbers = float | tuple[float, ...]  # one number for everything, or one a feature


def cast(kind: str, maker: type[Any], spec: Mapping[str, object]) -> dict[str, Any]:
    """The settings of `spec` as the fields of the dataclass `maker` want them: known, complete and of their types."""
    known = {field.name: field for field in fields(maker)}
    settings = {key: value for key, value in spec.items() if key != "kind"}
    for key in settings:
        if key not in known:
            raise FrontEndError("keys", key, ", ".join(known))
    for key, field in known.items():
        if key not in settings and field.default is MISSING:
            raise FrontEndError(key, "nothing", f"a value; {kind} takes {', '.join(known)}")
    return {key: CASTS[str(known[key].type)](key, value) for key, value in settings.items()}


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON holds them: tuples become lists."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()}


def within(key: str, value: float, low: float, high: float, why: str = "") -> None:
    """Refuse a number outside low..high."""
    if not low <= value <= high:
        raise FrontEndError(key, value, f"{low:g} to {high:g}" + (f" ({why})" if why else ""))


def all_within(key: str, values: Numbers, count: int, low: float, high: float) -> None:
    """Refuse anything but one number in low..high, or a list of `count` such numbers."""
    if not isinstance(values, tuple):
        within(key, values, low, high)
        return
    if len(values) != count:
        raise FrontEndError(key, f"a list of {len(values)} numbers", f"one number, or a list of {count}")
    for at, value in enumerate(values):
        within(f"{key}[{at}]", value, low, high)


def _whole(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise FrontEndError(key, repr(value), "a whole number")
    return int(value)


def _real(key: str, value: object) -> float:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not -float_info.max <= value <= float_info.max:  # type: ignore[operator]  # NaN is in no range
        raise FrontEndError(key, repr(value), "a finite number")
    return float(value)  # type: ignore[arg-type]


def _numbers(key: str, value: object) -> Numbers:
    if not isinstance(value, (list, tuple)):
        return _real(key, value)
    if not 1 <= len(value) <= MOST_NUMBERS:
        raise FrontEndError(key, f"a list of {len(value)}", f"a number, or a list of 1 to {MOST_NUMBERS}")
    return tuple(_real(f"{key}[{at}]", entry) for at, entry in enumerate(value))


# What a field's annotation says -> the check that makes it so.
CASTS: dict[str, Callable[[str, object], Any]] = {"int": _whole, "float": _real, "Numbers": _numbers}
