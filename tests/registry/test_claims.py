"""The lock of a bucket without conditions, in orders of requests drawn by chance: never two hold it, and all get it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from registry import claims

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


class Orders:
    """A bucket whose every request waits until it is drawn; one is carried out at a time."""

    def __init__(self, seed: int) -> None:
        self.rng, self.keys, self.inside, self.worst = random.Random(seed), set[str](), 0, 0
        self.blocked: dict[int, threading.Semaphore] = {}
        self.moved = threading.Semaphore(0)

    def step(self) -> None:
        """Waits to be drawn."""
        mine = threading.Semaphore(0)
        self.blocked[threading.get_ident()] = mine
        self.moved.release()
        mine.acquire()

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # as boto3 has it
        self.step()
        self.keys.add(Key)

    def delete_object(self, Bucket: str, Key: str) -> None:
        self.step()
        self.keys.discard(Key)

    def get_paginator(self, _name: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        self.step()
        found = [{"Key": key, "LastModified": WHEN} for key in self.keys]
        yield {"Contents": found, "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(WHEN)}}}

    def write(self, times: int) -> None:
        """A writer that holds the lock so many times."""
        for _ in range(times):
            with claims.Claims(self, "s3://x", "x", ".lock/").held():
                self.inside += 1
                self.worst = max(self.worst, self.inside)
                self.step()
                self.inside -= 1

    def run(self, writers: int, times: int) -> None:
        """Until every writer is through."""
        threads = [threading.Thread(target=self._through, args=(times,), daemon=True) for _ in range(writers)]
        for thread in threads:
            thread.start()
            self.moved.acquire()  # until it asks for something
        while self.blocked:
            self.blocked.pop(self.rng.choice(list(self.blocked))).release()
            self.moved.acquire()
        for thread in threads:
            thread.join()

    def _through(self, times: int) -> None:
        try:
            self.write(times)
        finally:
            self.moved.release()


@pytest.mark.parametrize("writers", [2, 3, 5])
def test_never_two_hold_it_and_all_get_it(monkeypatch: pytest.MonkeyPatch, writers: int) -> None:
    monkeypatch.setattr(claims, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _seconds: None))
    for seed in range(100):
        orders = Orders(seed)
        orders.run(writers, times=2)
        assert orders.worst == 1, f"order {seed}: {orders.worst} at once"
        assert orders.keys == set()
