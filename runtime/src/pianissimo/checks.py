"""Check JSON at the door: a check takes a value and its place, and gives it back typed or refuses it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from sys import float_info
from typing import Any, NoReturn, TypeVar

from .errors import ManifestError

T = TypeVar("T")
Check = Callable[[object, str], T]

LARGEST_DOCUMENT = 16 * 2**20  # bytes; a real manifest has a few thousand
FINITE = (-float_info.max, float_info.max)  # the range of every finite number
LARGEST_FILE = 2 * 2**30  # bytes
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
RELEASE = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}", re.ASCII)
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.ASCII | re.IGNORECASE)
FILE_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}", re.ASCII)


def document(data: bytes | str, place: str) -> object:
    """Parsed JSON, without what JSON does not have (NaN, repeated keys) and of a sane size."""
    if len(data) > LARGEST_DOCUMENT:
        raise ManifestError(place, f"{len(data)} bytes", f"at most {LARGEST_DOCUMENT} bytes")

    def refuse(constant: str) -> NoReturn:
        raise ManifestError(place, constant, "finite numbers")

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ManifestError(place, f"a key twice among {[key for key, _ in pairs]}", "each key once")
        return result

    try:
        return json.loads(data, parse_constant=refuse, object_pairs_hook=once)
    except ManifestError:
        raise
    except (ValueError, RecursionError) as fault:  # of a number with thousands of digits it is a plain ValueError
        raise ManifestError(place, f"no JSON ({fault})", "a JSON document in UTF-8") from fault


def fields(
    value: object, place: str, required: Mapping[str, Check[Any]], optional: Mapping[str, Check[Any]]
) -> dict[str, Any]:
    """An object with exactly these keys, each checked; an absent optional key is checked as null."""
    known = {**required, **optional}
    entries = mapping(value, place)
    for key in entries:
        if key not in known:
            raise ManifestError(f"{place}.{key}", "an unknown key", ", ".join(known))
    for key in required:
        if key not in entries:
            raise ManifestError(f"{place}.{key}", "nothing", f"this key; {place} needs {', '.join(required)}")
    return {key: check(entries.get(key), f"{place}.{key}") for key, check in known.items()}


def mapping(value: object, place: str) -> dict[str, Any]:
    """An object."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ManifestError(place, _kind(value), "an object")
    return value


def mapping_of(check: Check[T]) -> Check[dict[str, T]]:
    """An object whose keys are names and whose values all pass `check`."""

    def checked(value: object, place: str) -> dict[str, T]:
        return {name(key, place): check(item, f"{place}.{key}") for key, item in mapping(value, place).items()}

    return checked


def list_of(check: Check[T], least: int = 0) -> Check[tuple[T, ...]]:
    """An array of at least `least` items that all pass `check`."""

    def checked(value: object, place: str) -> tuple[T, ...]:
        if not isinstance(value, (list, tuple)) or len(value) < least:
            raise ManifestError(place, _kind(value), f"an array of at least {least}")
        return tuple(check(item, f"{place}[{index}]") for index, item in enumerate(value))

    return checked


def or_null(check: Check[T]) -> Check[T | None]:
    """Null, or what passes `check`."""
    return lambda value, place: None if value is None else check(value, place)


def one_of(*allowed: object) -> Check[Any]:
    """One of these values, of the same type."""

    def checked(value: object, place: str) -> Any:
        for choice in allowed:
            if type(value) is type(choice) and value == choice:
                return value
        raise ManifestError(place, repr(value), ", ".join(map(str, allowed)))

    return checked


def matching(pattern: re.Pattern[str], words: str) -> Check[str]:
    """Text that matches as a whole; `words` say the rule."""

    def checked(value: object, place: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ManifestError(place, repr(value), words)
        return value

    return checked


_plain = matching(NAME, "up to 64 of a-z, 0-9, _ and -, a letter or digit first")
sha256 = matching(SHA256, "64 lower-case hexadecimal digits")
release = matching(RELEASE, "a release such as 0.1.0")


def name(value: object, place: str) -> str:
    """A name, which is also one of a file: lower case, so that no two are one where case does not count."""
    plain = _plain(value, place)
    if DEVICE.fullmatch(plain):
        raise ManifestError(place, repr(plain), "a name that is no device's on Windows")
    return plain


def text(value: object, place: str) -> str:
    """Text that says something, at most 10,000 characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > 10_000:
        raise ManifestError(place, repr(value), "text of 1 to 10,000 characters")
    return value


def whole(least: int, most: int) -> Check[int]:
    """A whole number in a range."""

    def checked(value: object, place: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ManifestError(place, repr(value), f"a whole number from {least} to {most}")
        return value

    return checked


def number(least: float, most: float) -> Check[float]:
    """A finite number in a range."""

    def checked(value: object, place: str) -> float:
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not right or not least <= value <= most:  # type: ignore[operator]  # NaN is in no range
            raise ManifestError(place, repr(value), f"a number from {least:g} to {most:g}")
        return float(value)  # type: ignore[arg-type]

    return checked


def file_name(value: object, place: str) -> str:
    """A relative path with / between plain parts: no root, no drive, no `..`, no hidden file, no device of Windows."""
    parts = value.split("/") if isinstance(value, str) and len(value) <= 512 else [""]
    if not all(FILE_PART.fullmatch(part) and not part.endswith(".") and not DEVICE.fullmatch(part) for part in parts):
        raise ManifestError(place, repr(value), _PATH)
    return "/".join(parts)


_PATH = "a relative path such as edge/model.tflite, without .. or a leading /, that Windows takes too"


def _kind(value: object) -> str:
    return f"{type(value).__name__} {value!r}"
