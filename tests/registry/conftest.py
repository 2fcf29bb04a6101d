"""A draft without a real network: publishing looks at bytes only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Draft = tuple[dict[str, Any], dict[str, Path]]


@pytest.fixture
def draft(tmp_path: Path) -> Callable[..., Draft]:
    """`draft(b"weights")` gives a manifest and its files; other weights are other content."""

    def make(weights: bytes = b"weights", **changes: Any) -> Draft:
        folder = tmp_path / "build" / hashlib.sha256(weights).hexdigest()[:8]
        folder.mkdir(parents=True, exist_ok=True)
        entries, files = {}, {}
        for name, data in {"edge/model.tflite": weights, "mcu/model.cc": b"source", "golden.npz": b"golden"}.items():
            files[name] = folder / name.replace("/", "-")
            files[name].write_bytes(data)
            entries[name] = {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        variant = {
            "name": "int8",
            "backend": "tflite",
            "precision": "int8",
            "threshold": None,
            "files": [{**entries["edge/model.tflite"], "role": "model"}, {**entries["mcu/model.cc"], "role": "source"}],
            "tolerance": {"features": 1e-4, "scores": 1e-5},
        }
        manifest = {
            "schema": 1,
            "model": "keywords",
            "version": None,
            "created": None,
            "least_runtime": "0.1.0",
            "task": "classify",
            "labels": ["yes", "no"],
            "frontend": {"kind": "log_mel"},
            "input": {"max_seconds": 30.0},
            "platforms": {"edge": {"variants": [variant], "figures": {"milliseconds": 0.4}}},
            "golden": entries["golden.npz"],
            "lineage": {"commit": "abc"},
            "rejected": {},
        }
        return {**manifest, **changes}, files

    return make


def tree(root: Path) -> dict[str, bytes]:
    """Every file of a registry by its path, without what changes with the clock."""
    import re

    moment = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    return {
        path.relative_to(root).as_posix(): moment.sub(b"(moment)", path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(name="tree")
def tree_fixture() -> Callable[[Path], dict[str, bytes]]:
    return tree
