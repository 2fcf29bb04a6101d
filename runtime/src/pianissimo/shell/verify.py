"""`verify`: whether every variant gives here the answers it gave where it was made."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..errors import BackendFailedError, BackendMissingError, IntegrityError, VerificationError
from ..loader import open_variant
from ..manifest import Manifest, Variant
from ..store import Registry
from . import arguments, output

HEADINGS = ("platform", "variant", "backend", "verdict", "features", "scores")
MISSING = "not installed"


def configure(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    arguments.model(parser)


def run(chosen: argparse.Namespace) -> int:
    """0 when every variant whose backend is installed gave its golden answers, and there was one; else 1."""
    registry = arguments.source(chosen, chosen.name)
    manifest = arguments.manifest(chosen, registry)
    rows = [_verified(registry, manifest, *each) for each in arguments.variants(chosen, manifest)]
    for row in rows:
        if "reason" in row:
            print(f"{row['platform']}/{row['variant']}: {row['reason']}", file=sys.stderr)
    if chosen.json:
        output.document({"model": manifest.model, "version": manifest.version, "variants": rows})
    else:
        output.table(HEADINGS, [[row.get(name, "") for name in HEADINGS] for row in rows])
    verdicts = [row["verdict"] for row in rows if row["verdict"] != MISSING]
    return int(not verdicts or any(verdict != "ok" for verdict in verdicts))


def _verified(registry: Registry, manifest: Manifest, platform: str, variant: Variant) -> dict[str, Any]:
    row: dict[str, Any] = {"platform": platform, "variant": variant.name, "backend": variant.backend}
    try:
        with open_variant(registry, manifest, platform, variant) as model:
            proof = model.verify()
    except BackendMissingError as fault:
        return {**row, "verdict": MISSING, "reason": str(fault)}
    except (BackendFailedError, IntegrityError, VerificationError) as fault:
        return {**row, "verdict": "failed", "reason": str(fault)}
    return {**row, "verdict": "ok", "features": f"{proof.features:.2g}", "scores": f"{proof.scores:.2g}"}
