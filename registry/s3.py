"""A store in an S3 bucket, `s3://bucket/prefix`: conditions the server holds, or a lock where it cannot.

Where the server is and who asks come from the usual AWS settings; throttling, 5xx and lost connections are retried with
back-off.
"""

from __future__ import annotations

import mimetypes
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError
from pianissimo.errors import RegistryError
from pianissimo.s3_faults import NO_BUCKET, code, in_words, status

from . import s3_client
from .claims import server_time
from .conditional import Conditional
from .keys import AbsentError, parts
from .multipart import Upload
from .s3_client import ATTEMPTS
from .s3_faults import CODES

LARGE = 16 * 2**20  # bytes; above it a file goes up in parts


class S3Store:
    """The operations of `Store` on a bucket, which must exist."""

    def __init__(self, root: str) -> None:
        bucket, _, prefix = root.removeprefix("s3://").partition("/")
        prefix = prefix.strip("/")
        if not bucket:
            raise RegistryError(root, *NO_BUCKET)
        if prefix:
            parts(root, prefix)
        self.root = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        with self._in_words():
            self._client = s3_client.opened(self.root)
        self._writes = Conditional(self._client, self.root, bucket, self._prefix)

    def get(self, key: str) -> bytes:
        """Content of a key; raises AbsentError."""
        with self._in_words():
            found = self._read(self._full(key))
        if found is None:
            raise AbsentError(self.root, key)
        return found[0]

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        """Write a key unless it exists; a large file in parts, going on with those an earlier try left."""
        full = self._full(key)
        with self._in_words():
            if self._entry(full):
                return False
            if isinstance(data, Path) and data.stat().st_size > LARGE:
                return self._put_large(full, data)
            body = data.read_bytes() if isinstance(data, Path) else data
            return self._put(full, body, {"IfNoneMatch": "*"}, lambda: self._entry(full) is None)

    def compare_and_swap(self, key: str, expected: bytes | None, new: bytes) -> bool:
        """Write a key if its content is still the expected one."""
        full = self._full(key)
        with self._in_words():
            found = self._read(full)
            if (found and found[0]) != expected:
                return False
            condition = {"IfMatch": found[1]} if found else {"IfNoneMatch": "*"}
            return self._put(full, new, condition, lambda: self._read(full) == found)

    def list(self, prefix: str) -> list[str]:
        """Keys that begin with a prefix, sorted."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        with self._in_words():
            found = [entry["Key"].removeprefix(self._prefix) for page in pages for entry in page.get("Contents", [])]
        return sorted(key for key in found if not any(part.startswith(".") for part in key.split("/")))

    def delete(self, key: str) -> None:
        """Remove a key if it is there."""
        with self._in_words():
            self._client.delete_object(Bucket=self._bucket, Key=self._full(key))

    def age(self, key: str) -> float:
        """Seconds since a key was written, by the server's clock; raises AbsentError."""
        with self._in_words():
            entry = self._entry(self._full(key))
        if entry is None:
            raise AbsentError(self.root, key)
        return float((entry["now"] - entry["LastModified"]).total_seconds())

    @property
    def conditional(self) -> bool:
        """Whether the server holds to conditions, or a lock stands in for them."""
        with self._in_words():
            return self._writes.conditional

    def _full(self, key: str) -> str:
        return self._prefix + "/".join(parts(self.root, key))

    def _read(self, full: str) -> tuple[bytes, str] | None:
        """Content and ETag; a body that breaks off is read on from there, unless it was replaced meanwhile."""
        content, etag = bytearray(), ""
        for attempt in range(1, ATTEMPTS + 1):
            more = {"Range": f"bytes={len(content)}-", "IfMatch": etag} if content else {}
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=full, **more)
                etag = answer["ETag"]
                for chunk in answer["Body"].iter_chunks(2**20):
                    content += chunk
                return bytes(content), etag
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
                if attempt == ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, min(20, 0.1 * 2**attempt)))
            except ClientError as fault:
                if code(fault) in {"NoSuchKey", "404"}:
                    return None
                if not (content and status(fault) in {412, 416}):
                    raise
                content.clear()
        raise RegistryError(self.root, f"{full} changed while it was read", "the same command again")

    def _entry(self, full: str) -> dict[str, Any] | None:
        """What a listing says of one key, and the server's time; unlike a HEAD it tells what a refusal is about."""
        answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=full, MaxKeys=1)
        entries = [entry for entry in answer.get("Contents", []) if entry["Key"] == full]
        return {**entries[0], "now": server_time(answer)} if entries else None

    def _put(self, full: str, body: bytes, condition: dict[str, str], holds: Callable[[], bool]) -> bool:
        kind = mimetypes.guess_type(full)[0] or "application/octet-stream"

        def write(**conditions: str) -> None:
            self._client.put_object(Bucket=self._bucket, Key=full, Body=body, ContentType=kind, **conditions)

        def ours() -> bool:
            found = self._read(full)
            return found is not None and found[0] == body

        return self._writes.write(write, condition, holds, ours)

    def _put_large(self, full: str, path: Path) -> bool:
        """In parts. Publishers of one content share an upload, which ends for all when one of them ends it."""
        for _ in range(ATTEMPTS):
            upload = Upload(self._client, self._bucket, full, path)
            try:
                upload.send()
            except ClientError as fault:
                if code(fault) != "NoSuchUpload":
                    raise
            else:
                absent = {"IfNoneMatch": "*"}
                if self._writes.write(upload.complete, absent, lambda: self._entry(full) is None, lambda: False):
                    return True
            if self._entry(full):
                upload.abort()
                return False
        raise RegistryError(self.root, f"the upload of {full} was ended from elsewhere", "the same command again")

    def _in_words(self) -> AbstractContextManager[None]:
        return in_words(self.root, CODES)
