"""What the commands take, and the model or registry it names."""

from __future__ import annotations

import argparse
from typing import Any

from .. import asked, signature, store
from ..errors import PlatformNotFoundError
from ..loader import load
from ..manifest import Manifest, Variant
from ..model import Model
from ..store import Registry
from .output import Bars

NOBODY = "-"  # no model's name, so that no least version is pinned for it


def model(parser: argparse.ArgumentParser, named: bool = True) -> None:
    """The name of a model, which may be left out where it is not `named`, and which of it."""
    count = None if named else "?"
    parser.add_argument("name", nargs=count, help="a model of the registry, such as keywords")
    parser.add_argument("--platform", help="needed when the model has several (PIANISSIMO_PLATFORM)")
    parser.add_argument("--channel", help="stable by default (PIANISSIMO_CHANNEL)")
    parser.add_argument("--version", type=int, help="a version instead of a channel")
    registry(parser)


def registry(parser: argparse.ArgumentParser) -> None:
    """Where models come from, whom to believe, and how to answer."""
    parser.add_argument("--registry", help="a folder or s3://BUCKET/PREFIX (PIANISSIMO_REGISTRY)")
    parser.add_argument("--public-key", help="believe only what this Ed25519 key signed (PIANISSIMO_PUBLIC_KEY)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def opened(chosen: argparse.Namespace, **more: Any) -> Model:
    """The model that was asked for, downloaded with progress. Raises as `load` does."""
    return load(
        chosen.name,
        chosen.platform,
        chosen.channel,
        chosen.version,
        chosen.registry,
        public_key=chosen.public_key,
        progress=Bars(),
        **more,
    )


def source(chosen: argparse.Namespace, name: str = NOBODY) -> Registry:
    """The registry that was asked for, read for a model, or for all of them. Raises as `load` does."""
    return store.open_registry(chosen.registry, Bars(), signature.trust(name, chosen.public_key, None))


def manifest(chosen: argparse.Namespace, registry: Registry) -> Manifest:
    """The manifest of the version that was asked for."""
    return registry.manifest(chosen.name, asked.text("channel", chosen.channel) or "stable", chosen.version)


def variants(chosen: argparse.Namespace, known: Manifest) -> list[tuple[str, Variant]]:
    """Every variant of the platform that was named, or of all of them. Raises PlatformNotFoundError."""
    platform = asked.text("platform", chosen.platform)
    if platform is not None and platform not in known.platforms:
        raise PlatformNotFoundError(known.model, f"no platform {platform}", list(known.platforms))
    platforms = list(known.platforms) if platform is None else [platform]
    return [(name, variant) for name in platforms for variant in known.platforms[name].variants]
