"""Parts of dvc.lock: what one machine made, written into another machine's, each stage's entry whole."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dvc.utils.serialize import dumps_yaml, load_yaml, parse_yaml_for_update

LOCK = Path("dvc.lock")
Entries = dict[str, Any]


def read(file: Path = LOCK) -> Entries:
    """The entry of every stage that was ever made here, by the stage's name."""
    return dict(load_yaml(file).get("stages", {})) if file.is_file() else {}


def merge(entries: Mapping[str, Any], file: Path = LOCK) -> None:
    """Puts each entry in the place of the one that is there, or behind all others; None takes a stage out.

    A reader meets the lock before or after, and never half of it. Whoever calls this holds DVC's lock of the project.
    """
    empty: dict[str, Any] = {"schema": "2.0"}
    tree = parse_yaml_for_update(file.read_text(encoding="utf-8"), file) if file.is_file() else empty
    stages = tree.setdefault("stages", {})
    for name, entry in entries.items():
        if entry is None:
            stages.pop(name, None)
        elif stages.get(name) != entry:
            stages[name] = entry
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(dumps_yaml(tree), encoding="utf-8")
    partial.replace(file)
