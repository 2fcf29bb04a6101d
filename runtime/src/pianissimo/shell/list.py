"""`list`: the models of a registry, the version each channel names, and where they run."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..errors import PianissimoError
from ..store import Registry
from . import arguments, output

HEADINGS = ("model", "task", "channels", "versions", "platforms", "bytes")


def configure(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    arguments.registry(parser)


def run(chosen: argparse.Namespace) -> int:
    """0, or 1 when a model could not be read."""
    registry = arguments.source(chosen)
    models: list[dict[str, Any]] = []
    failed = False
    for name in registry.models():
        try:
            models.append(_described(registry, name))
        except PianissimoError as fault:
            print(f"error: {name}: {fault}", file=sys.stderr)
            models.append({"model": name, "error": str(fault)})
            failed = True
    if chosen.json:
        output.document({"registry": registry.root, "models": models})
    else:
        output.table(HEADINGS, [_row(model) for model in models if "error" not in model])
    return int(failed)


def _described(registry: Registry, name: str) -> dict[str, Any]:
    channels, versions = registry.channels(name), registry.versions(name)
    shown = channels.get("stable") or max([*channels.values(), *versions])
    manifest = registry.manifest(name, version=shown)
    sizes = {
        platform: sum(file.bytes for file in entry.variants[0].files) for platform, entry in manifest.platforms.items()
    }
    return {"model": name, "task": manifest.task, "channels": channels, "versions": versions, "platforms": sizes}


def _row(model: dict[str, Any]) -> list[str]:
    sizes = model["platforms"].values()
    return [
        model["model"],
        model["task"],
        " ".join(f"{channel}={version}" for channel, version in model["channels"].items()) or "none",
        str(len(model["versions"])),
        " ".join(model["platforms"]),
        " ".join(map(output.size, sizes)),
    ]
