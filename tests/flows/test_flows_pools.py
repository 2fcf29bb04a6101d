"""Pool templates: Prefect's own schema holds, what is set in them is known there, and every type of worker has one.

Only workers of type process can be run here (test_flows_far.py does); the others' templates are checked against the schema
that Prefect ships for them.
"""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from flows import pools
from flows.pools.__main__ import main

KINDS = ("docker", "ecs", "kubernetes", "process")


def own(kind: str) -> dict[str, Any]:
    return dict(YAML(typ="safe").load((pools.FOLDER / f"{kind}.yaml").read_text()))


def test_there_is_one_for_each_type() -> None:
    assert pools.types() == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_what_the_schema_allows(kind: str) -> None:
    schema = {"type": "object", **pools.template(kind)["variables"]}
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(own(kind), schema)


@pytest.mark.parametrize("kind", KINDS)
def test_only_defaults_differ_from_prefects_own(kind: str) -> None:
    made, shipped = pools.template(kind), pools.shipped(kind)
    assert made["job_configuration"] == shipped["job_configuration"]
    for name, value in own(kind).items():
        assert made["variables"]["properties"][name].pop("default") == value
        shipped["variables"]["properties"][name].pop("default", None)
    assert made == shipped


@pytest.mark.parametrize("kind", KINDS)
def test_every_variable_that_is_set_reaches_the_job(kind: str) -> None:
    used = set(re.findall(r"\{\{ (\w+) \}\}", json.dumps(pools.template(kind)["job_configuration"])))
    assert set(own(kind)) <= used


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "process"])
def test_a_container_knows_where_its_clone_is(kind: str) -> None:
    text = (pools.FOLDER.parents[1] / "containers/worker.Dockerfile").read_text()
    assert f"PIANISSIMO_HOME={own(kind)['env']['PIANISSIMO_HOME']} " in text


def test_an_unknown_type_or_variable_is_told_with_what_is_known(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["podman"]) == 2
    assert "no pool type 'podman'; there is: docker, ecs, kubernetes, process" in capsys.readouterr().err
    (tmp_path / "docker.yaml").write_text("picture: worker\n")
    monkeypatch.setattr(pools, "FOLDER", tmp_path)
    with pytest.raises(pools.PoolError, match="no variable 'picture'; Prefect's template has: command, env"):
        pools.template("docker")


def test_an_image_is_set_where_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kubernetes", "--image", "house/worker:7", "--print"]) == 0
    assert json.loads(capsys.readouterr().out)["variables"]["properties"]["image"]["default"] == "house/worker:7"
    assert main(["process", "--image", "house/worker:7", "--print"]) == 2
    assert "a process worker runs no image" in capsys.readouterr().err


def test_without_a_server_it_says_what_to_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert main(["process"]) == 2
    assert "PREFECT_API_URL names no server" in capsys.readouterr().err


def test_a_server_takes_it_and_takes_it_again(
    harness: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", harness)
    for _ in range(2):
        assert main(["process"]) == 0
        assert "pianissimo-models: for process workers" in capsys.readouterr().out
    assert main(["docker"]) == 0
    assert "is there, for process workers; prefect work-pool delete" in capsys.readouterr().out
