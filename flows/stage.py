"""The one task that makes things: it runs one DVC stage, so that `dvc.lock` tells the truth whoever started it."""

from pathlib import Path
from typing import Any

from prefect import State, task
from prefect.states import Failed
from prefect.tasks import exponential_backoff

from flows import bounds, passing, process
from flows.environment import DVC


@task(
    name="stage",
    task_run_name="{target}",
    retries=8,
    retry_delay_seconds=exponential_backoff(backoff_factor=0.5),
    retry_jitter_factor=0.5,
    retry_condition_fn=passing.is_passing,
    persist_result=False,
)
async def stage(target: str, force: bool = False, remote: bool = False, folder: str = "") -> State[Any] | str:
    """Runs `dvc repro --single-item TARGET` (`prune@keywords`, say) and shows its output as it comes.

    `force` runs it even when DVC finds it up to date; with `remote` data that was not brought counts as what dvc.lock says
    (flows/carry.py brings what a stage needs); in another `folder` all that it stands on is run as well. A held lock and a
    faltering network are tried again; any other failure is a fault in code or data, which stays one however often it runs,
    so the task fails at once with what the stage said last.
    """
    place = ["--cd", folder] if folder else []
    alone = [] if folder else ["--single-item"]
    options = [*alone, *["--force"] * force, *["--allow-missing"] * remote, target]
    limit = bounds.seconds_up_to(target) if folder else bounds.seconds(target)
    try:
        async with bounds.place(target, trains=bool(folder)):
            status, lines = await process.run([*DVC, *place, "repro", *options], limit)
    except TimeoutError:
        words = f"{target} was stopped after {limit:.0f} s, its limit of time; {bounds.FACTOR} raises it on a slower machine"
        return Failed(message=words)
    if not status:
        return target
    if sign := passing.found(lines, Path(folder)):
        raise passing.PassingError(f"{target}: {sign}")
    return Failed(message=f"{target} ended with status {status}:\n{process.tail(lines)}")
