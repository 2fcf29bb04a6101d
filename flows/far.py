"""Every stale model on the workers of a pool: given out, watched, and put together into one dvc.lock."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prefect import State, flow
from prefect.states import Failed

from flows import stale, standing
from flows.choices import Choice
from flows.handing import handed, recall
from flows.nightly import summed
from flows.stopping import heard
from flows.telling import tell
from flows.together import together
from flows.tool import carry

Entries = dict[str, Any]


@flow(name="many-machines", flow_run_name="every stale model, on workers", on_cancellation=[recall], persist_result=False)
async def many_machines(only: list[Choice] | None = None) -> State[Any]:
    """Gives every stale model to a worker, and what several need to one of them first; ends with the dvc.lock of one machine.

    Args:
        only: These models alone; leave it empty for all of params.yaml.
    """
    names: list[str] = list(only or []) or await asyncio.to_thread(stale.listed)
    try:
        commit = await asyncio.to_thread(standing.commit)
        await asyncio.to_thread(standing.registries, names)
    except standing.StandingError as error:
        return Failed(message=str(error))
    async with heard():
        run = Run(commit, {name: await asyncio.to_thread(stale.needed, [name]) for name in names})
        if why := await run.plan():
            return Failed(message=why)
        busy = [name for name in names if run.is_stale(name)]
        endings = dict(zip(busy, await together(run.model(name) for name in busy), strict=True))
        failures = {name: why for name, why in endings.items() if why}
        if busy:
            await tell(busy, failures, return_state=True)  # type: ignore[misc]  # a page that cannot be made fails by itself
    return summed(names, busy, failures)


class Run:
    """One run's errands: `shared` names, by model, the stages it has in common with others."""

    def __init__(self, commit: str, shared: dict[str, list[str]]) -> None:
        self.commit, self.shared = commit, shared
        self.held: Entries = {}
        self._made: dict[str, asyncio.Task[str]] = {}
        self._taking = asyncio.Lock()

    async def plan(self) -> str:
        """Learns which entries of dvc.lock stand; answers why it cannot be learned."""
        await asyncio.to_thread(stale.stale)  # which modules a stage reaches is a stage itself, and is told here
        common = dict.fromkeys(target for targets in self.shared.values() for target in targets)
        with TemporaryDirectory() as folder:
            file = Path(folder, "held.json")
            own = [target for name in self.shared for target in stale.targets(name)]
            ended = await carry("plan", "plan", *common, *own, "--answer", str(file))
            if not ended.is_completed():
                return str(ended.message)
            self.held = json.loads(file.read_text(encoding="utf-8"))
        return ""

    def is_stale(self, name: str) -> bool:
        """Whether a model has something to do."""
        return not self.held.keys() >= {*self.shared[name], *stale.targets(name)} or not stale.is_published(name)

    async def model(self, name: str) -> str:
        """Gives a model out when all that it shares is there; answers why it failed."""
        for why in await asyncio.gather(*(self._once(target) for target in self.shared[name])):
            if why:
                return why
        return await self._handed(name, stale.targets(name), [stale.CODE, *self.shared[name], *stale.targets(name)])

    def _once(self, target: str) -> asyncio.Task[str]:
        """A stage that models share is given out by the first that needs it; the others wait for the same."""
        if target not in self._made:
            self._made[target] = asyncio.create_task(self._stage(target))
        return self._made[target]

    async def _stage(self, target: str) -> str:
        return "" if target in self.held else await self._handed(target, [target], [stale.CODE, target])

    async def _handed(self, what: str, targets: list[str], known: Iterable[str]) -> str:
        given = {target: self.held[target] for target in known if target in self.held}
        state, entries = await handed(what, targets, self.commit, given)
        if entries and (why := await self._take(what, entries)):
            return why
        return "" if state.is_completed() else str(state.message or state.name)

    async def _take(self, what: str, entries: Entries) -> str:
        """Writes a part of dvc.lock as soon as it is there, so that a run that is lost loses none."""
        with TemporaryDirectory() as folder:
            file = Path(folder, "given.json")
            file.write_text(json.dumps(entries), encoding="utf-8")
            async with self._taking:
                ended = await carry(f"take {what}", "take", *entries, "--given", str(file))
        self.held |= entries
        return "" if ended.is_completed() else str(ended.message)
