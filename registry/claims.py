"""A lock for a bucket whose server knows no conditional writes: objects that are written, listed and run out.

Whoever comes writes a claim and lists all there are: alone it holds the lock at once, three requests in all. Where there are
others it takes a ticket, numbered after all that it saw, withdraws its claim, and has its turn when every claim is gone that
was there when its ticket was, and every lower ticket (Lamport's bakery). Two cannot hold it: of two that choose at the same
time each sees the other's claim, and one that chooses later sees the earlier ticket. Whoever waits asks the less often the
more are before it, so that a crowd does not keep the server from the one whose turn it is.

A claim or ticket older than LEASE, by the server's own clock, is of a writer that died; one that waits longer writes its
ticket again. One that was itself held up for so long that others may have passed it over begins anew.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pianissimo.errors import RegistryError

LEASE = 60.0  # seconds; a claim's writes are small and take a fraction of one
PATIENCE = 600.0  # seconds
PACE = 0.02  # seconds between two looks, for each that is before
SLOWEST = 1.0  # seconds between two looks
TICKET = "ticket-"


@dataclass(frozen=True)
class Claim:
    """What one writer has in the bucket, and when it began to write it (time.monotonic)."""

    key: str
    since: float

    @property
    def age(self) -> float:
        """Seconds; by no server's clock younger than that."""
        return time.monotonic() - self.since


class Claims:
    """The lock of one bucket and prefix; `prefix` ends in /."""

    def __init__(self, client: Any, root: str, bucket: str, prefix: str) -> None:
        self._client, self._root, self._bucket, self._prefix = client, root, bucket, prefix

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; raises RegistryError when it is not to be had, or was held longer than its lease."""
        claim = self._acquire()
        try:
            yield
        finally:
            self._remove(claim.key)
        if claim.age > LEASE:
            raise RegistryError(
                self._root, f"a write took longer than the lock's {LEASE:g} s", "the same command again"
            )

    def _acquire(self) -> Claim:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            name = uuid.uuid4().hex
            choosing = self._write(name)
            others = self._living() - {choosing.key}
            if not others:
                return choosing
            ticket = self._write(f"{TICKET}{1 + max(map(self._number, others)):012d}-{name}")
            self._remove(choosing.key)
            mine = self._turn(ticket, end) if choosing.age < LEASE / 2 else None
            if mine:
                return mine
            self._remove(ticket.key)
        raise RegistryError(self._root, f"its lock was not free for {PATIENCE:g} s", "a moment when fewer publish")

    def _turn(self, ticket: Claim, end: float) -> Claim | None:
        """The ticket when its turn has come; None when it ran out, or there was none before the end."""
        living = self._living()
        choosing = {key for key in living if not self._number(key)}
        while ticket.key in living and time.monotonic() < end and ticket.age < LEASE / 2:
            before = [key for key in living if key in choosing or (self._number(key) and key < ticket.key)]
            if ticket.age > LEASE / 4:
                ticket = self._write(ticket.key.removeprefix(self._prefix))
            if not before:
                return ticket
            time.sleep(random.uniform(0.5, 1.5) * min(SLOWEST, PACE * len(before)))
            living = self._living()
        return None

    def _living(self) -> set[str]:
        """Claims and tickets of all; what ran out is removed."""
        living = set()
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix):
            now = server_time(page)
            for entry in page.get("Contents", []):
                if (now - entry["LastModified"]).total_seconds() > LEASE:
                    self._remove(entry["Key"])
                else:
                    living.add(entry["Key"])
        return living

    def _number(self, key: str) -> int:
        """A ticket's number; 0 of a claim."""
        name = key.removeprefix(self._prefix)
        return int(name.removeprefix(TICKET).split("-")[0]) if name.startswith(TICKET) else 0

    def _write(self, name: str) -> Claim:
        claim = Claim(self._prefix + name, time.monotonic())
        self._client.put_object(Bucket=self._bucket, Key=claim.key, Body=b"")
        return claim

    def _remove(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=key)


def server_time(answer: dict[str, Any]) -> datetime:
    """When the server answered, by its own clock, to the second."""
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
