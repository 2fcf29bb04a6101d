"""What a registry holds, read at one go: models, versions, channels, who signed what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from pianissimo import channel as channels
from pianissimo import layout, signature, yank
from pianissimo import manifest as manifests
from pianissimo.channel import Channel
from pianissimo.errors import ModelNotFoundError
from pianissimo.manifest import Manifest
from pianissimo.yank import Yank

from .keys import AbsentError
from .store import Store

AT_ONCE = 8  # documents read side by side: from a bucket each takes a round trip

# Given the digest of what is signed: the names of the keys that signed it.
Signers = Callable[[str], Iterable[str]]


@dataclass(frozen=True)
class Version:
    """One version; `signers` are the names of the keys that signed its manifest, `card` the key of its model card."""

    number: int
    manifest: Manifest
    yanked: Yank | None
    signers: tuple[str, ...]
    card: str | None


@dataclass(frozen=True)
class Model:
    """One model: versions newest first, channels by name."""

    name: str
    versions: tuple[Version, ...]
    channels: dict[str, Channel]

    def version(self, number: int) -> Version | None:
        """The version with a number."""
        return next((version for version in self.versions if version.number == number), None)

    def usable(self) -> set[int]:
        """Numbers of the versions that are there and not yanked."""
        return {version.number for version in self.versions if version.yanked is None}

    def naming(self, number: int) -> list[str]:
        """The channels that name a version."""
        return [name for name, channel in self.channels.items() if channel.version == number]


def models(store: Store) -> list[str]:
    """The names of the models."""
    return sorted({key.split("/")[1] for key in store.list(layout.models_prefix())})


def read(store: Store) -> list[Model]:
    """Every model, by name."""
    signers = all_signers(store)
    return [read_model(store, name, signers=signers) for name in models(store)]


def read_model(
    store: Store, name: str, kept: dict[str, bytes] | None = None, signers: Signers | None = None
) -> Model:
    """One model, by its own documents alone; raises ModelNotFoundError with those there are.

    `kept` keeps manifests by their key: whoever reads again and again hands in the same one, as manifests never change.
    Whoever reads all models hands in `all_signers`.
    """
    kept = {} if kept is None else kept
    signers = signers or partial(signers_of, store)
    keys = set(store.list(f"{layout.models_prefix()}{name}/"))
    if not keys:
        raise ModelNotFoundError(f"model {name}", models(store), store.root)

    def version(number: int) -> Version:
        key = layout.manifest_key(name, number)
        data = kept[key] = kept.get(key) or store.get(key)
        yanked = read_yank(store, name, number) if layout.yank_key(name, number) in keys else None
        found = tuple(signers(signature.digest(key, data)))
        card = layout.card_key(name, number)
        return Version(number, manifests.loads(data, key), yanked, found, card if card in keys else None)

    present = reversed(numbers_of(keys, name))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        versions = tuple(pool.map(version, present))
    return Model(name, versions, _channels(store, name, keys))


def numbers(store: Store, model: str) -> list[int]:
    """Numbers of the versions that have a manifest, rising."""
    return numbers_of(store.list(layout.versions_prefix(model)), model)


def numbers_of(keys: Iterable[str], model: str) -> list[int]:
    """The same from keys."""
    prefix = layout.versions_prefix(model)
    names = [key.removeprefix(prefix).split("/") for key in keys if key.startswith(prefix)]
    return sorted(int(parts[0]) for parts in names if parts[0].isdigit() and parts[1:] == ["manifest.json"])


def read_yank(store: Store, model: str, number: int) -> Yank | None:
    """Why a version is not used any more; None while it is."""
    key = layout.yank_key(model, number)
    data = read_document(store, key)
    return None if data is None else yank.loads(data, key)


def read_document(store: Store, key: str) -> bytes | None:
    """Content of a key; None where there is none."""
    try:
        return store.get(key)
    except AbsentError:
        return None


def all_signers(store: Store) -> Signers:
    """Who signed what, by one look at all signatures."""
    found: dict[str, list[str]] = defaultdict(list)
    prefix = layout.signatures_prefix()
    for key in store.list(prefix):
        digest, _, name = key.removeprefix(prefix).partition(".")
        found[digest].append(name)
    return lambda digest: found.get(digest, ())


def signers_of(store: Store, digest: str) -> list[str]:
    """Names of the keys that signed what has this digest."""
    prefix = layout.signature_key(digest, "")
    return [key.removeprefix(prefix) for key in store.list(prefix)]


def _channels(store: Store, name: str, keys: Iterable[str]) -> dict[str, Channel]:
    prefix = layout.channels_prefix(name)
    return {
        key.removeprefix(prefix).removesuffix(".json"): channels.loads(store.get(key), key)
        for key in sorted(keys)
        if key.startswith(prefix)
    }
