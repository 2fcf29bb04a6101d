"""Large files go up in parts, side by side; an upload that was cut off goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from pianissimo.s3_faults import code, status

PART = 8 * 2**20  # bytes; the same in every release, or uploads begun by another could not go on
AT_ONCE = 4


class Upload:
    """The upload of one file to one key: `send` the parts, then `complete`."""

    def __init__(self, client: Any, bucket: str, key: str, path: Path) -> None:
        self._client, self._path = client, path
        self._where = {"Bucket": bucket, "Key": key}
        self._id = ""
        self._etags: dict[int, str] = {}
        self.sent = 0  # parts that were sent now; the rest was there

    def send(self) -> None:
        """Send the parts the server has not."""
        self._etags = self._resume()
        count = -(-self._path.stat().st_size // PART)
        missing = sorted(set(range(1, count + 1)) - set(self._etags))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._etags.update(zip(missing, pool.map(self._send, missing), strict=True))
        self.sent = len(missing)

    def complete(self, **conditions: str) -> None:
        """Join the parts; the server refuses when the conditions do not hold."""
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(self._etags.items())]
        self._client.complete_multipart_upload(
            **self._where, UploadId=self._id, MultipartUpload={"Parts": parts}, **conditions
        )

    def abort(self) -> None:
        """Give the parts up; one that is already gone is no error."""
        try:
            self._client.abort_multipart_upload(**self._where, UploadId=self._id)
        except ClientError as fault:
            if status(fault) != 404:
                raise

    def _resume(self) -> dict[int, str]:
        """Part number -> ETag of the newest upload of this file that was begun and not ended; else a new one."""
        begun = [upload for upload in self._begun() if upload["Key"] == self._where["Key"]]
        for upload in sorted(begun, key=lambda upload: str(upload["Initiated"]), reverse=True):
            try:
                pages = self._client.get_paginator("list_parts").paginate(**self._where, UploadId=upload["UploadId"])
                present = {part["PartNumber"]: part["ETag"] for page in pages for part in page.get("Parts", [])}
            except ClientError as fault:
                if status(fault) != 404:  # ended by another publisher of the same content in the meantime
                    raise
                continue
            # The ETag of a part is its MD5, but for some kinds of encryption: there everything is sent again.
            if all(etag.strip('"') == self._md5(number) for number, etag in present.items()):
                self._id = upload["UploadId"]
                return present
        self._id = self._client.create_multipart_upload(**self._where)["UploadId"]
        return {}

    def _begun(self) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_multipart_uploads")
        try:
            for page in pages.paginate(Bucket=self._where["Bucket"], Prefix=self._where["Key"]):
                yield from page.get("Uploads", [])
        except ClientError as fault:
            if code(fault) != "NoSuchUpload":  # rclone's way to say that there are none
                raise

    def _send(self, number: int) -> str:
        answer = self._client.upload_part(**self._where, UploadId=self._id, PartNumber=number, Body=self._part(number))
        return str(answer["ETag"])

    def _md5(self, number: int) -> str:
        return hashlib.md5(self._part(number), usedforsecurity=False).hexdigest()

    def _part(self, number: int) -> bytes:
        with self._path.open("rb") as stream:
            stream.seek((number - 1) * PART)
            return stream.read(PART)
