"""Every model, side by side within a limit: one model's failure never stops another."""

import asyncio
from typing import Any

from prefect import State, flow
from prefect.states import Failed

from flows.optimize import optimize
from flows.stage import stage
from flows.telling import tell
from flows.together import together


@flow(name="fleet", flow_run_name="fleet of {models}", persist_result=False)
async def fleet(
    models: list[str], shared: list[str], at_once: int = 2, again_from: str | None = None
) -> State[Any] | dict[str, str]:
    """Runs the stages that models share, then `optimize` for each of `models`, at most `at_once` at a time, and tells what
    came of it.

    The result is why each failed model did, by name; with any, the flow's state is Failed and carries the same.
    """
    for target in shared:
        ended = await stage(target, return_state=True)  # type: ignore[misc]  # Prefect types it as if it were not async
        if not ended.is_completed():
            why = dict.fromkeys(models, str(ended.message))
            return Failed(message=str(ended.message), data=why)
    places = asyncio.Semaphore(at_once)

    async def one(model: str) -> tuple[str, State[Any]]:
        async with places:
            return model, await optimize(model, again_from, return_state=True)

    states = dict(await together(one(model) for model in models))
    failures = {model: str(state.message) for model, state in states.items() if not state.is_completed()}
    await tell(models, failures, return_state=True)  # type: ignore[misc]  # a page that cannot be made fails by itself
    if failures:
        return Failed(message="; ".join(f"{model}: {why}" for model, why in failures.items()), data=failures)
    return failures
