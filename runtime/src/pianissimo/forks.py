"""What a forked worker makes anew: locks somebody else held, threads that did not come along, sessions."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

_LEFT_BEHIND: list[object] = []


class Renewable(Protocol):
    """Something with a lock, a thread or a session of its own."""

    def renew(self) -> None:
        """Start afresh in a child process."""


_renewables: weakref.WeakSet[Renewable] = weakref.WeakSet()


def watch(renewable: Renewable) -> None:
    """Call `renew` in every child this process forks, as long as the object lives."""
    _renewables.add(renewable)


def leave_behind(parents: object) -> None:
    """Keep what belongs to the parent without ever closing it: a destructor would wait for threads that are not here."""
    _LEFT_BEHIND.append(parents)


def _renew() -> None:
    for renewable in list(_renewables):
        renewable.renew()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_renew)
