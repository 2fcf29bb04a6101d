"""Refuse what the holder of a pinned key did not sign; needs the extra `[verify]` once a key is pinned.

A signature is Ed25519 (RFC 8032) over a line that says what this is, the document's key in the registry and its
bytes, so that no document can stand in another's place. It lies beside the documents under the digest of what it
signs and the name of the key, so that signing again, with the same key or a new one, overwrites nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import checks, layout
from .errors import BackendMissingError, ManifestError, SignatureError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENVIRONMENT = "PIANISSIMO_PUBLIC_KEY"
LEAST = "PIANISSIMO_LEAST_VERSIONS"
SCHEME = "ed25519:"
ALLOWED = f"{SCHEME} and 44 characters of base64, as `python -m registry key` prints; several with commas"


@dataclass(frozen=True)
class Trust:
    """Whom a consumer believes: 32-byte public keys, any one of which will do; and the oldest version it takes."""

    keys: tuple[bytes, ...] = ()
    least: int | None = None

    def check(self, key: str, data: bytes, get: Callable[[str], bytes | None]) -> None:
        """Raise SignatureError unless a pinned key signed the document `data` at `key`; no key asks nothing.

        `get` reads the registry.
        """
        if not self.keys:
            return
        found = [(raw, get(signature_key(key, data, raw))) for raw in self.keys]
        present = [(raw, text) for raw, text in found if text is not None]
        if not present:
            names = ", ".join(name(raw) for raw in self.keys)
            raise SignatureError(key, f"no signature of its content by {names}", "a document signed by a pinned key")
        if not any(holds(raw, key, data, text) for raw, text in present):
            raise SignatureError(key, "a signature that does not fit its content", "a document signed by a pinned key")

    def check_age(self, model: str, version: int) -> None:
        """Raise SignatureError for a version older than the pinned one, signed or not."""
        if self.least is not None and version < self.least:
            raise SignatureError(f"{model} version {version}", "an older version than pinned", f"{self.least} or later")


def trust(model: str, public_key: str | None = None, least_version: int | None = None) -> Trust:
    """What the arguments pin, or else PIANISSIMO_PUBLIC_KEY and PIANISSIMO_LEAST_VERSIONS (`keywords=3,genre=2`).

    Raises ManifestError for what is no key or no version, BackendMissingError without the extra `[verify]`.
    """
    text, place = (
        (public_key, "public_key") if public_key is not None else (os.environ.get(ENVIRONMENT, ""), ENVIRONMENT)
    )
    keys = tuple(public(part.strip(), place) for part in text.split(",") if part.strip())
    if public_key is not None and not keys:
        raise ManifestError(place, repr(public_key), ALLOWED)
    if keys:
        _verifier()  # told now, and not after a download
    least = _least(model) if least_version is None else checks.whole(1, 10**9)(least_version, "least_version")
    return Trust(keys, least)


def public(text: str, place: str) -> bytes:
    """The 32 bytes of a public key from its text; raises ManifestError."""
    try:
        raw = base64.b64decode(text.removeprefix(SCHEME), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise ManifestError(place, repr(text), ALLOWED) from fault
    if not text.startswith(SCHEME) or len(raw) != 32:
        raise ManifestError(place, repr(text), ALLOWED)
    return raw


def written(raw: bytes) -> str:
    """The text of a public key."""
    return SCHEME + base64.b64encode(raw).decode()


def name(raw: bytes) -> str:
    """A short name of a public key: the first 16 digits of its SHA-256."""
    return hashlib.sha256(raw).hexdigest()[:16]


def message(key: str, data: bytes) -> bytes:
    """What is signed."""
    return b"pianissimo signature 1\n" + key.encode() + b"\n" + data


def digest(key: str, data: bytes) -> str:
    """The digest of what is signed, under which signatures lie."""
    return hashlib.sha256(message(key, data)).hexdigest()


def signature_key(key: str, data: bytes, raw: bytes) -> str:
    """Where the signature of a document by a public key lies."""
    return layout.signature_key(digest(key, data), name(raw))


def holds(raw: bytes, key: str, data: bytes, text: bytes) -> bool:
    """Whether `text` is the signature of a document by a public key."""
    verifier, invalid = _verifier()
    try:
        verifier.from_public_bytes(raw).verify(base64.b64decode(text.strip(), validate=True), message(key, data))
    except (invalid, binascii.Error, ValueError):
        return False
    return True


def _verifier() -> tuple[type[Ed25519PublicKey], type[Exception]]:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as fault:
        raise BackendMissingError("verify", f"pip install 'pianissimo[verify]' ({fault})") from fault
    return Ed25519PublicKey, InvalidSignature


def _least(model: str) -> int | None:
    """The oldest version of a model that the environment pins."""
    for part in os.environ.get(LEAST, "").split(","):
        named, _, number = part.strip().partition("=")
        if part.strip() and not (checks.NAME.fullmatch(named) and number.isascii() and number.isdigit()):
            raise ManifestError(LEAST, repr(part), "MODEL=VERSION, several with commas")
        if named == model:
            return int(number)
    return None
