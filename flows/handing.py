"""Errands given to the workers of a pool, watched to their end, and given out again when a worker is lost."""

import asyncio
import json
import time
from typing import Any
from uuid import UUID

from prefect import State, get_run_logger
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Cancelling, Crashed, Failed

from flows import bounds
from flows.errand import ANSWER
from flows.standing import COMMIT

NAME = "errand/errand"
OPEN = {"type": {"any_": ["SCHEDULED", "PENDING", "RUNNING"]}}


async def handed(what: str, targets: list[str], commit: str, given: dict[str, Any]) -> tuple[State[Any], dict[str, Any]]:
    """(how it ended, its part of dvc.lock) of an errand. A lost worker's is given out again, a failed one never."""
    errand = {"what": what, "targets": targets, "commit": commit, "given": given}
    async with get_client() as client:
        for left in reversed(range(bounds.ATTEMPTS)):
            try:
                run = await _at_work(client, what, commit) or await _given(errand)
            except ObjectNotFound:
                return Failed(message=f"no deployment {NAME} on this server: make schedule registers it"), {}
            state = await _ended(client, run.id)
            if not state.is_crashed() or not left:
                break
            get_run_logger().warning(f"{what}: its worker was lost ({state.message}); it is given out again")
        return state, await _answer(client, run.id)


async def recall(flow: object, flow_run: FlowRun, state: object) -> None:  # noqa: ARG001  # as Prefect calls it
    """Cancels what a run has given out, when it is cancelled itself."""
    children = {"parent_flow_run_id": {"any_": [flow_run.id]}, "state": OPEN}
    async with get_client() as client:
        for child in await _runs(client, children):
            ended: State[Any] = Cancelling() if child.state and child.state.is_running() else Cancelled()
            await client.set_flow_run_state(child.id, ended)


async def _given(errand: dict[str, Any]) -> FlowRun:
    variables = {f"env.{COMMIT}": errand["commit"]}
    return await arun_deployment(NAME, parameters=errand, timeout=0, tags=["pianissimo"], job_variables=variables)


async def _at_work(client: PrefectClient, what: str, commit: str) -> FlowRun | None:
    """The same errand, if an earlier run gave it and was lost itself: what is at work is not begun twice."""
    same = (run for run in await _runs(client, {"state": OPEN}, NAME.rpartition("/")[2])
            if (run.parameters["what"], run.parameters["commit"]) == (what, commit))  # fmt: skip
    return next(same, None)


async def _runs(client: PrefectClient, wanted: dict[str, Any], deployment: str = "") -> list[FlowRun]:
    of = DeploymentFilter.model_validate({"name": {"any_": [deployment]}}) if deployment else None
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter.model_validate(wanted), deployment_filter=of, sort=FlowRunSort.NAME_ASC, limit=200
    )


async def _ended(client: PrefectClient, run: UUID) -> State[Any]:
    """The state it ends in. One that gives no sign of life is Crashed; one that no worker is there to take fails."""
    sign, quiet, looked = object(), 0.0, time.monotonic()
    while True:
        found = await client.read_flow_run(run)
        if found.state and found.state.is_final():
            return found.state
        latest, now = await _sign(client, found), time.monotonic()
        # A look that comes late tells of this machine, not of the worker's: it counts as one in time.
        quiet = quiet + min(now - looked, bounds.beat()) if latest and latest == sign else 0.0
        sign, looked = latest, now
        if why := _overdue(found, quiet):
            await client.set_flow_run_state(run, why, force=True)
        await asyncio.sleep(bounds.beat() / 2)


async def _sign(client: PrefectClient, run: FlowRun) -> object:
    """What changes while all is well; None where there is nothing to wait for but a free worker."""
    if not run.state or not run.state.is_scheduled():
        return run.updated
    workers = await client.read_workers_for_work_pool(str(run.work_pool_name), offset=0, limit=200)
    return "no worker" if all(one.status != "ONLINE" for one in workers) else None


def _overdue(run: FlowRun, quiet: float) -> State[Any] | None:
    """What a run counts as of which nothing was seen for so many seconds."""
    running, taken = run.state and run.state.is_running(), run.state and not run.state.is_scheduled()
    if quiet < (bounds.SILENCE * bounds.beat() if running else bounds.UNTAKEN):
        return None
    if taken:
        return Crashed(message=f"no sign of life for {quiet:.0f} s")
    return Failed(message=f"no worker of the pool {run.work_pool_name} for {quiet:.0f} s; make work starts one")


async def _answer(client: PrefectClient, run: UUID) -> dict[str, Any]:
    wanted = {"flow_run_id": {"any_": [str(run)]}, "type": {"any_": [ANSWER]}}
    asked = {"artifacts": wanted, "sort": "CREATED_DESC", "limit": 1}  # client.read_artifacts asks in a way that is refused
    found = (await client.request("POST", "/artifacts/filter", json=asked)).json()
    return dict(json.loads(found[0]["data"])) if found else {}
