"""What an S3 server or the way to it says, in words a person can act on."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from pianissimo.errors import RegistryError

BUCKET = ("there is no such bucket", "a bucket that exists at this endpoint; make it first, or check AWS_ENDPOINT_URL")
KEY = ("the access key is not known there", "the AWS_ACCESS_KEY_ID of this endpoint, or AWS_PROFILE")
TOKEN = ("the session token is wrong or has expired", "a new AWS_SESSION_TOKEN, or `aws sso login`")
SECRET = ("the secret key does not belong to the access key", "the AWS_SECRET_ACCESS_KEY of this access key")
DENIED = ("this access key may not do that", "a key that may list, get, put and delete in this bucket and prefix")
CLOCK = ("this machine's clock differs from the server's", "a clock within 15 minutes of the server's; switch on NTP")
REGION = ("the bucket is in another region", "AWS_REGION set to the bucket's region")
BUSY = ("the server is still busy after every retry", "the same command later, or more tries by AWS_MAX_ATTEMPTS")
FULL = ("has no space left", "a bucket with room for the files")
LARGE = ("takes no file this large", "a server with a higher limit")
NAME = ("this is no bucket's name", "s3://BUCKET/PREFIX; a bucket's name has 3 to 63 of a-z, 0-9, . and -")

# An error code of S3, or the HTTP status of an answer without one -> the problem, and what would do.
CODES = {
    "NoSuchBucket": BUCKET,
    "InvalidBucketName": NAME,
    "InvalidAccessKeyId": KEY,
    "InvalidClientTokenId": KEY,
    "ExpiredToken": TOKEN,
    "InvalidToken": TOKEN,
    "SignatureDoesNotMatch": SECRET,
    "AccessDenied": DENIED,
    "AllAccessDisabled": DENIED,
    "403": DENIED,
    "RequestTimeTooSkewed": CLOCK,
    "RequestExpired": CLOCK,
    "AuthorizationHeaderMalformed": REGION,
    "IllegalLocationConstraintException": REGION,
    "PermanentRedirect": REGION,
    "301": REGION,
    "SlowDown": BUSY,
    "Throttling": BUSY,
    "ThrottlingException": BUSY,
    "TooManyRequests": BUSY,
    "RequestLimitExceeded": BUSY,
    "ServiceUnavailable": BUSY,
    "InternalError": BUSY,
    "429": BUSY,
    "500": BUSY,
    "502": BUSY,
    "503": BUSY,
    "504": BUSY,
    "InsufficientStorage": FULL,
    "QuotaExceeded": FULL,
    "XMinioStorageFull": FULL,
    "507": FULL,
    "EntityTooLarge": LARGE,
    "413": LARGE,
}
NETWORK = (
    ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, ReadTimeoutError,
    ResponseStreamingError,
)  # fmt: skip


def code(fault: ClientError) -> str:
    """The error code of an answer."""
    return str(fault.response.get("Error", {}).get("Code", ""))


def status(fault: ClientError) -> int:
    """The HTTP status of an answer."""
    return int(fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def retried(fault: ClientError) -> bool:
    """Whether an earlier try of the same request may have been carried out before its answer was lost."""
    return bool(fault.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def in_words(root: str, fault: BotoCoreError | ClientError) -> RegistryError:
    """The error a person sees."""
    problem, allowed = _answered(fault) if isinstance(fault, ClientError) else _unanswered(fault)
    return RegistryError(root, problem, allowed)


def _answered(fault: ClientError) -> tuple[str, str]:
    error: dict[str, Any] = dict(fault.response.get("Error", {}))
    words = CODES.get(code(fault)) or CODES.get(str(status(fault)))
    said = f"{code(fault)} {error.get('Message', '')}".strip()
    if words is None:
        return f"{fault.operation_name} failed: {said}", "an S3 server that knows this request"
    region = error.get("Region") or error.get("Endpoint")
    return f"{words[0]} ({said})", words[1] + (f": {region}" if region and words is REGION else "")


def _unanswered(fault: BotoCoreError) -> tuple[str, str]:
    if isinstance(fault, (NoCredentialsError, PartialCredentialsError, ProfileNotFound)):
        return (
            f"there are no whole credentials ({fault})",
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        )
    if isinstance(fault, SSLError):
        return f"the server's certificate is not trusted ({fault})", "AWS_CA_BUNDLE with the authority's certificate"
    if isinstance(fault, NETWORK):
        return f"the server cannot be reached ({fault})", "a network, and the right AWS_ENDPOINT_URL"
    if isinstance(fault, ParamValidationError):
        return f"{NAME[0]} ({' '.join(str(fault).split())})", NAME[1]
    return f"failed: {fault}", "the AWS settings of this endpoint"
