"""What is on `stable` against the data of today: a model that drifted is told with its figures."""

import asyncio
from pathlib import Path
from typing import Any

from prefect import State, flow
from prefect.artifacts import acreate_table_artifact
from prefect.states import Completed, Failed

from flows import stale
from flows.choices import Choice
from flows.stage import stage
from flows.stopping import heard
from flows.tool import tool
from tasks import records, report


@flow(name="revalidate", flow_run_name="what is on stable, on today's data", persist_result=False)
async def revalidate(only: list[Choice] | None = None) -> State[Any]:
    """Scores what is on stable against the corpora as they are now, and fails when a model lost more than its gate allows.

    Args:
        only: These models alone; leave it empty for all of params.yaml.
    """
    async with heard():
        names: list[str] = list(only or []) or await asyncio.to_thread(stale.listed)
        corpora = [target for target in await asyncio.to_thread(stale.needed, names) if target.startswith("corpus@")]
        faults = [why for target in corpora if (why := await _failed(stage(target, return_state=True)))]
        rows: list[dict[str, Any]] = []
        for name in names:
            why, found = await _one(name)
            faults += [f"{name}: {why}"] if why else []
            rows += [{"model": name, "platform": platform, **figures} for platform, figures in found.items()]
        if rows:
            await acreate_table_artifact(rows, key="drift", description="What is on stable, scored on the data of today.")
    return Failed(message="; ".join(faults)) if faults else Completed(message=f"{len(names)} models are as they were")


async def _one(name: str) -> tuple[str, dict[str, Any]]:
    """(why it failed or drifted, figures by platform) of one model."""
    dest = report.ARTIFACTS / name / "revalidate"
    why = await _failed(stage(f"prepare@{name}", return_state=True))
    why = why or await _failed(
        tool(f"revalidate {name}", "tasks.revalidate", name, str(Path("data", name)), str(dest), return_state=True)
    )
    if why:
        return why, {}
    facts = records.read(dest).facts
    drifted = facts["drifted"]
    return "drifted: " + "; ".join(drifted) if drifted else "", facts["platforms"]


async def _failed(running: Any) -> str:
    """What went wrong with a task, empty when nothing did."""
    state = await running
    return "" if state.is_completed() else str(state.message)
