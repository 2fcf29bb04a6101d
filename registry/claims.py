"""A lock for a bucket whose server knows no conditional writes: claims that are written, listed and run out.

Whoever wants the lock writes a claim under a name of its own and then lists all of them; it holds the lock when it
is alone. Two cannot both be: of two that wrote before they listed, the one that listed later saw the other. Of
several that wait the first by name stays, the others withdraw and come back. A claim older than LEASE, by the
server's own clock, is of a writer that died.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pianissimo.errors import RegistryError

LEASE = 60.0  # seconds; a claim's writes are small and take a fraction of one
PATIENCE = 600.0  # seconds


class Claims:
    """The lock of one bucket and prefix; `prefix` ends in /."""

    def __init__(self, client: Any, root: str, bucket: str, prefix: str) -> None:
        self._client, self._root, self._bucket, self._prefix = client, root, bucket, prefix

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; raises RegistryError when it is not to be had, or was held longer than its lease."""
        claim, since = self._acquire()
        try:
            yield
        finally:
            self._client.delete_object(Bucket=self._bucket, Key=claim)
        if time.monotonic() - since > LEASE:
            raise RegistryError(
                self._root, f"a write took longer than the lock's {LEASE:g} s", "the same command again"
            )

    def _acquire(self) -> tuple[str, float]:
        """The claim that holds the lock, and when it was written."""
        start = time.monotonic()
        while time.monotonic() - start < PATIENCE:
            claim, since = f"{self._prefix}{uuid.uuid4().hex}", time.monotonic()
            self._client.put_object(Bucket=self._bucket, Key=claim, Body=b"")
            while time.monotonic() - since < LEASE / 3:  # long before it runs out, or others would pass it over
                others = self._others(claim)
                if not others:
                    return claim, since
                if min(others) < claim:
                    break
                time.sleep(random.uniform(0.01, 0.05))
            self._client.delete_object(Bucket=self._bucket, Key=claim)
            time.sleep(random.uniform(0.02, 0.3))
        raise RegistryError(self._root, f"its lock was not free for {PATIENCE:g} s", "a moment when fewer publish")

    def _others(self, claim: str) -> list[str]:
        """The living claims of others; what ran out is removed."""
        living = []
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix):
            now = server_time(page)
            for entry in page.get("Contents", []):
                if entry["Key"] == claim:
                    continue
                if (now - entry["LastModified"]).total_seconds() > LEASE:
                    self._client.delete_object(Bucket=self._bucket, Key=entry["Key"])
                else:
                    living.append(entry["Key"])
        return living


def server_time(answer: dict[str, Any]) -> datetime:
    """When the server answered, by its own clock, to the second."""
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
