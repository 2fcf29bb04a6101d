"""What was loaded: the facts of a model and of the variant that runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .frontend import FrontEnd
from .manifest import File, Manifest, Variant


@dataclass(frozen=True)
class Fallback:
    """A preferred variant that could not be used, and why."""

    variant: str
    backend: str
    reason: str


@dataclass(frozen=True)
class Info:
    """What was loaded; `threshold` is as `manifest.Variant` has it, `bytes` counts the variant's files."""

    model: str
    version: int | None
    created: str | None
    task: str
    labels: tuple[str, ...]
    platform: str
    variant: str
    backend: str
    precision: str
    threshold: float | None
    bytes: int
    files: tuple[File, ...]
    frontend: dict[str, Any]
    max_seconds: float
    figures: dict[str, Any]
    lineage: dict[str, Any]
    fallbacks: tuple[Fallback, ...]
    enrolment: dict[str, Any] | None


def describe(
    manifest: Manifest, platform: str, variant: Variant, front: FrontEnd, fallbacks: tuple[Fallback, ...]
) -> Info:
    """What a person is told of a variant that was opened."""
    return Info(
        model=manifest.model,
        version=manifest.version,
        created=manifest.created,
        task=manifest.task,
        labels=manifest.labels,
        platform=platform,
        variant=variant.name,
        backend=variant.backend,
        precision=variant.precision,
        threshold=variant.threshold,
        bytes=sum(file.bytes for file in variant.files),
        files=variant.files,
        frontend=dict(front.spec),
        max_seconds=manifest.max_seconds,
        figures=manifest.platforms[platform].figures,
        lineage=manifest.lineage,
        fallbacks=fallbacks,
        enrolment=manifest.enrolment,
    )
