"""What an S3 server, or the way to it, may refuse: in words a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from .errors import RegistryError

Words = tuple[str, str]  # the problem, and what would do

KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, of somebody who may read the bucket"
DENIED = ("access was denied", "credentials that may list the bucket and read its objects")
REGION = ("the bucket lies in another region", "AWS_DEFAULT_REGION=REGION of the bucket")
BUSY = ("the server is overloaded or broken, and stayed so through every attempt", "another try, later")
STALE = ("the session token has expired or is wrong", "a fresh AWS_SESSION_TOKEN")
CLOCK = ("this machine's clock is not the server's", "a clock that is right to 15 minutes")
NO_KEYS = ("there are no credentials", KEYS)
NO_BUCKET = ("that is no name of a bucket", "s3://BUCKET or s3://BUCKET/PREFIX")
BROKEN = ("the connection broke, again and again", "another try, which goes on from what came")
UNREACHABLE = ("the server cannot be reached", "a network, and an endpoint that answers (AWS_ENDPOINT_URL)")

# S3's code of a fault, or HTTP's, -> words.
CODES: dict[str, Words] = {
    "NoSuchBucket": ("there is no such bucket", "s3://BUCKET/PREFIX with a bucket that exists at this endpoint"),
    "InvalidBucketName": NO_BUCKET,
    "AccessDenied": DENIED,
    "Forbidden": DENIED,
    "403": DENIED,
    "InvalidAccessKeyId": ("the server does not know this access key", KEYS),
    "SignatureDoesNotMatch": ("the secret key is not this access key's", KEYS),
    "RequestTimeTooSkewed": CLOCK,
    "RequestExpired": CLOCK,
    "ExpiredToken": STALE,
    "InvalidToken": STALE,
    "PermanentRedirect": REGION,
    "TemporaryRedirect": REGION,
    "AuthorizationHeaderMalformed": REGION,
    "301": REGION,
    "SlowDown": BUSY,
    "Throttling": BUSY,
    "ServiceUnavailable": BUSY,
    "InternalError": BUSY,
    "500": BUSY,
    "502": BUSY,
    "503": BUSY,
}
OTHER_CODE = ("the server refused", "a server that speaks S3, and the usual AWS settings")
# A fault on this side -> words; the first that fits.
KINDS: tuple[tuple[type[BotoCoreError], Words], ...] = (
    (exceptions.NoCredentialsError, NO_KEYS),
    (exceptions.PartialCredentialsError, NO_KEYS),
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
def in_words(place: str) -> Iterator[None]:
    """Turn what botocore raises into a RegistryError about `place`; the fault stays as its cause."""
    try:
        yield
    except (ClientError, BotoCoreError) as fault:
        raise worded(place, fault) from fault


def worded(place: str, fault: Exception) -> RegistryError:
    """The same fault in words."""
    if isinstance(fault, ClientError):
        problem, allowed = CODES.get(code(fault), OTHER_CODE)
        message = fault.response.get("Error", {}).get("Message", "") or "no reason was given"
        return RegistryError(place, f"{problem} ({code(fault)}: {message})", allowed)
    problem, allowed = next(words for kind, words in KINDS if isinstance(fault, kind))
    return RegistryError(place, f"{problem} ({fault})", allowed)


def code(fault: ClientError) -> str:
    """S3's own word for what was wrong."""
    return str(fault.response.get("Error", {}).get("Code", ""))
