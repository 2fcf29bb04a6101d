"""What an S3 server says to those who write: the runtime's words, and what reading never meets."""

from __future__ import annotations

from botocore.exceptions import ClientError
from pianissimo import s3_faults
from pianissimo.s3_faults import Words

DENIED = ("this access key may not do that", "a key that may list, get, put and delete in this bucket and prefix")
FULL = ("has no space left", "a bucket with room for the files")
LARGE = ("takes no file this large", "a server with a higher limit")

CODES: dict[str, Words] = {
    **{key: DENIED if words is s3_faults.DENIED else words for key, words in s3_faults.CODES.items()},
    "NoSuchBucket": ("there is no such bucket", "a bucket that exists; make it first, or check AWS_ENDPOINT_URL"),
    **dict.fromkeys(("InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "507"), FULL),
    **dict.fromkeys(("EntityTooLarge", "413"), LARGE),
}


def retried(fault: ClientError) -> bool:
    """Whether an earlier try of the same request may have been carried out before its answer was lost."""
    return bool(fault.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))
