"""The Prefect task for what is no DVC stage: a module of this project run as a command, which is tried again like a stage."""

import sys
from typing import Any

from prefect import State, task
from prefect.states import Failed
from prefect.tasks import exponential_backoff

from flows import passing, process

LIMIT = 7200.0  # seconds


@task(
    name="tool",
    task_run_name="{name}",
    retries=5,
    retry_delay_seconds=exponential_backoff(backoff_factor=1),
    retry_jitter_factor=0.5,
    retry_condition_fn=passing.is_passing,
    persist_result=False,
)
async def tool(name: str, module: str, *arguments: str) -> State[Any] | str:
    """Runs `python -m MODULE ARGUMENTS...`; fails with its last words when it does, or after two hours."""
    try:
        status, lines = await process.run([sys.executable, "-m", module, *arguments], LIMIT)
    except TimeoutError:
        return Failed(message=f"{name} was stopped after {LIMIT:.0f} s, its limit of time")
    if not status:
        return name
    if sign := passing.found(lines):
        raise passing.PassingError(f"{name}: {sign}")
    return Failed(message=f"{name} ended with status {status}:\n{process.tail(lines)}")


async def carry(name: str, *words: str) -> State[Any]:
    """What became of `python -m flows.carry WORDS...`."""
    return await tool(name, "flows.carry", *words, return_state=True)  # type: ignore[misc, no-any-return]
