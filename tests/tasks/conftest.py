"""Changed recipes, for the tests of stages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML


@pytest.fixture
def edited(prepared: Any, tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """`edited({"gate.platforms.edge.max_bytes": 1})` is the smoke recipe so changed; its registry is a fresh folder."""

    def change(changes: dict[str, Any]) -> Path:
        yaml = YAML(typ="safe")
        tree = yaml.load(prepared.params.read_text(encoding="utf-8"))
        for place, value in {"publish.registry": str(tmp_path / "registry"), **changes}.items():
            *parts, last = place.split(".")
            node = tree["models"]["keywords"]
            for part in parts:
                node = node[part]
            node[last] = value
        file = tmp_path / "edited.yaml"
        file.write_text(json.dumps(tree), encoding="utf-8")  # JSON is YAML
        return file

    return change


@pytest.fixture(scope="session")
def tree() -> Callable[[Path], dict[str, bytes]]:
    """Every file under a folder, by its path."""

    def read(root: Path) -> dict[str, bytes]:
        return {
            path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
        }

    return read
