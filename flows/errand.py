"""What a worker does for another machine: one model, or one stage that models share, at the commit that machine stands at."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from prefect import State, flow, get_run_logger, runtime
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Failed

from flows import bounds, standing
from flows.optimize import optimize
from flows.stage import stage
from flows.stopping import heard
from flows.tool import carry

ANSWER = "dvc.lock"  # the artifact's type


@flow(name="errand", flow_run_name="{what}, for another machine", persist_result=False)
async def errand(what: str, targets: list[str], commit: str, given: dict[str, Any]) -> State[Any] | str:
    """Makes a model, or a shared stage, of what the DVC remote has; answers with its part of dvc.lock, whatever came of it.

    Args:
        what: A model, or a stage that models share (corpus@NAME, runtime).
        targets: The stages whose entries in dvc.lock are this errand's own.
        commit: Where this clone has to stand.
        given: The entries of dvc.lock that stand, with all they name on the DVC remote.
    """
    try:
        await asyncio.to_thread(standing.check, commit)
        if what not in targets:
            await asyncio.to_thread(standing.registries, [what])
    except standing.StandingError as error:
        return Failed(message=str(error))
    with TemporaryDirectory() as folder:
        file, known = Path(folder, "entries.json"), [*dict.fromkeys([*given, *targets])]
        file.write_text(json.dumps(given), encoding="utf-8")
        async with heard(), _alive():
            ended = await carry(f"begin {what}", "begin", *known, "--given", str(file))
            if not ended.is_completed():
                return Failed(message=str(ended.message))
            state = await (_shared(what) if what in targets else optimize(what, remote=True, return_state=True))
            ended = await carry(f"answer {what}", "own", *targets, "--answer", str(file))
            if ended.is_completed():
                await _answer(what, json.loads(file.read_text(encoding="utf-8")))
    return what if state.is_completed() else Failed(message=str(state.message))


async def _shared(target: str) -> State[Any]:
    """A stage that models share, and its way to the remote."""
    ended = await carry(f"bring {target}", "step", target)
    if ended.is_completed():
        ended = await stage(target, remote=True, return_state=True)  # type: ignore[misc]
    if ended.is_completed():
        ended = await carry(f"push {target}", "step", "--push", target)
    return ended


async def _answer(what: str, entries: dict[str, Any]) -> None:
    key = f"lock-{what.replace('@', '-').replace('_', '-')}"
    await Artifact(type=ANSWER, key=key, data=entries, description=f"dvc.lock of {what}").acreate()


@asynccontextmanager
async def _alive() -> AsyncIterator[None]:
    """Shows that this run goes on, and ends it when it was given up: another worker may have it by now."""
    main = asyncio.current_task()

    async def beat() -> None:
        run = runtime.flow_run.id
        async with get_client() as client:
            while True:
                await asyncio.sleep(bounds.beat())
                try:
                    state = (await client.read_flow_run(run)).state
                    await client.update_flow_run(run, name=runtime.flow_run.name)  # the server notes when
                except httpx.HTTPError as error:  # a server that is away
                    get_run_logger().warning(f"no sign of life was taken: {error}")
                    continue
                except ObjectNotFound:
                    state = None
                if main and (state is None or state.is_final()):
                    main.cancel()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
