"""Read a registry: a folder, a bucket, or what was downloaded from one before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from . import channel as channels
from . import checks, integrity, layout, mirror
from . import manifest as manifests
from .download import Progress
from .errors import ManifestError, ModelNotFoundError, RegistryError
from .manifest import File, Manifest

ENVIRONMENT = "PIANISSIMO_REGISTRY"


class Reader(Protocol):
    """The little a store must do for reading."""

    root: str

    def get(self, key: str) -> bytes | None:
        """Content of a key, or None when there is none."""

    def names(self, prefix: str) -> list[str]:
        """Names directly under a prefix that ends in /, sorted."""

    def fetch(self, key: str, file: File) -> Path:
        """A local file with the key's content, which is the one that was published; raises IntegrityError."""


class FolderReader:
    """A registry in a folder."""

    def __init__(self, root: str) -> None:
        self.root = root
        if not Path(root).is_dir():
            raise RegistryError(root, "there is no such folder", "a registry folder that exists")

    def get(self, key: str) -> bytes | None:
        """Content of a key, or None."""
        try:
            return self.path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as fault:
            raise RegistryError(self.root, f"{key}: {fault.strerror}", "a readable folder") from fault

    def names(self, prefix: str) -> list[str]:
        """Names directly under a prefix."""
        folder = self.path(prefix)
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def fetch(self, key: str, file: File) -> Path:
        """Where the file lies, checked by size and SHA-256."""
        integrity.check(self.path(key), file)
        return self.path(key)

    def path(self, key: str) -> Path:
        """Where a key's content lies."""
        return Path(self.root, *key.split("/"))


class Registry:
    """Models, versions and channels of a store, read strictly."""

    def __init__(self, store: Reader) -> None:
        self.store = store
        self.root = store.root

    def manifest(self, model: str, channel: str = "stable", version: int | None = None) -> Manifest:
        """The manifest of a version, or of the one a channel names. Raises as `load` does."""
        checks.name(model, "model")
        known = self.models()
        if model not in known:
            raise ModelNotFoundError(f"model {model}", known, self.root)
        number = self._version(model, channel) if version is None else version
        data = self.store.get(layout.manifest_key(model, number))
        if data is None:
            raise ModelNotFoundError(f"version {number} of {model}", self.versions(model), self.root)
        manifest = manifests.loads(data, f"{model} version {number}")
        if (manifest.model, manifest.version) != (model, number):
            found = f"{manifest.model} version {manifest.version}"
            raise ManifestError(f"{model} version {number}", found, "the model and version it is filed under")
        return manifest

    def versions(self, model: str) -> list[int]:
        """Numbers of a model's versions, rising."""
        names = self.store.names(layout.versions_prefix(model))
        return sorted(int(name) for name in names if name.isascii() and name.isdigit())

    def models(self) -> list[str]:
        """Names of the models, in alphabetical order."""
        return self.store.names(layout.models_prefix())

    def channels(self, model: str) -> dict[str, int]:
        """The version each channel of a model names."""
        names = [name.removesuffix(".json") for name in self.store.names(layout.channels_prefix(model))]
        return {name: self._version(model, name) for name in names}

    def blob(self, file: File) -> Path:
        """A local file with that content, checked by size and SHA-256, downloaded first from a bucket."""
        return self.store.fetch(layout.blob_key(file.sha256), file)

    def _version(self, model: str, channel: str) -> int:
        checks.name(channel, "channel")
        data = self.store.get(layout.channel_key(model, channel))
        if data is None:
            known = [name.removesuffix(".json") for name in self.store.names(layout.channels_prefix(model))]
            raise ModelNotFoundError(f"channel {channel} of {model}", known, self.root)
        return channels.loads(data, f"channel {channel} of {model}").version


def open_registry(root: str | os.PathLike[str] | None = None, progress: Progress | None = None) -> Registry:
    """The registry at `root`, or where PIANISSIMO_REGISTRY says, or else the one that was downloaded from before.

    `root` is a folder, or `s3://bucket/prefix`; of downloads `progress` is told each file's name, its bytes so far and
    its bytes in all.
    """
    place = os.fspath(root) if root is not None else os.environ.get(ENVIRONMENT, "")
    scheme = place.partition("://")[0] if "://" in place else ""
    if not place:
        return Registry(_downloaded())
    if not scheme:
        return Registry(FolderReader(place))
    if scheme != "s3":
        raise RegistryError(place, "this kind of address is not supported", "a folder, or s3://BUCKET/PREFIX")
    return Registry(mirror.BucketReader(place, progress))


def _downloaded() -> FolderReader:
    """The one registry in the cache."""
    known = mirror.mirrors()
    if len(known) == 1:
        return FolderReader(str(*known.values()))
    problem = f"no registry was named, and several were downloaded from ({', '.join(known)})" if known else ""
    raise RegistryError(
        "(none)", problem or "no registry was named", f"registry=FOLDER or s3://BUCKET/PREFIX, or {ENVIRONMENT}=FOLDER"
    )
