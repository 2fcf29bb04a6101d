"""The flows that are deployed: what is up to date costs nothing, what was rejected stays told, and what drifted is."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from frameworks.recipe import STAGES

pytestmark = [
    pytest.mark.usefixtures("harness", "both_known"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]
WORDS = "keywords: rejected by the gate: edge: int8: 90.00 %, wanted 95 %"


def ended(flow: Any, *arguments: Any) -> Any:
    return asyncio.run(flow(*arguments, return_state=True))


def artifact(key: str) -> str:
    """What was left in Prefect to read, the newest of this key."""
    from prefect.client.orchestration import get_client

    async def read() -> str:
        async with get_client() as client:
            found = await client.request("GET", "/artifacts/{key}/latest", path_params={"key": key})
            return str(found.json()["data"])

    return asyncio.run(read())


def test_every_model_is_made_and_told(fresh: Any) -> None:
    from flows.nightly import nightly

    state = ended(nightly)
    assert state.is_completed(), state.message
    assert state.message == "2 of 2 models passed, 2 of them had something to do"
    assert fresh.manifest("sirens").is_file()
    page = Path("artifacts/report/index.html").read_text()
    assert 'id="sirens"' in page
    assert {row["verdict"] for row in json.loads(artifact("models"))} == {"passed"}
    assert artifact("card-keywords") == "# keywords"
    assert "index.html" in artifact("report")


def test_up_to_date_runs_nothing_and_a_rejection_stays_told(done: Any) -> None:
    from flows.nightly import nightly, one_model

    state = ended(nightly)
    assert state.message == "2 of 2 models passed, 0 of them had something to do"
    assert done.runs() == []
    done.change("keywords.gate.platforms.edge.floor", 95.0)
    for _ in range(2):  # the second time nothing is left to do
        state = ended(one_model, "keywords")
        assert state.is_failed()
        assert state.message == WORDS
    assert done.runs() == ["gate@keywords", "publish@keywords"]


def test_one_model_again_from_a_stage_on(done: Any) -> None:
    from flows.nightly import one_model

    assert ended(one_model, "sirens", "convert").is_completed()
    assert done.runs() == [f"{stage}@sirens" for stage in STAGES[STAGES.index("convert") :]]


def measured(monkeypatch: pytest.MonkeyPatch, drifted: dict[str, list[str]]) -> None:
    """`tasks.revalidate` answers so, without a model to load."""
    from flows import process

    run = process.run

    async def answered(command: list[str], seconds: float) -> tuple[int, list[str]]:
        if "tasks.revalidate" not in command:
            return await run(command, seconds)
        name, dest = command[3], Path(command[5])
        dest.mkdir(parents=True)
        facts = {"platforms": {"edge": {"score": 80.0}}, "drifted": drifted.get(name, [])}
        (dest / "record.json").write_text(json.dumps({"stage": "revalidate", "model": name, "facts": facts}))
        return 0, []

    monkeypatch.setattr(process, "run", answered)


def test_what_drifted_is_named_with_its_figures(done: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.revalidate import revalidate

    measured(monkeypatch, {"sirens": ["edge: int8: version 1 scored 90.00 % when it was published and 80.00 % now"]})
    state = ended(revalidate)
    assert state.is_failed()
    assert (
        state.message == "sirens: drifted: edge: int8: version 1 scored 90.00 % when it was published and 80.00 % now"
    )
    assert [row["model"] for row in json.loads(artifact("drift"))] == ["keywords", "sirens"]


def test_what_did_not_drift_is_fine(done: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.revalidate import revalidate

    measured(monkeypatch, {})
    assert ended(revalidate, ["keywords"]).message == "1 models are as they were"


def test_a_registry_that_lost_a_byte_fails_its_audit(done: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny's registry holds no whole version, so that the audit finds that out."""
    from flows.audit import audit

    monkeypatch.setenv("PYTHONPATH", str(project))
    state = ended(audit)
    assert state.is_failed()
    assert "audit artifacts/registry ended with status 1" in state.message
    assert "manifest.json" in state.message
    (done.folder / "empty").mkdir()
    assert ended(audit, "empty").message == "empty: everything is whole"
