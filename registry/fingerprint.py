"""Tell whether two manifests are the same to a consumer, whenever and by whomever they were made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from pianissimo.manifest import Manifest

# What no answer depends on: moments, provenance, and measurements, which differ from run to run.
APART = ("version", "created", "lineage", "rejected")


def fingerprint(manifest: Manifest) -> str:
    """SHA-256 over files, front end, labels, thresholds, task, limits and variants in their order."""
    content: dict[str, Any] = asdict(manifest)
    for key in APART:
        del content[key]
    for platform in content["platforms"].values():
        del platform["figures"]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
