"""The manifest of one version of a model, schema 1, read strictly; needs the standard library alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import checks, rules
from .errors import ManifestError

SCHEMA = 1
TASKS = rules.TASKS
ROLES = ("model", "source", "header", "labels")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@dataclass(frozen=True)
class File:
    """One file by its name in the manifest; `role` is None for the golden vectors."""

    name: str
    bytes: int
    sha256: str
    role: str | None = None


@dataclass(frozen=True)
class Tolerance:
    """Largest distances that count as equal in `verify`."""

    features: float
    scores: float


@dataclass(frozen=True)
class Variant:
    """One way to run the model on a platform.

    `threshold` is on the second of two labels, or for the task verify on the enrolled template's decision; or None.
    """

    name: str
    backend: str
    precision: str
    files: tuple[File, ...]
    threshold: float | None
    tolerance: Tolerance

    @property
    def model_file(self) -> File:
        """The one file the backend opens."""
        return next(file for file in self.files if file.role == "model")


@dataclass(frozen=True)
class Platform:
    """Variants in order of preference, and free-form figures."""

    variants: tuple[Variant, ...]
    figures: dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """One version of a model; `version` and `created` are None in a draft, `enrolment` is the task verify's alone."""

    schema: int
    model: str
    version: int | None
    created: str | None
    least_runtime: str
    task: str
    labels: tuple[str, ...]
    frontend: dict[str, Any]
    max_seconds: float
    platforms: dict[str, Platform]
    golden: File | None
    lineage: dict[str, Any]
    rejected: dict[str, tuple[str, ...]]
    enrolment: dict[str, Any] | None

    def files(self) -> Iterator[File]:
        """Every file, golden vectors last; a name that comes twice has the same content."""
        for platform in self.platforms.values():
            for variant in platform.variants:
                yield from variant.files
        if self.golden:
            yield self.golden


def loads(data: bytes | str, place: str = "manifest") -> Manifest:
    """A manifest from JSON text."""
    return parse(checks.document(data, place), place)


def read(path: Path) -> Manifest:
    """A manifest from a file."""
    try:
        return loads(path.read_bytes(), path.name)
    except OSError as fault:
        raise ManifestError(str(path), fault.strerror or str(fault), "a readable manifest.json") from fault


def parse(document: object, place: str = "manifest") -> Manifest:
    """A manifest from parsed JSON; ManifestError tells the place, what was found and what is allowed."""
    schema = checks.mapping(document, place).get("schema")
    checks.one_of(SCHEMA)(schema, f"{place}.schema")  # first: another schema has other keys
    entries = checks.fields(document, place, _REQUIRED, _OPTIONAL)
    entries["max_seconds"] = entries.pop("input")["max_seconds"]
    manifest = Manifest(**entries)
    _check_whole(manifest, place)
    return manifest


def _file(value: object, place: str) -> File:
    return File(**checks.fields(value, place, {**_FILE, "role": checks.one_of(*ROLES)}, {}))


def _golden(value: object, place: str) -> File:
    return File(**checks.fields(value, place, _FILE, {}))


def _tolerance(value: object, place: str) -> Tolerance:
    distance = checks.number(0.0, 1.0)
    return Tolerance(**checks.fields(value, place, {"features": distance, "scores": distance}, {}))


def _variant(value: object, place: str) -> Variant:
    variant = Variant(
        **checks.fields(value, place, _VARIANT, {"threshold": checks.or_null(checks.number(*checks.FINITE))})
    )
    models = sum(file.role == "model" for file in variant.files)
    if models != 1:
        raise ManifestError(f"{place}.files", f"{models} files with the role model", "exactly one")
    return variant


def _platform(value: object, place: str) -> Platform:
    required = {"variants": checks.list_of(_variant, least=1)}
    return Platform(**checks.fields(value, place, required, {"figures": _free_form}))


def _frontend(value: object, place: str) -> dict[str, Any]:
    """An object with a kind; the settings are checked by `frontend.build`, which needs numpy."""
    spec = checks.mapping(value, place)
    checks.text(spec.get("kind"), f"{place}.kind")
    return spec


def _input(value: object, place: str) -> dict[str, float]:
    return checks.fields(value, place, {"max_seconds": checks.number(0.01, 36_000.0)}, {})


def _free_form(value: object, place: str) -> dict[str, Any]:
    return {} if value is None else checks.mapping(value, place)


def _rejected(value: object, place: str) -> dict[str, tuple[str, ...]]:
    return {} if value is None else checks.mapping_of(checks.list_of(checks.text))(value, place)


def _check_whole(manifest: Manifest, place: str) -> None:
    """What no single field can tell."""
    _once(manifest.labels, f"{place}.labels")
    rules.check_labels(manifest.task, manifest.labels, f"{place}.labels")
    rules.check_enrolment(manifest.task, manifest.enrolment, f"{place}.enrolment")
    if not manifest.platforms:
        raise ManifestError(f"{place}.platforms", "none", "at least one platform")
    contents: dict[str, str] = {}
    for file in manifest.files():
        if contents.setdefault(file.name, file.sha256) != file.sha256:
            raise ManifestError(f"{place}.platforms", f"two contents named {file.name}", "one content a file name")
    for name, platform in manifest.platforms.items():
        _once([variant.name for variant in platform.variants], f"{place}.platforms.{name}.variants")
        for variant in platform.variants:
            at = f"{place}.platforms.{name}.variants.{variant.name}.threshold"
            rules.check_threshold(manifest.task, manifest.labels, variant.threshold, at)


def _once(names: tuple[str, ...] | list[str], place: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ManifestError(place, f"{twice[0]} twice", "each name once")


_FILE: dict[str, checks.Check[Any]] = {
    "name": checks.file_name,
    "bytes": checks.whole(1, checks.LARGEST_FILE),
    "sha256": checks.sha256,
}
_VARIANT: dict[str, checks.Check[Any]] = {
    "name": checks.name,
    "backend": checks.name,
    "precision": checks.name,
    "files": checks.list_of(_file, least=1),
    "tolerance": _tolerance,
}
_REQUIRED: dict[str, checks.Check[Any]] = {
    "schema": checks.one_of(SCHEMA),
    "model": checks.name,
    "least_runtime": checks.release,
    "task": checks.one_of(*TASKS),
    "labels": checks.list_of(checks.text),
    "frontend": _frontend,
    "input": _input,
    "platforms": checks.mapping_of(_platform),
}
_OPTIONAL: dict[str, checks.Check[Any]] = {
    "version": checks.or_null(checks.whole(1, 10**9)),
    "created": checks.or_null(checks.matching(MOMENT, "a moment such as 2026-11-20T22:00:00Z")),
    "golden": checks.or_null(_golden),
    "lineage": _free_form,
    "rejected": _rejected,
    "enrolment": checks.or_null(checks.mapping),
}
