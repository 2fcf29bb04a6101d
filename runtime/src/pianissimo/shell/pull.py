"""`pull`: bring every file of a model here and check it, so that it loads without a network."""

from __future__ import annotations

import argparse

from .. import places
from ..manifest import File
from . import arguments, output

HEADINGS = ("file", "bytes", "at")


def configure(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    arguments.model(parser)


def run(chosen: argparse.Namespace) -> int:
    """0: what could not be had was an error."""
    registry = arguments.source(chosen, chosen.name)
    manifest = arguments.manifest(chosen, registry)
    wanted: dict[str, File] = {
        file.name: file for _, variant in arguments.variants(chosen, manifest) for file in variant.files
    }
    if manifest.golden is not None:
        wanted[manifest.golden.name] = manifest.golden
    found = {name: str(registry.blob(file)) for name, file in wanted.items()}
    if chosen.json:
        files = [{"file": name, "bytes": wanted[name].bytes, "at": place} for name, place in found.items()]
        facts = {"model": manifest.model, "version": manifest.version, "registry": registry.root}
        output.document({**facts, "cache": str(places.cache()), "files": files})
    else:
        output.table(HEADINGS, [(name, output.size(wanted[name].bytes), place) for name, place in found.items()])
    return 0
