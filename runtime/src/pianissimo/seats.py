"""How many may compute at once: `with seats:` waits for one."""

from __future__ import annotations

from queue import SimpleQueue


class Seats:
    """A semaphore without Python between its lock and whoever waits, of which short answers would see much."""

    def __init__(self, count: int) -> None:
        free = SimpleQueue[None]()
        for _ in range(count):
            free.put(None)
        self._take, self._leave = free.get, free.put

    def __enter__(self) -> None:
        self._take()

    def __exit__(self, *_: object) -> None:
        self._leave(None)
