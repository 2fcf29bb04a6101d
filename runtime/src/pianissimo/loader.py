"""Open a model from a registry, or from a folder that holds an unpublished build."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from . import __version__, frontend, integrity, store
from . import manifest as manifests
from .backends import open_session
from .download import Progress
from .errors import (
    BackendFailedError,
    BackendMissingError,
    ManifestError,
    PlatformNotFoundError,
    RegistryError,
)
from .info import Fallback
from .manifest import File, Manifest, Variant
from .model import Model

log = logging.getLogger("pianissimo")


def load(
    name: str,
    platform: str | None = None,
    channel: str = "stable",
    version: int | None = None,
    registry: str | os.PathLike[str] | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Model:
    """Load a published model.

    `registry` is a folder or `s3://bucket/prefix`; without it the environment variable PIANISSIMO_REGISTRY says where,
    and without that too it is the one that was downloaded from before. `version` goes
    before `channel`. `platform` may be left out when the model has just one. Every file of a variant is
    checked by size and SHA-256 before it is opened; downloads are resumed and kept, and `progress` is told of each
    its name, its bytes so far and its bytes in all. The first variant whose backend is installed and opens it
    is taken; what was passed over is logged as a warning and listed in `model.info.fallbacks`.

    Raises RegistryError, ModelNotFoundError, PlatformNotFoundError, ManifestError, IntegrityError, and
    BackendMissingError or BackendFailedError when no variant can be used.
    """
    source = store.open_registry(registry, progress)
    manifest = source.manifest(name, channel, version)
    chosen = _platform(manifest, platform)
    return _open(manifest, chosen, manifest.platforms[chosen].variants, source.blob, threads)


def open_folder(
    folder: str | os.PathLike[str], platform: str | None = None, variant: str | None = None, threads: int = 1
) -> Model:
    """Open an unpublished build: a folder with manifest.json (a draft will do) and the files it names.

    `variant` opens that one or nothing; otherwise as `load`, with the same errors.
    """
    root = Path(folder)
    if not (root / "manifest.json").is_file():
        raise RegistryError(str(root), "there is no manifest.json", "a folder with manifest.json and its files")
    manifest = manifests.read(root / "manifest.json")
    chosen = _platform(manifest, platform)
    variants = _variants(manifest, chosen, variant)

    def locate(file: File) -> Path:
        path = root.joinpath(*file.name.split("/"))
        integrity.check(path, file)
        return path

    return _open(manifest, chosen, variants, locate, threads)


def _platform(manifest: Manifest, platform: str | None) -> str:
    known = list(manifest.platforms)
    if platform is None and len(known) == 1:
        return known[0]
    if platform not in manifest.platforms:
        problem = "no platform was named and there are several" if platform is None else f"no platform {platform}"
        rejected = manifest.rejected.get(platform or "", ())
        raise PlatformNotFoundError(manifest.model, "; ".join([problem, *rejected]), known)
    return platform


def _variants(manifest: Manifest, platform: str, name: str | None) -> Sequence[Variant]:
    variants = manifest.platforms[platform].variants
    chosen = [variant for variant in variants if name in (None, variant.name)]
    if not chosen:
        raise PlatformNotFoundError(
            manifest.model, f"{platform} has no variant {name}", [variant.name for variant in variants]
        )
    return chosen


def _open(
    manifest: Manifest,
    platform: str,
    variants: Sequence[Variant],
    locate: Callable[[File], Path],
    threads: int,
) -> Model:
    """The first variant that opens, its files checked. Only backends are fallen back from, never a wrong file."""
    _check_release(manifest)
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise BackendFailedError("any", manifest.model, f"threads={threads!r}; allowed: 1 or more")
    front = frontend.build(manifest.frontend)
    faults: list[BackendMissingError | BackendFailedError] = []
    fallbacks: list[Fallback] = []
    for variant in variants:
        paths = {file.name: locate(file) for file in variant.files}
        try:
            session = open_session(variant.backend, paths[variant.model_file.name], threads)
        except (BackendMissingError, BackendFailedError) as fault:
            log.warning("%s %s: variant %s passed over: %s", manifest.model, platform, variant.name, fault)
            faults.append(fault)
            fallbacks.append(Fallback(variant.name, variant.backend, str(fault)))
            continue
        return Model(manifest, platform, variant, front, session, locate, tuple(fallbacks))
    raise _none_opened(manifest.model, platform, faults)


def _none_opened(
    model: str, platform: str, faults: list[BackendMissingError | BackendFailedError]
) -> BackendMissingError | BackendFailedError:
    """The one fault, or all in one: missing when installing something would help with every variant."""
    if len(faults) == 1:
        return faults[0]
    reasons = "; ".join(map(str, faults))
    missing = [fault for fault in faults if isinstance(fault, BackendMissingError)]
    if len(missing) == len(faults):
        return BackendMissingError(" and ".join(dict.fromkeys(fault.backend for fault in missing)), reasons)
    return BackendFailedError(
        " and ".join(dict.fromkeys(fault.backend for fault in faults)), f"{model} {platform}", reasons
    )


def _check_release(manifest: Manifest) -> None:
    def numbers(release: str) -> list[int]:
        return [int(part) for part in release.split(".")]

    if numbers(manifest.least_runtime) > numbers(__version__):
        raise ManifestError(
            f"{manifest.model}.least_runtime",
            manifest.least_runtime,
            f"at most {__version__}, which is installed; upgrade it",
        )
