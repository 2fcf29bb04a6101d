"""dvc.yaml says what the code does: every stage, its sources in order, and code files that exist."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import models
from frameworks import FRAMEWORKS
from frameworks.recipe import STAGES
from tasks import code

PRODUCED = ("data/", "artifacts/")


@pytest.fixture(scope="module")
def tables(project: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The stages of dvc.yaml, and params.yaml."""
    yaml = YAML(typ="safe")
    stages, settings = (yaml.load((project / name).read_text(encoding="utf-8")) for name in ("dvc.yaml", "params.yaml"))
    return stages["stages"], settings


def filled(text: str, model: str, settings: dict[str, Any]) -> str:
    """`text` with ${key} and ${item…} as DVC puts them in."""
    item = settings["models"][model]
    return (
        text.replace("${key}", model)
        .replace("${item.framework}", item["framework"])
        .replace("${item.prepare.corpus}", item["prepare"]["corpus"])
    )


def test_params_and_models_are_the_same_list(tables: Any) -> None:
    assert sorted(tables[1]["models"]) == models.names()


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_there_for_every_model(tables: Any, stage: str) -> None:
    assert tables[0][stage]["foreach"] == "${models}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_command_gives_each_source_its_folder(tables: Any, stage: str) -> None:
    words = tables[0][stage]["do"]["cmd"].split()
    assert words[:4] == ["python", "-m", f"tasks.{stage}", "${key}"]
    *sources, dest = [word for word in words[4:] if not word.startswith("--")]
    names = list(inspect.signature(importlib.import_module(f"tasks.{stage}").run).parameters)[1:]
    assert len(sources) == len(names)
    for name, source in zip(names, sources, strict=True):
        assert name in source or (name, source) == ("corpus", "${item.prepare.corpus}"), (name, source)
    assert dest == ("data/${key}" if stage == "prepare" else f"artifacts/${{key}}/{stage}")


@pytest.mark.parametrize("stage", STAGES)
def test_every_code_file_a_stage_depends_on_exists(tables: Any, project: Path, stage: str) -> None:
    stages, settings = tables
    for model in models.names():
        places = [filled(dep, model, settings) for dep in stages[stage]["do"]["deps"]]
        absent = [place for place in places if not place.startswith(PRODUCED) and not (project / place).exists()]
        assert absent == []
        assert f"artifacts/code/{settings['models'][model]['framework']}/{stage}.txt" in places
        assert (f"models/{model}.py" in places) == (stage != "publish")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_its_own_section(tables: Any, stage: str) -> None:
    assert f"models.${{key}}.{stage}" in tables[0][stage]["do"]["params"]


def test_only_validate_measures(project: Path, tmp_path: Path) -> None:
    """The test split stays closed elsewhere: no other stage reaches the code that measures on it."""
    code.write(tmp_path)
    for framework in FRAMEWORKS:
        lists = {stage: (tmp_path / framework / f"{stage}.txt").read_text() for stage in STAGES}
        assert [stage for stage in STAGES if "frameworks.proof.platform\n" in lists[stage]] == ["validate"]
