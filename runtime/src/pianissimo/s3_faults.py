"""What an S3 server, or the way to it, may refuse: in words a person can act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from .errors import RegistryError

Words = tuple[str, str]  # the problem, and what would do

KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, of somebody who may use the bucket"
DENIED = ("access was denied", "credentials that may list the bucket and read its objects")
REGION = ("the bucket lies in another region", "AWS_DEFAULT_REGION=REGION of the bucket")  # boto3 reads no AWS_REGION
BUSY = ("the server is overloaded or broken, and stayed so through every attempt", "another try, later")
STALE = ("the session token has expired or is wrong", "a fresh AWS_SESSION_TOKEN, or `aws sso login`")
CLOCK = ("this machine's clock is not the server's", "a clock that is right to 15 minutes")
RENEWED = ("the credentials have expired and could not be renewed", f"`aws sso login`, or fresh {KEYS}")
NO_KEYS = ("there are no credentials", KEYS)
NO_BUCKET = ("that is no name of a bucket", "s3://BUCKET/PREFIX; a bucket's name has 3 to 63 of a-z, 0-9, . and -")
BROKEN = ("the connection broke, again and again", "another try, which goes on from what came")
UNREACHABLE = ("the server cannot be reached", "a network, and an endpoint that answers (AWS_ENDPOINT_URL)")

# S3's code of a fault, or HTTP's, -> words.
CODES: dict[str, Words] = {
    "NoSuchBucket": ("there is no such bucket", "s3://BUCKET/PREFIX with a bucket that exists at this endpoint"),
    "InvalidBucketName": NO_BUCKET,
    "SignatureDoesNotMatch": ("the secret key is not this access key's", KEYS),
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "Forbidden", "403"), DENIED),
    **dict.fromkeys(("InvalidAccessKeyId", "InvalidClientTokenId"), ("the server does not know this access key", KEYS)),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired"), CLOCK),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "InvalidToken"), STALE),
    **dict.fromkeys(("PermanentRedirect", "TemporaryRedirect", "301", "307"), REGION),
    **dict.fromkeys(("AuthorizationHeaderMalformed", "IllegalLocationConstraintException"), REGION),
    **dict.fromkeys(("SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded"), BUSY),
    **dict.fromkeys(("ServiceUnavailable", "InternalError", "429", "500", "502", "503", "504"), BUSY),
}
OTHER_CODE = "a server that speaks S3, and the usual AWS settings"
# A fault on this side -> words; the first that fits.
KINDS: tuple[tuple[type[BotoCoreError], Words], ...] = (
    (exceptions.NoCredentialsError, NO_KEYS),
    (exceptions.PartialCredentialsError, NO_KEYS),
    (exceptions.CredentialRetrievalError, RENEWED),
    (exceptions.TokenRetrievalError, RENEWED),
    (exceptions.SSOError, RENEWED),
    (exceptions.ProfileNotFound, ("there is no such profile", "AWS_PROFILE=PROFILE of ~/.aws/config")),
    (exceptions.ParamValidationError, NO_BUCKET),
    (exceptions.SSLError, ("the server's certificate is not trusted", "a trusted one, or AWS_CA_BUNDLE=FILE")),
    (exceptions.ProxyConnectionError, ("the proxy cannot be reached", "a proxy that answers (HTTPS_PROXY)")),
    (exceptions.ConnectionError, UNREACHABLE),
    (exceptions.HTTPClientError, BROKEN),
    (exceptions.IncompleteReadError, BROKEN),
    (BotoCoreError, ("it failed", "the usual AWS settings")),
)


@contextmanager
def in_words(place: str, codes: Mapping[str, Words] = CODES) -> Iterator[None]:
    """Turn what botocore raises into a RegistryError about `place`; the fault stays as its cause."""
    try:
        yield
    except (ClientError, BotoCoreError) as fault:
        raise worded(place, fault, codes) from fault


def worded(place: str, fault: Exception, codes: Mapping[str, Words] = CODES) -> RegistryError:
    """The same fault in words."""
    if isinstance(fault, ClientError):
        return RegistryError(place, *_answered(fault, codes))
    problem, allowed = next(words for kind, words in KINDS if isinstance(fault, kind))
    return RegistryError(place, f"{problem} ({' '.join(str(fault).split())})", allowed)


def code(fault: ClientError) -> str:
    """S3's own word for what was wrong."""
    return str(fault.response.get("Error", {}).get("Code", ""))


def status(fault: ClientError) -> int:
    """HTTP's number for it."""
    return int(fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _answered(fault: ClientError, codes: Mapping[str, Words]) -> Words:
    error: dict[str, Any] = dict(fault.response.get("Error", {}))
    said = f"{code(fault)}: {error.get('Message') or 'no reason was given'}"
    words = codes.get(code(fault)) or codes.get(str(status(fault)))
    if words is None:
        return f"the server refused {fault.operation_name} ({said})", OTHER_CODE
    headers = fault.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    where = headers.get("x-amz-bucket-region") or error.get("Region") or error.get("Endpoint")
    return f"{words[0]} ({said})", f"{words[1]}: {where}" if where and words is REGION else words[1]
