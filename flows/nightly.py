"""What runs by itself or is started by hand: every model that is stale, or one of them."""

import asyncio
from typing import Any

from prefect import State, flow
from prefect.states import Completed, Failed

from flows import stale
from flows.choices import AtOnce, Choice, Stage
from flows.fleet import fleet
from flows.stopping import heard
from tasks import report


@flow(name="nightly", flow_run_name="every stale model", persist_result=False)
async def nightly(only: list[Choice] | None = None, at_once: AtOnce = 2) -> State[Any]:
    """Brings every model up to date and publishes what passes its gate; does nothing where nothing changed.

    Args:
        only: These models alone; leave it empty for all of params.yaml.
        at_once: How many models go side by side. Trainings at once on a machine are limited apart from that.
    """
    async with heard():
        names: list[str] = list(only or []) or await asyncio.to_thread(stale.listed)
        return await _run(names, at_once, None)


@flow(name="one-model", flow_run_name="{model}", persist_result=False)
async def one_model(model: Choice, again_from: Stage | None = None) -> State[Any]:
    """Takes one model through its stages and publishes it if it passes its gate.

    Args:
        model: Which model.
        again_from: Run this stage and all after it again, even if nothing changed. Empty: only what is stale.
    """
    async with heard():
        return await _run([model], 1, again_from)


async def _run(names: list[str], at_once: int, again_from: str | None) -> State[Any]:
    """Fails with each model's reason, those included that were rejected before and have not changed since."""
    shared = await asyncio.to_thread(stale.needed, names)
    busy, shared = await asyncio.to_thread(stale.busy, names, shared)
    busy = names if again_from else busy
    failures: dict[str, str] = {}
    if busy or shared:
        ended = await fleet(busy, shared, at_once, again_from, return_state=True)
        found = await ended.aresult(raise_on_failure=False)
        failures = found if isinstance(found, dict) else dict.fromkeys(busy or names, str(ended.message))
    return summed(names, busy, failures)


def summed(names: list[str], busy: list[str], failures: dict[str, str]) -> State[Any]:
    """The state in which a run of these models ends, of which `busy` had something to do."""
    for name in names:
        if name not in failures and (reasons := report.reasons(name)):
            failures[name] = "rejected by the gate: " + "; ".join(reasons)
    if failures:
        return Failed(message="; ".join(f"{name}: {why}" for name, why in failures.items()))
    return Completed(message=f"{len(names)} of {len(names)} models passed, {len(busy)} of them had something to do")
