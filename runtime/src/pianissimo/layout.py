"""Where things lie in a registry: the keys, the same in a folder and in a bucket."""

from __future__ import annotations


def blob_key(sha256: str) -> str:
    """Content, named by its hash and written once."""
    return f"blobs/sha256/{sha256}"


def models_prefix() -> str:
    """Everything about models lies under this."""
    return "models/"


def versions_prefix(model: str) -> str:
    """All versions of one model."""
    return f"models/{model}/versions/"


def manifest_key(model: str, version: int) -> str:
    """One version's manifest, immutable."""
    return f"{versions_prefix(model)}{version}/manifest.json"


def card_key(model: str, version: int) -> str:
    """One version's model card, for people; under the name that hubs look for."""
    return f"{versions_prefix(model)}{version}/README.md"


def yank_key(model: str, version: int) -> str:
    """Says that a version is not used any more; there for those alone."""
    return f"{versions_prefix(model)}{version}/yank.json"


def channels_prefix(model: str) -> str:
    """All channels of one model."""
    return f"models/{model}/channels/"


def channel_key(model: str, channel: str) -> str:
    """The version a channel names, with its history."""
    return f"{channels_prefix(model)}{channel}.json"


def runtime_key(wheel: str) -> str:
    """A wheel of this package."""
    return f"runtime/{wheel}"


def signatures_prefix() -> str:
    """All signatures lie under this."""
    return "signatures/"


def signature_key(digest: str, name: str) -> str:
    """The signature of a document, by the digest of what is signed and the name of the key."""
    return f"{signatures_prefix()}{digest}.{name}"


def page_key() -> str:
    """The page a person opens."""
    return "index.html"
