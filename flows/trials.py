"""The flow that tries settings of one model and ends with the best: the Pareto front of score, bytes and latency.

Nothing of the project changes: each trial has a folder of its own and ends before publishing. Trials share DVC's cache, so
that what was made once is never made again: not by another trial, not by the sweep run again after it was killed, and not
by the project when it takes a trial's settings over.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from prefect import State, flow
from prefect.artifacts import acreate_link_artifact, acreate_table_artifact
from prefect.states import Completed, Failed
from pydantic import Field

import models
from corpora import CorpusError
from flows import settings as wishes
from flows import stale, trial
from flows.choices import AtOnce, Choice
from flows.settings import Settings
from flows.stage import stage
from flows.stopping import heard
from flows.together import together
from flows.tool import tool
from frameworks import metrics
from frameworks.params import RecipeError
from frameworks.recipe import STAGES
from tasks import front, race, records, report
from tasks.page import trials as page

FOLDER = report.ARTIFACTS / "sweep"
LAST = "gate"
Grid = Annotated[dict[str, list[Any]], Field(examples=[{"prune.channels": [0.2, 0.4]}])]


@flow(name="sweep", flow_run_name="sweep {model}", persist_result=False)
async def sweep(
    model: Choice, grid: Grid | None = None, listed: list[dict[str, Any]] | None = None, at_once: AtOnce = 2
) -> State[Any]:
    """Tries settings of one model, and ends with those that no other beats in score, bytes and latency together.

    Args:
        model: Which model.
        grid: Settings and their values, every combination of which is tried: {"prune.channels": [0.2, 0.4], "seed": [1, 2]}.
        listed: Single combinations to try beside them: [{"prune.channels": 0.5, "prune.sparsity": 0.3}].
        at_once: How many trials go side by side. Trainings at once on a machine are limited apart from that.
    """
    try:
        wanted = await asyncio.to_thread(wishes.trials, model, grid or {}, listed or [])
        await asyncio.to_thread(stale.needed, [model])
    except (RecipeError, models.ModelError, CorpusError) as error:
        return Failed(message=str(error))
    async with heard():
        kept = FOLDER / model / "files"
        shutil.rmtree(FOLDER / model, ignore_errors=True)  # what an earlier sweep found; DVC's cache has all that it made
        found = await _tried(model, wanted, at_once, kept)
        found, slow = await _timed(model, found, kept)
        place = await _told(model, found)
    passed = sum(one.state == "passed" for one in found)
    words = f"{passed} of {len(found)} trials passed; {place}" + (f"; each was timed by itself: {slow}" if slow else "")
    return Completed(message=words) if passed else Failed(message=words)


async def _tried(model: str, wanted: Sequence[Settings], at_once: int, kept: Path) -> list[front.Trial]:
    """What became of each; one that fails never stops another."""
    cache = await asyncio.to_thread(stale.cache)
    ends = _ends(wanted)
    places = asyncio.Semaphore(at_once)
    turns: dict[str, asyncio.Lock] = {}
    made: set[str] = set()

    async def one(number: int, chosen: Settings) -> front.Trial:
        async with places, trial.folder() as place:
            try:
                await asyncio.to_thread(trial.lay_out, place, model, chosen, cache)
                if why := await made_up_to_the_last(place, number, chosen):
                    return front.Trial(number, chosen, "failed", why)
                return await asyncio.to_thread(trial.outcome, place, model, number, chosen, kept / str(number))
            except (OSError, subprocess.CalledProcessError, records.RecordError) as error:  # a full disk, say
                return front.Trial(number, chosen, "failed", str(error))

    async def made_up_to_the_last(place: Path, number: int, chosen: Settings) -> str:
        """Why it failed, empty when it did not. Trials that agree so far take turns: one makes it, the others find it made."""
        for end in ends:
            same = _shared(chosen, end)
            async with turns.setdefault(same, asyncio.Lock()):
                if same in made and end != LAST:
                    continue
                run = stage.with_options(task_run_name=_name(number, end, chosen))
                ended = await run(f"{end}@{model}", folder=str(place), return_state=True)  # type: ignore[misc]
            if not ended.is_completed():
                return str(ended.message)
            made.add(same)
        return ""

    return await together(one(number, chosen) for number, chosen in enumerate(wanted))


def _ends(wanted: Sequence[Settings]) -> list[str]:
    """Where trials part: the stages before each that is swept, and the last."""
    swept = {STAGES.index(_stage(key)) for chosen in wanted for key in chosen}
    return [STAGES[at - 1] for at in sorted(swept) if at] + [LAST]


def _shared(chosen: Settings, end: str) -> str:
    """Equal for trials that make the same up to the stage `end`."""
    return (
        f"{end} {sorted((key, repr(v)) for key, v in chosen.items() if STAGES.index(_stage(key)) <= STAGES.index(end))}"
    )


def _name(number: int, end: str, chosen: Settings) -> str:
    """Of a task; Prefect would fill in what stands in braces."""
    return f"{number}: {end}, {front.said(chosen)}".replace("{", "{{").replace("}", "}}")


def _stage(key: str) -> str:
    first = key.partition(".")[0]
    return "prepare" if first == "seed" else first


async def _timed(model: str, found: list[front.Trial], kept: Path) -> tuple[list[front.Trial], str]:
    """The trials with latencies that were taken in turn, or as they are and why those could not be taken."""
    if not any(one.forms for one in found):
        return found, ""
    ended = await tool(f"time {model}", "tasks.race", str(kept), return_state=True)  # type: ignore[misc]
    if not ended.is_completed():
        return found, str(ended.message)
    taken = records.read_json(kept / race.FILE)
    return [
        replace(one, forms=tuple(
            replace(form, ms=taken[str(one.number)][f"{form.platform} {form.name}"]) for form in one.forms
        ))
        for one in found
    ], ""  # fmt: skip


async def _told(model: str, found: list[front.Trial]) -> Path:
    """Leaves the page, and the table in Prefect; answers where the page is."""
    known = models.load(model)
    better = metrics.choose(known.metric).better
    front.write(FOLDER / model, model, found)
    place = page.write(known, found, FOLDER / model)
    key = f"sweep-{model.replace('_', '-')}"
    words = (
        f"Trials of {model}, by {known.metric} on validation; take one over: {front.taking(model, {'KEY': 'VALUE'})}"
    )
    await acreate_table_artifact(front.rows(found, better), key=key, description=words)
    await acreate_link_artifact(place.resolve().as_uri(), link_text=f"The trials of {model}", key=f"{key}-page")
    return place
