"""The one Prefect task: it runs one DVC stage of one model, so that `dvc.lock` tells the truth whoever started it."""

import asyncio
import os
import signal
import sys
from typing import Any

from prefect import State, get_run_logger, task
from prefect.states import Failed
from prefect.tasks import exponential_backoff

from flows.environment import LOCKED, environment

TAIL = 12  # lines of output that a failure repeats


class LockedError(RuntimeError):
    """Another DVC command held the lock: the one failure that gets better by waiting."""


def _is_locked(_task: object, _run: object, state: State[Any]) -> bool:
    return LOCKED in str(state.message)


@task(
    name="stage",
    task_run_name="{target}",
    retries=8,
    retry_delay_seconds=exponential_backoff(backoff_factor=0.5),
    retry_jitter_factor=0.5,
    retry_condition_fn=_is_locked,
    persist_result=False,
)
async def stage(target: str, force: bool = False) -> State[Any] | str:
    """Runs `dvc repro --single-item TARGET` (`prune@keywords`, say) and shows its output as it comes.

    `force` runs it even when DVC finds it up to date. A held lock is tried again; any other failure is a fault in code
    or data, which stays one however often it runs, so the task fails at once with what the stage said last.
    """
    options = ["--single-item", "--force"] if force else ["--single-item"]
    status, lines = await _run([sys.executable, "-m", "dvc", "repro", *options, target])
    if any(LOCKED in line for line in lines) and status:
        raise LockedError(f"{target}: {LOCKED}")
    if status:
        return Failed(message=f"{target} ended with status {status}:\n" + "\n".join(lines[-TAIL:]))
    return target


async def _run(command: list[str]) -> tuple[int, list[str]]:
    """(exit status, output) of a command whose lines are logged as they come."""
    log = get_run_logger()
    pipe, joined = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(
        *command, env=environment(), stdout=pipe, stderr=joined, start_new_session=True
    )
    lines: list[str] = []
    try:
        assert process.stdout is not None
        async for raw in process.stdout:
            lines.append(raw.decode(errors="replace").rstrip())
            if lines[-1]:
                log.info(lines[-1])
        return await process.wait(), lines
    finally:
        if process.returncode is None:  # the run was cancelled: DVC, its shell and the training under it end with it
            os.killpg(process.pid, signal.SIGTERM)
            await process.wait()
