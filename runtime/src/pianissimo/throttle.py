"""Hold the processor's share under a limit: who computes pays for it in waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

BURST = 0.1  # seconds of processor time that may be spent at once after a pause
SMOOTH = 0.2  # weight of the newest cost in what the next is expected to be


class Throttle:
    """At most `percent` of one core in the long run, over all threads that compute within `turn`.

    The generic cell rate algorithm (ITU-T I.371): each turn moves the time from which the next may start by what it
    costs, so that many who wait at once start one after another and not together.
    """

    def __init__(
        self,
        percent: float,
        threads: int = 1,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._share, self._threads = percent / 100, threads
        self._clock, self._cpu, self._sleep = clock, cpu, sleep
        self._lock = Lock()
        self._due, self._expected = 0.0, 0.0
        self.waited = 0.0  # seconds, of all turns together

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until there is processor time to spend, and pay for what is spent inside and by the wait itself."""
        started = self._cpu()  # to fall asleep and to wake up costs processor time, too
        expected = self._enter()
        try:
            yield
        finally:
            # A backend's own threads do not show in this one's time: they are taken to be as busy, which errs on the safe side.
            cost = (self._cpu() - started) * self._threads
            with self._lock:
                self._due += (cost - expected) / self._share
                self._expected += SMOOTH * (cost - self._expected)

    def _enter(self) -> float:
        with self._lock:
            now, expected = self._clock(), self._expected
            self._due = max(self._due, now - BURST / self._share)
            wait = max(self._due - now, 0.0)
            self._due += expected / self._share
            self.waited += wait
        if wait:
            self._sleep(wait)
        return expected
