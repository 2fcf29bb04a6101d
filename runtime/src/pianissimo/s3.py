"""What reading needs of S3: a document, the names under a prefix, a file from some byte on. Imported for a bucket alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from . import checks
from .download import ATTEMPTS, BrokenOffError, pause
from .errors import IntegrityError, RegistryError
from .s3_faults import code, in_words, worded

CHUNK = 2**18  # bytes
# botocore itself retries throttling, 5xx and lost connections (AWS_MAX_ATTEMPTS), but nothing once an answer has begun. Its
# waits are in seconds, for a connection and for the next bytes. It must not compare checksums: some servers (rclone) answer
# a part of a file with the checksum of all of it. Every file is checked by SHA-256 when it is whole.
CONFIG = Config(
    connect_timeout=10,
    read_timeout=60,
    retries={"mode": "standard"},
    response_checksum_validation="when_required",
)
ABSENT = ("NoSuchKey", "404")
PAST_THE_END = ("InvalidRange", "416")
BROKEN = (HTTPClientError, IncompleteReadError)


class Bucket:
    """One bucket; endpoint, region and credentials come from the usual AWS settings. Safe in threads, not over a fork.

    `place` is how errors call it. All raise RegistryError.
    """

    def __init__(self, place: str, name: str) -> None:
        self._place, self._name = place, name
        with in_words(place):
            try:
                self._client: Any = Session().client("s3", config=CONFIG)
            except ValueError as fault:
                raise RegistryError(place, str(fault), "AWS_ENDPOINT_URL=http://HOST:PORT, or none") from fault

    @property
    def endpoint(self) -> str:
        """The server's address."""
        return str(self._client.meta.endpoint_url)

    def document(self, key: str) -> bytes | None:
        """Content of a small key, or None; of a larger one than any manifest the beginning, which is then refused."""
        with in_words(self._place):
            for attempt in range(ATTEMPTS):
                try:
                    answer = self._client.get_object(Bucket=self._name, Key=key)
                except ClientError as fault:
                    if code(fault) in ABSENT:
                        return None
                    raise
                try:
                    with closing(answer["Body"]) as body:
                        return bytes(body.read(checks.LARGEST_DOCUMENT + 1))
                except BROKEN:
                    if attempt == ATTEMPTS - 1:
                        raise
                    pause(attempt)
        return None

    def names(self, prefix: str) -> list[str]:
        """Names directly under a prefix that ends in /, sorted."""
        found: list[str] = []
        with in_words(self._place):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._name, Prefix=prefix, Delimiter="/"):
                found += [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]
                found += [entry["Key"] for entry in page.get("Contents", ())]
        return sorted(filter(None, (name.removeprefix(prefix).rstrip("/") for name in found)))

    def content(self, key: str, first: int, size: int) -> Iterator[bytes]:
        """A file of `size` bytes from byte `first` on.

        Raises BrokenOffError where the connection breaks, IntegrityError when there is no such file, or a shorter one.
        """
        with in_words(self._place):
            try:
                answer = self._client.get_object(Bucket=self._name, Key=key, Range=f"bytes={first}-{size - 1}")
            except ClientError as fault:
                if code(fault) in (*ABSENT, *PAST_THE_END):
                    found = "nothing there" if code(fault) in ABSENT else f"at most {first} bytes"
                    raise IntegrityError(key, "the file", f"{size} bytes in {self._place}", found) from fault
                raise
            skip = 0 if "ContentRange" in answer else first  # a server that knows no ranges sends all of it again
            try:
                with closing(answer["Body"]) as body:
                    for chunk in body.iter_chunks(CHUNK):
                        if len(chunk) > skip:
                            yield chunk[skip:]
                        skip = max(0, skip - len(chunk))
            except BROKEN as fault:
                raise BrokenOffError(worded(self._place, fault)) from fault
