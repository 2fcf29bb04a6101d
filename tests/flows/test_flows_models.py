"""Models side by side: each ends as its own gate says, and the command tells it in one table and one exit status."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from flows import __main__ as command
from flows import stale
from frameworks.recipe import STAGES

pytestmark = [
    pytest.mark.usefixtures("harness", "both_known"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]
WORDS = "rejected by the gate: edge: int8: 90.00 %, wanted 95 %"


def ended(flow: Any, *arguments: Any) -> tuple[Any, dict[str, Any]]:
    """(the flow's state, the states of the flows it ran by name)."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.client.schemas.sorting import FlowRunSort

    async def run() -> tuple[Any, dict[str, Any]]:
        state = await flow(*arguments, return_state=True)
        parent = {"parent_flow_run_id": {"any_": [state.state_details.flow_run_id]}}
        async with get_client() as client:
            runs = await client.read_flow_runs(
                flow_run_filter=FlowRunFilter.model_validate(parent), sort=FlowRunSort.NAME_ASC, limit=20
            )
        return state, {run.name: run.state for run in runs}

    return asyncio.run(run())


def test_one_rejected_and_the_other_published(fresh: Any) -> None:
    from flows.fleet import fleet

    fresh.change("keywords.gate.platforms.edge.floor", 95.0)
    state, models = ended(fleet, ["keywords", "sirens"], ["runtime", "corpus@tones"], 2)
    assert state.is_failed()
    assert asyncio.run(state.aresult(raise_on_failure=False)) == {"keywords": WORDS}
    assert (models["optimize keywords"].name, models["optimize keywords"].message) == ("Failed", WORDS)
    assert models["optimize sirens"].is_completed()
    assert not fresh.manifest("keywords").exists()
    assert fresh.manifest("sirens").is_file()
    runs = fresh.runs()
    assert sorted(runs[:2]) == ["corpus@tones", "runtime@wheel"]
    for model in ("keywords", "sirens"):
        assert [run for run in runs if run.endswith(f"@{model}")] == [f"{stage}@{model}" for stage in STAGES]
    assert stale.stale() == set()


def test_a_stage_that_fails_stops_its_model_alone(done: Any, capsys: pytest.CaptureFixture[str]) -> None:
    done.fault("prune@keywords", "the third layer is not there")
    done.change("keywords.prune", {"channels": 0.5})
    done.change("sirens.prune", {"channels": 0.5})
    assert command.main([]) == 1
    shown = capsys.readouterr()
    assert "prune@keywords ended with status" in shown.err
    assert "the third layer is not there" in shown.err
    assert "1 of 2 models passed" in shown.out
    assert done.runs().count("prune@keywords") == 1
    assert "quantize@keywords" not in done.runs()
    assert "prune@sirens" in done.runs()


def test_a_shared_stage_that_fails_is_every_models_reason(fresh: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fresh.fault("runtime@wheel", "no compiler")
    assert command.main([]) == 1
    shown = capsys.readouterr()
    for model in ("keywords", "sirens"):
        assert f"{model}: runtime ended with status" in shown.err
    assert "no compiler" in shown.err
    assert "0 of 2 models passed" in shown.out
    assert fresh.runs() == ["runtime@wheel"]


def test_a_rejected_model_is_told_in_the_table_too(done: Any, capsys: pytest.CaptureFixture[str]) -> None:
    done.change("keywords.gate.platforms.edge.floor", 95.0)
    assert command.main(["keywords"]) == 1
    shown = capsys.readouterr()
    assert f"keywords: {WORDS}" in shown.err
    assert "rejected" in shown.out
    assert "0 of 1 models passed" in shown.out
    assert not any(run.endswith("sirens") for run in done.runs())
    # Nothing to do now, and still rejected.
    assert command.main(["keywords"]) == 1
    assert "Nothing changed since the last run" in capsys.readouterr().out


def test_a_registry_deleted_by_hand_is_filled_again(done: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(done.folder / "artifacts/registry")
    assert command.main(["keywords"]) == 0
    assert "1 of 1 models passed" in capsys.readouterr().out
    assert done.manifest("keywords").is_file()
    assert done.runs() == ["publish@keywords"]


def test_a_registry_that_cannot_be_filled_again_is_told(done: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(done.folder / "artifacts/registry")
    done.fault("publish@keywords", "the disk is full")
    assert command.main(["keywords"]) == 1
    assert "the disk is full" in capsys.readouterr().err
    assert done.runs() == ["publish@keywords"]


@pytest.mark.parametrize(
    ("changes", "words", "said"),
    [
        ({}, ["nothing"], "no model 'nothing' in models/; there is: keywords"),
        (
            {"keywords.prune": {"channel": 0.5}},
            ["keywords"],
            "models.keywords.prune.channel: unknown key; allowed here",
        ),
        ({"keywords.prepare.corpus": "nowhere"}, [], "nowhere: keywords wants a corpus that is not here"),
    ],
    ids=["unknown model", "bad recipe", "no corpus"],
)
def test_a_command_that_cannot_be_followed(
    fresh: Any, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], words: list[str], said: str
) -> None:
    for place, value in changes.items():
        fresh.change(place, value)
    assert command.main(words) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""
    assert fresh.runs() == []


def test_without_a_params_file(fresh: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("params.yaml").unlink()
    assert command.main([]) == 2
    assert "params.yaml: no such file" in capsys.readouterr().err
