"""Read a registry: a folder, a bucket, or what was downloaded from one before."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Protocol

from . import channel as channels
from . import checks, integrity, layout, mirror, yank
from . import manifest as manifests
from .channel import Channel
from .download import Progress
from .errors import ManifestError, ModelNotFoundError, RegistryError
from .manifest import File, Manifest
from .signature import Trust
from .yank import Yank

log = logging.getLogger("pianissimo")

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
        """Content of a key, or None; of what is larger than any document the beginning, which is then refused."""
        try:
            with self.path(key).open("rb") as stream:
                return stream.read(checks.LARGEST_DOCUMENT + 1)
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
    """Models, versions and channels of a store, read strictly; with keys in `trust`, only what these signed."""

    def __init__(self, store: Reader, trust: Trust | None = None) -> None:
        self.store = store
        self.root = store.root
        self.trust = trust or Trust()

    def manifest(self, model: str, channel: str = "stable", version: int | None = None) -> Manifest:
        """The manifest of a version, or of the one a channel names; of a yanked one the earlier version's, told in the log.

        Raises as `load` does.
        """
        checks.name(model, "model")
        known = self.models()
        if model not in known:
            raise ModelNotFoundError(f"model {model}", known, self.root)
        number = self._in_use(model, self._version(model, channel) if version is None else version)
        self.trust.check_age(model, number)
        data = self._read(layout.manifest_key(model, number))
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

    def yank(self, model: str, version: int) -> Yank | None:
        """Why a version is not used any more; None while it is."""
        key = layout.yank_key(model, version)
        data = self._read(key)
        found = yank.loads(data, key) if data is not None else None
        if found and (found.model, found.version) != (model, version):
            raise ManifestError(key, f"{found.model} version {found.version}", "the version it is filed under")
        return found

    def _in_use(self, model: str, version: int) -> int:
        """The version itself, or for a yanked one the earlier version that is used instead."""
        while yanked := self.yank(model, version):
            if yanked.instead is None:
                usable = [number for number in self.versions(model) if not self.yank(model, number)]
                raise ModelNotFoundError(f"version {version} of {model}, yanked: {yanked.why},", usable, self.root)
            told = "%s version %d was yanked (%s): version %d is used instead"
            log.warning(told, model, version, yanked.why, yanked.instead)
            version = yanked.instead
        return version

    def _read(self, key: str) -> bytes | None:
        """A document, signed by whom we trust; None when there is none."""
        data = self.store.get(key)
        if data is not None:
            self.trust.check(key, data, self.store.get)
        return data

    def _version(self, model: str, channel: str) -> int:
        checks.name(channel, "channel")
        data = self._read(layout.channel_key(model, channel))
        if data is None:
            known = [name.removesuffix(".json") for name in self.store.names(layout.channels_prefix(model))]
            raise ModelNotFoundError(f"channel {channel} of {model}", known, self.root)
        found = channels.loads(data, f"channel {channel} of {model}")
        if (found.model, found.channel) != (model, channel):
            raise ManifestError(f"channel {channel} of {model}", f"{found.channel} of {found.model}", "that channel")
        self._tell(found)
        return found.version

    def _tell(self, channel: Channel) -> None:
        """Whoever had the version that a channel was moved back from is told when that was yanked."""
        left = channel.history[-1].origin
        if left is not None and left > channel.version and (yanked := self.yank(channel.model, left)):
            told = "%s version %d was yanked (%s): %s names version %d now"
            log.warning(told, channel.model, left, yanked.why, channel.channel, channel.version)


def open_registry(
    root: str | os.PathLike[str] | None = None, progress: Progress | None = None, trust: Trust | None = None
) -> Registry:
    """The registry at `root`, or where PIANISSIMO_REGISTRY says, or else the one that was downloaded from before.

    `root` is a folder, or `s3://bucket/prefix`; of downloads `progress` is told each file's name, its bytes so far and
    its bytes in all. With keys in `trust`, only what these signed is read.
    """
    place = os.fspath(root) if root is not None else os.environ.get(ENVIRONMENT, "")
    scheme = place.partition("://")[0] if "://" in place else ""
    if not place:
        return Registry(_downloaded(), trust)
    if not scheme:
        return Registry(FolderReader(place), trust)
    if scheme != "s3":
        raise RegistryError(place, "this kind of address is not supported", "a folder, or s3://BUCKET/PREFIX")
    return Registry(mirror.BucketReader(place, progress), trust)


def _downloaded() -> FolderReader:
    """The one registry in the cache."""
    known = mirror.mirrors()
    if len(known) == 1:
        return FolderReader(str(*known.values()))
    problem = f"no registry was named, and several were downloaded from ({', '.join(known)})" if known else ""
    raise RegistryError(
        "(none)", problem or "no registry was named", f"registry=FOLDER or s3://BUCKET/PREFIX, or {ENVIRONMENT}=FOLDER"
    )
