"""A thread that looks after a library from time to time, and ends with it."""

from __future__ import annotations

import logging
import weakref
from threading import Event, Thread
from typing import Protocol

log = logging.getLogger("pianissimo")


class Kept(Protocol):
    """What is looked after."""

    def sweep(self) -> None:
        """Do what is due."""


class Keeper:
    """Calls `sweep` every `seconds` until stopped; holds nothing alive, and does not keep the process from ending."""

    def __init__(self, kept: Kept, seconds: float) -> None:
        self._stop = Event()
        Thread(target=_keep, args=(weakref.ref(kept), self._stop, seconds), name="pianissimo", daemon=True).start()

    def stop(self) -> None:
        """No further sweep; one that runs now ends by itself."""
        self._stop.set()


def _keep(kept: weakref.ref[Kept], stop: Event, seconds: float) -> None:
    while not stop.wait(seconds):
        alive = kept()
        if alive is None:
            return
        try:
            alive.sweep()
        except Exception:  # told with its trace; memory has to be looked after all the same
            log.exception("a sweep failed; the next comes in %g s", seconds)
        del alive
