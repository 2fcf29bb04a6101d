"""`info`: what a model is and was measured to be; without a name, what this installation can do."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from .. import mirror, places
from ..diagnostics import diagnostics
from ..manifest import Manifest
from . import arguments, output

HEADINGS = ("platform", "variant", "backend", "precision", "bytes", "threshold")
FACTS = ("model", "version", "created", "task", "least_runtime", "max_seconds")


def configure(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    arguments.model(parser, named=False)


def run(chosen: argparse.Namespace) -> int:
    """0."""
    if chosen.name is None:
        _installation(chosen)
        return 0
    manifest = arguments.manifest(chosen, arguments.source(chosen, chosen.name))
    if chosen.json:
        output.document(asdict(manifest))
        return 0
    output.facts({name: getattr(manifest, name) for name in FACTS} | _told(manifest))
    rows = [
        (
            name,
            each.name,
            each.backend,
            each.precision,
            output.size(sum(file.bytes for file in each.files)),
            each.threshold,
        )
        for name, each in arguments.variants(chosen, manifest)
    ]
    output.table(HEADINGS, rows)
    return 0


def _told(manifest: Manifest) -> dict[str, str]:
    """What needs more than a word."""
    figures = {
        f"figures {name}": " ".join(f"{key}={value}" for key, value in platform.figures.items() if _plain(value))
        for name, platform in manifest.platforms.items()
    }
    rejected = {f"rejected {name}": "; ".join(reasons) for name, reasons in manifest.rejected.items()}
    front = " ".join(f"{key}={value}" for key, value in manifest.frontend.items() if _plain(value))
    return {"labels": ", ".join(manifest.labels), "front end": front, **figures, **rejected}


def _plain(value: object) -> bool:
    return isinstance(value, (str, int, float))


def _installation(chosen: argparse.Namespace) -> None:
    facts: dict[str, Any] = {**diagnostics(), "cache": str(places.cache())}
    copies = {address: str(folder) for address, folder in mirror.mirrors().items()}
    if chosen.json:
        output.document({**facts, "downloaded": copies})
        return
    for group in ("backends", "environment"):
        facts |= {f"{group} {name}": value for name, value in facts.pop(group).items()}
    output.facts(facts | {f"downloaded {address}": folder for address, folder in copies.items()})
