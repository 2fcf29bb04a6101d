"""The runtime's README names what there is: commands, switches, errors, extras and modules, and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pianissimo as pp
import pytest
from pianissimo.__main__ import COMMANDS
from pianissimo.switches import Switches

RUNTIME = Path(__file__).resolve().parents[2] / "runtime"
SOURCE = RUNTIME / "src" / "pianissimo"


@pytest.fixture(scope="module")
def readme() -> str:
    return (RUNTIME / "README.md").read_text(encoding="utf-8")


def first_cells(readme: str, heading: str) -> list[str]:
    """What stands in backticks first in each row of a section's tables."""
    section = readme.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)


def test_commands(readme: str) -> None:
    assert [row.split()[0] for row in first_cells(readme, "The command")] == list(COMMANDS)


def test_errors(readme: str) -> None:
    raised = {name for name in dir(pp) if name.endswith("Error")} - {"PianissimoError"}
    assert set(first_cells(readme, "Errors")) == raised


def test_extras(readme: str) -> None:
    project = (RUNTIME / "pyproject.toml").read_text(encoding="utf-8")
    offered = re.findall(r"^(\w+) = \[", project.split("optional-dependencies]\n")[1].split("\n[")[0], re.MULTILINE)
    assert {row.strip("[]") for row in first_cells(readme, "Install")} == set(offered)


def test_switches(readme: str) -> None:
    rows = first_cells(readme, "Switches")
    assert {row for row in rows if row.islower()} == {each.name for each in fields(Switches)}
    read = {
        name for path in SOURCE.rglob("*.py") for name in re.findall(r'"(PIANISSIMO_[A-Z_]+[A-Z])"', path.read_text())
    }
    asked = {name for path in SOURCE.rglob("*.py") for name in re.findall(r'asked\.\w+\("(\w+)"', path.read_text())}
    assert {row for row in rows if row.isupper()} == read | {f"PIANISSIMO_{name.upper()}" for name in asked}


def test_modules(readme: str) -> None:
    told = readme.split("## What is in it")[1]
    modules = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"}
    assert sorted(name for name in modules if not re.search(rf"\b{name}\b", told)) == []
    assert sorted(name for name in re.findall(r"(\w+)\.py\b", told) if name not in modules) == []
