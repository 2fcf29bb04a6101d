"""What a caller leaves out, the environment may say: PIANISSIMO_PLATFORM, PIANISSIMO_CHANNEL, PIANISSIMO_THREADS, …"""

from __future__ import annotations

import os

from .errors import SwitchError
from .switches import WORDS, variable


def text(name: str, given: str | None) -> str | None:
    """What was given, or what the environment says, if anything."""
    return given if given is not None else os.environ.get(variable(name)) or None


def whole(name: str, given: int | None, default: int) -> int:
    """What was given, or a whole number the environment says, or the default. Raises SwitchError."""
    told = os.environ.get(variable(name), "")
    if given is not None or not told:
        return default if given is None else given
    try:
        return int(told)
    except ValueError:
        raise SwitchError(variable(name), told, "a whole number") from None


def yes(name: str, given: bool | None, default: bool) -> bool:
    """What was given, or yes or no as the environment says, or the default. Raises SwitchError."""
    told = os.environ.get(variable(name), "").strip().lower()
    if given is not None or not told:
        return default if given is None else given
    if told not in WORDS:
        raise SwitchError(variable(name), told, ", ".join(WORDS))
    return WORDS[told]
