"""Open a model from a registry, or from a folder that holds an unpublished build."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from . import __version__, asked, frontend, integrity, signature, store
from . import manifest as manifests
from .backends import Session, find, open_session
from .download import Progress
from .errors import BackendFailedError, ManifestError, PlatformNotFoundError, RegistryError
from .fallback import Variants
from .manifest import File, Manifest, Variant
from .model import Model
from .pool import pooled


def load(
    name: str,
    platform: str | None = None,
    channel: str | None = None,
    version: int | None = None,
    registry: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    public_key: str | None = None,
    least_version: int | None = None,
    sessions: int = 1,
    verify: bool = False,
    told: set[str] | None = None,
) -> Model:
    """Load a published model.

    `registry` is a folder or `s3://bucket/prefix`; without it the environment variable PIANISSIMO_REGISTRY says where,
    and without that too it is the one that was downloaded from before. `platform` may be left out when the model has just
    one; it, `channel` ("stable") and `threads` (1) may stand in PIANISSIMO_PLATFORM, PIANISSIMO_CHANNEL and
    PIANISSIMO_THREADS. `version` goes before `channel`.

    Every file of a variant is checked by size and SHA-256 before it is opened; downloads are resumed and kept, and
    `progress` is told of each its name, its bytes so far and its bytes in all. The first variant whose backend is
    installed and opens it is taken; what was passed over is logged as a warning and listed in `model.info.fallbacks`.
    When it fails later, the next one takes over in the same way.

    `threads` compute one answer; `sessions` answer at once, where the backend cannot do that in one. With `verify` a
    variant replays the golden vectors, if there are any, before its first answer. `told` holds the warnings that are
    not given again; hand in the same set when opening a model again and again.

    With `public_key`, or PIANISSIMO_PUBLIC_KEY, only documents that this Ed25519 key signed are believed (extra
    `[verify]`); nothing older than `least_version`, or what PIANISSIMO_LEAST_VERSIONS says, is taken.

    Raises RegistryError, ModelNotFoundError, PlatformNotFoundError, ManifestError, SignatureError, IntegrityError, SwitchError,
    and BackendMissingError or BackendFailedError when no variant can be used.
    """
    source = store.open_registry(registry, progress, signature.trust(name, public_key, least_version))
    manifest = source.manifest(name, asked.text("channel", channel) or "stable", version)
    chosen = _platform(manifest, asked.text("platform", platform))
    variants, count = manifest.platforms[chosen].variants, asked.whole("threads", threads, 1)
    return _open(manifest, chosen, variants, source.blob, count, sessions, verify, told)


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


def open_variant(registry: store.Registry, manifest: Manifest, platform: str, variant: Variant) -> Model:
    """One variant of a registry's manifest, or nothing: to look at it alone. Raises as `load` does."""
    return _open(manifest, platform, [variant], registry.blob, threads=1)


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
    sessions: int = 1,
    verify: bool = False,
    told: set[str] | None = None,
) -> Model:
    """The first variant that opens, its files checked. Only backends are fallen back from, never a wrong file."""
    _check_release(manifest)
    for name, count in {"threads": threads, "sessions": sessions}.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise BackendFailedError("any", manifest.model, f"{name}={count!r}; allowed: 1 or more")
    front = frontend.build(manifest.frontend)

    def open_one(variant: Variant) -> Session:
        find(variant.backend)  # first: what cannot be opened here need not be downloaded
        paths = {file.name: locate(file) for file in variant.files}
        path = paths[variant.model_file.name]
        return pooled(variant.backend, lambda: open_session(variant.backend, path, threads), sessions)

    return Model(Variants(manifest, platform, variants, front, locate, open_one, verify, told))


def _check_release(manifest: Manifest) -> None:
    def numbers(release: str) -> list[int]:
        return [int(part) for part in release.split(".")]

    if numbers(manifest.least_runtime) > numbers(__version__):
        raise ManifestError(
            f"{manifest.model}.least_runtime",
            manifest.least_runtime,
            f"at most {__version__}, which is installed; upgrade it",
        )
