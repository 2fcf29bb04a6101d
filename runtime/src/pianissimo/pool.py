"""Several sessions of one network, so that threads need not queue for one interpreter."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Condition

import numpy as np
from numpy.typing import NDArray

from .backends import BACKENDS, Session
from .errors import BackendFailedError, PianissimoError

Float32 = NDArray[np.float32]
log = logging.getLogger("pianissimo")


class SessionPool:
    """At most `size` sessions, opened when threads meet; a session itself, safe in threads.

    The one used last is used next, as its memory is still in the processor's cache.
    """

    def __init__(self, backend: str, open_one: Callable[[], Session], size: int) -> None:
        self._backend, self._open_one, self._size = backend, open_one, size
        self._idle = [open_one()]  # the first at once: a file that does not open is found here
        self._count = 1
        self._closed = False
        self._turn = Condition()

    def run(self, features: Float32) -> Float32:
        """Outputs (n, ...) of features (n, ...), by whichever session is free; waits when none is."""
        session = self._take()
        try:
            return session.run(features)
        finally:
            self._give(session)

    def resize(self, size: int) -> None:
        """Another limit, at least 1; idle sessions over it are closed now, busy ones when they come back."""
        with self._turn:
            self._size = size
            over = [self._idle.pop(0) for _ in range(min(len(self._idle), self._count - size))]
            self._count -= len(over)
        for session in over:
            session.close()

    def close(self) -> None:
        """Close what is idle now, and what is busy when it comes back."""
        with self._turn:
            self._closed = True
            idle, self._idle = self._idle, []
            self._turn.notify_all()
        for session in idle:
            session.close()

    def _take(self) -> Session:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._closed or self._idle or self._count < self._size)
                if self._closed:
                    raise BackendFailedError(self._backend, "its sessions", "the pool was closed")
                if self._idle:
                    return self._idle.pop()
                self._count += 1
            session = self._another()
            if session is not None:
                return session

    def _another(self) -> Session | None:
        """One more session, or None: where there is no room for it, those there are must do."""
        try:
            return self._open_one()
        except PianissimoError as fault:
            with self._turn:
                self._count -= 1
                self._size = max(self._count, 1)
            log.warning("no further session, %d must do: %s", self._size, fault)
            return None

    def _give(self, session: Session) -> None:
        with self._turn:
            surplus = self._closed or self._count > self._size
            if surplus:
                self._count -= 1
            else:
                self._idle.append(session)
            self._turn.notify()
        if surplus:
            session.close()


def pooled(backend: str, open_one: Callable[[], Session], size: int) -> Session:
    """One session where the backend lets many threads run it at once, or where one is asked for; else a pool."""
    shared = backend not in BACKENDS or BACKENDS[backend].concurrent
    return open_one() if shared or size == 1 else SessionPool(backend, open_one, size)


def limit(session: Session, size: int) -> None:
    """Let a pool hold at most this many sessions; a single session stays what it is."""
    if isinstance(session, SessionPool):
        session.resize(size)
