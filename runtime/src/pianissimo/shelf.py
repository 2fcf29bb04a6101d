"""The models a library holds open, under a budget of real memory: opened when asked for, the least used closed first."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, NamedTuple

from . import memory, metrics
from .backends import BACKENDS
from .errors import BackendFailedError
from .model import Model
from .pressure import Pressure
from .residents import Resident, Residents
from .switches import Switches

MEGABYTE = 2**20
HURRY = 10  # degraded, models stay idle for this much less
log = logging.getLogger("pianissimo")


class Name(NamedTuple):
    """What a model is asked for by, as `load` takes it."""

    model: str
    platform: str | None
    channel: str
    version: int | None


class Shelf:
    """Safe in threads. `open_model` opens one; `closed` is told of each that was closed, `degraded` of the mode."""

    def __init__(
        self,
        switches: Switches,
        open_model: Callable[[Name], Model],
        closed: Callable[[Resident[Name, Model]], None],
        degraded: Callable[[bool], None],
        clock: Callable[[], float],
        resident: Callable[[], int],
    ) -> None:
        self._switches, self._open_model, self._on_closed, self._on_degraded = switches, open_model, closed, degraded
        self._clock, self._resident, self._before = clock, resident, resident()
        self.pressure = Pressure(switches.degraded_at, switches.recovered_at)
        self._held: Residents[Name, Model] = Residents(clock)
        self._closed = False
        self.renew()

    def renew(self) -> None:
        """New locks, and nobody uses anything: whoever did is in the parent."""
        self._lock, self._opening, self._relieving = Lock(), Lock(), Lock()
        for held in self._held:
            held.users = 0

    @property
    def used(self) -> int:
        """Bytes the process has grown by since the library was made."""
        return max(self._resident() - self._before, 0)

    def held(self) -> list[Resident[Name, Model]]:
        """What is open, least recently used first."""
        with self._lock:
            return list(self._held)

    def take(self, name: Name) -> Resident[Name, Model]:
        """The model, opened when it is not, in use until given back. Raises as `load`."""
        held = self._borrowed(name)
        if held is not None:
            return held
        with self._opening:  # one after another, or what each costs could not be told apart
            held = self._borrowed(name) or self._opened(name)  # another thread may have opened it meanwhile
        self.relieve()
        return held

    def give_back(self, held: Resident[Name, Model]) -> None:
        """End one use."""
        with self._lock:
            last = self._held.give_back(held)
        if last:
            self._close(held)

    def report(self) -> list[dict[str, Any]]:
        """What is open, as JSON takes it."""
        return [
            {
                "model": held.value.info.model,
                "version": held.value.info.version,
                "channel": held.key.channel,
                "platform": held.value.info.platform,
                "variant": held.value.info.variant,
                "backend": held.value.info.backend,
                "fallbacks": [vars(fallback).copy() for fallback in held.value.info.fallbacks],
                "bytes": held.bytes,
                "users": held.users,
                "uses": held.uses,
                "idle_seconds": max(self._clock() - held.last_used, 0.0),
            }
            for held in self.held()
        ]

    def unload(self, model: str | None = None, reason: str = "asked") -> int:
        """Close every model, or all of one name, and give how many; what is in use closes with its last user."""
        with self._lock:
            chosen = [held for held in self._held if model in (None, held.value.info.model)]
        return self._let_go(chosen, reason)

    def close(self) -> None:
        """Open nothing any more."""
        with self._lock:
            self._closed = True
        self.unload()

    def relieve(self) -> None:
        """Close what is idle or over a limit, and enter or leave degraded mode."""
        with self._relieving:
            timeout = self._switches.idle_timeout / (HURRY if self.pressure.on else 1)
            with self._lock:
                idle, over = self._held.idle(timeout), self._held.over(int(self._switches.model_cache * MEGABYTE))
            self._let_go(idle, "idle")
            self._let_go(over, "cache")
            budget = self._switches.memory_budget * MEGABYTE
            self._note(self.used / budget)
            while self.used > budget and self._let_go_oldest():
                pass
            self._note(self.used / budget)

    def _borrowed(self, name: Name) -> Resident[Name, Model] | None:
        with self._lock:
            if self._closed:
                raise BackendFailedError("any", name.model, "the library was closed")
            return self._held.borrow(name)

    def _opened(self, name: Name) -> Resident[Name, Model]:
        before, backends = self._resident(), _imported()
        model = self._open_model(name)
        # What the system says it took; freed memory that was used again shows nothing, but the files are there for sure.
        # A backend's import is not the model's: it stays when the model goes.
        grown = self._resident() - before if _imported() == backends else 0
        cost = max(grown, model.info.bytes)
        with self._lock:
            held = self._held.add(name, model, cost)
            self._held.borrow(name)
        metrics.PROCESS.count("ml_model_loads_total", (model.info.model,))
        if self.pressure.on:
            model.limit_sessions(1)
        return held

    def _note(self, share: float) -> None:
        if not self.pressure.update(share):
            return
        log.warning("degraded mode %s: %.0f %% of the memory budget", "on" if self.pressure.on else "off", share * 100)
        for held in self.held():
            held.value.limit_sessions(1 if self.pressure.on else self._switches.workers)
        self._on_degraded(self.pressure.on)
        memory.give_back()

    def _let_go_oldest(self) -> bool:
        with self._lock:
            held = self._held.oldest()
        return held is not None and bool(self._let_go([held], "memory"))

    def _let_go(self, chosen: Iterable[Resident[Name, Model]], reason: str) -> int:
        closable, gone = [], 0
        with self._lock:
            for held in chosen:
                if held.leaving:
                    continue
                gone += 1
                metrics.PROCESS.count("ml_model_unloads_total", (held.value.info.model, reason))
                if self._held.remove(held):
                    closable.append(held)
        for held in closable:
            self._close(held)
        return gone

    def _close(self, held: Resident[Name, Model]) -> None:
        held.value.close()
        self._on_closed(held)
        memory.give_back()


def _imported() -> set[str]:
    """Backends that this process has imported."""
    return {name for name, backend in BACKENDS.items() if backend.module in sys.modules}
