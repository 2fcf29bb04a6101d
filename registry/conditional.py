"""Write to a bucket on a condition: the server holds it, or a lock where the server knows no conditions."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError
from pianissimo.s3_faults import code, status

from .claims import Claims
from .s3_faults import retried

log = logging.getLogger(__name__)

CONFLICTS = 20  # tries against 409, the answer to writers of one key at the same instant
PROBE = ".conditional"  # a key that always holds the same; a leading dot is never a key of the registry
LOCK = ".lock/"
UNKNOWN_HEADER = {"InvalidArgument", "InvalidRequest", "NotImplemented"}


class Conditional:
    """The conditional writes of one bucket and prefix; raises what botocore raises."""

    def __init__(self, client: Any, root: str, bucket: str, prefix: str) -> None:
        self._client, self._root, self._bucket, self._prefix = client, root, bucket, prefix

    @cached_property
    def conditional(self) -> bool:
        """Whether the server holds to If-None-Match and If-Match: tried once on a key that always holds the same."""
        probe = {"Bucket": self._bucket, "Key": self._prefix + PROBE, "Body": b"Do conditional writes work here?\n"}
        self._refuses(probe, {"IfNoneMatch": "*"})  # the first time it is absent, and this is a plain write
        holds = self._refuses(probe, {"IfNoneMatch": "*"}) and self._refuses(probe, {"IfMatch": f'"{"0" * 32}"'})
        if not holds:
            log.warning("registry %s knows no conditional writes: a lock object (%s) is used instead", self._root, LOCK)
        return holds

    def write(
        self, write: Callable[..., None], condition: dict[str, str], holds: Callable[[], bool], ours: Callable[[], bool]
    ) -> bool:
        """Write on a condition; `ours` tells, of a refused write that was tried twice, whether the first was done."""
        if not self.conditional:
            with Claims(self._client, self._root, self._bucket, self._prefix + LOCK).held():
                if not holds():
                    return False
                write()
                return True
        for _ in range(CONFLICTS):
            try:
                write(**condition)
            except ClientError as fault:
                if status(fault) in {404, 412} and code(fault) != "NoSuchBucket":  # taken, gone, or joined by another
                    return retried(fault) and ours()
                if status(fault) != 409:
                    raise
                time.sleep(random.uniform(0.01, 0.2))
            else:
                return True
        return False

    def _refuses(self, probe: dict[str, Any], condition: dict[str, str]) -> bool:
        try:
            self._client.put_object(**probe, **condition)
        except ClientError as fault:
            if status(fault) == 501 or code(fault) in UNKNOWN_HEADER:
                return False
            if status(fault) not in {409, 412}:
                raise
            return True
        return False
