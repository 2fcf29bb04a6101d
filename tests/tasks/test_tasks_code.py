"""The lists of modules that stages depend on: a change reaches just the stages it can, a comment none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from frameworks import FRAMEWORKS
from frameworks.recipe import STAGES
from tasks import code

PARTS = ("corpora", "frameworks", "models", "registry", "tasks")
Lists = dict[str, str]


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Lists:
    dest = tmp_path_factory.mktemp("code")
    code.write(dest)
    return contents(dest)


def contents(dest: Path) -> Lists:
    return {str(file.relative_to(dest)): file.read_text() for file in dest.rglob("*.txt")}


@pytest.fixture(scope="module")
def changed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], set[str]]:
    """`changed("frameworks/keras/prune.py", "X = 1")`: which lists differ once a line is added to a copy of the code."""
    copy = tmp_path_factory.mktemp("copy")
    for part in PARTS:
        shutil.copytree(project / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(project / "runtime/src/pianissimo", copy / "pianissimo")

    def made() -> Lists:
        command = [sys.executable, "-m", "tasks.code", "lists"]
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True)
        return contents(copy / "lists")

    before = made()

    def change(file: str, line: str) -> set[str]:
        place = copy / file.removeprefix("runtime/src/")
        text = place.read_text()
        place.write_text(text + f"\n{line}\n")
        after = made()
        place.write_text(text)
        assert after.keys() == before.keys()
        return {name.removesuffix(".txt") for name in after if after[name] != before[name]}

    return change


def test_there_is_a_list_for_every_stage_and_framework_and_generated_corpus(lists: Lists, project: Path) -> None:
    generated = YAML(typ="safe").load((project / "params.yaml").read_text(encoding="utf-8"))["corpora"]
    wanted = {f"{framework}/{stage}.txt" for framework in FRAMEWORKS for stage in STAGES}
    assert lists.keys() >= wanted | {f"corpora/{name}.txt" for name in generated}
    for name in wanted:
        assert f"  tasks.{Path(name).stem}\n" in lists[name]


def test_a_framework_reaches_its_own_stages_alone(changed: Callable[[str, str], set[str]]) -> None:
    assert changed("frameworks/keras/prune.py", "ADDED = 1") == {"keras/prune"}


def test_what_all_stages_share_reaches_all_that_use_it(changed: Callable[[str, str], set[str]]) -> None:
    found = changed("runtime/src/pianissimo/frontend/mel.py", "ADDED = 1")
    assert found >= {f"{framework}/{stage}" for framework in FRAMEWORKS for stage in ("prepare", "train", "validate")}
    assert not {name for name in found if name.startswith("corpora/")}


def test_a_comment_and_a_docstring_reach_nothing(changed: Callable[[str, str], set[str]]) -> None:
    assert changed("frameworks/keras/train.py", "# why") == set()


def test_a_corpus_reaches_itself(changed: Callable[[str, str], set[str]]) -> None:
    assert changed("corpora/generated_speech/words.py", "ADDED = 1") == {"corpora/generated_speech"}
