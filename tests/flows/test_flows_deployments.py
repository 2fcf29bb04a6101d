"""What prefect.yaml promises: every deployment can be loaded, says what it is, and offers choices that are explained."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import models
from flows import serve
from frameworks.recipe import STAGES

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
NAMES = ["nightly", "one-model", "sweep", "revalidate", "audit", "many-machines", "errand"]


@pytest.fixture(scope="module")
def deployments(project: Path) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        made = [asyncio.run(serve.deployment(entry)) for entry in serve.entries(Path("prefect.yaml"))]
    return {one.name: one for one in made}


def test_all_are_there_and_described(deployments: dict[str, Any]) -> None:
    assert list(deployments) == NAMES
    for one in deployments.values():
        assert one.description
        assert "pianissimo" in one.tags
        limit = None if one.name == "errand" else 1  # its clones are as many as its workers
        assert one.concurrency_limit == limit, "two runs in one clone would wait for each other's locks"


def test_what_runs_by_itself_has_its_hour(deployments: dict[str, Any]) -> None:
    hours = {name: [one.schedule.cron for one in made.schedules or []] for name, made in deployments.items()}
    by_hand: dict[str, list[str]] = {name: [] for name in ("one-model", "sweep", "many-machines", "errand")}
    assert hours == {"nightly": ["0 2 * * *"], "revalidate": ["0 12 * * *"], "audit": ["0 6 * * 0"], **by_hand}


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_explained(deployments: dict[str, Any], name: str) -> None:
    known = deployments[name]._parameter_openapi_schema.properties
    assert known
    assert [key for key, field in known.items() if not field.get("description")] == []


def test_a_model_and_a_stage_are_chosen_from_lists(deployments: dict[str, Any]) -> None:
    known = deployments["one-model"]._parameter_openapi_schema.properties
    assert known["model"]["enum"] == models.names()
    (stages,) = [one["enum"] for one in known["again_from"]["anyOf"] if "enum" in one]
    assert tuple(stages) == STAGES
    (only,) = [
        one for one in deployments["nightly"]._parameter_openapi_schema.properties["only"]["anyOf"] if "items" in one
    ]
    assert only["items"]["enum"] == models.names()


def test_a_server_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended:
        returncode = 3

        def poll(self) -> int:
            return 3

    with pytest.raises(SystemExit, match=r"ended with status 3; another port may do: PIANISSIMO_PORT=4300"):
        serve._wait("http://127.0.0.1:1/api/health", Ended())  # type: ignore[arg-type]


def test_a_server_takes_them_all_with_their_pool(harness: str, project: Path, tmp_path: Path) -> None:
    """What `make schedule` does."""
    env = {**os.environ, "PREFECT_API_URL": harness, "PIANISSIMO_HOME": str(tmp_path)}
    for _ in range(2):  # again changes nothing
        done = subprocess.run(
            [sys.executable, "-m", "flows.schedule"], cwd=project, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    async def read() -> tuple[dict[str, Any], list[str]]:
        from prefect.client.orchestration import get_client
        from prefect.client.schemas.sorting import DeploymentSort

        async with get_client() as client:
            found = {
                one.name: one for one in await client.read_deployments(limit=50, offset=0, sort=DeploymentSort.NAME_ASC)
            }
            place = {"id": str(found["nightly"].id)}
            await client.request(
                "POST", "/deployments/{id}/schedule", path_params=place
            )  # what the server does each minute
            asked = {"deployments": {"id": {"any_": [place["id"]]}}, "limit": 5}
            runs = (await client.request("POST", "/flow_runs/filter", json=asked)).json()
            return found, [run["state"]["type"] for run in runs]

    known, runs = asyncio.run(read())
    assert runs
    assert set(runs) == {"SCHEDULED"}, "what has an hour is run at it"
    assert set(known) >= set(NAMES)
    nightly = known["nightly"]
    assert nightly.work_pool_name == "pianissimo"
    assert nightly.entrypoint == "flows/nightly.py:nightly"
    assert nightly.pull_steps == [{"prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}]
    assert [one.schedule.cron for one in nightly.schedules] == ["0 2 * * *"]
    assert known["one-model"].parameter_openapi_schema["properties"]["model"]["enum"] == models.names()
    assert nightly.concurrency_options.collision_strategy == "ENQUEUE"
    errand = known["errand"]
    assert errand.work_pool_name == "pianissimo-models"
    assert [list(step.values()) for step in errand.pull_steps] == [
        [{"directory": "{{ $PIANISSIMO_HOME }}"}],
        [{"commit": "{{ $PIANISSIMO_COMMIT }}"}],
    ], "each worker says where it stands, and each errand for which commit"
