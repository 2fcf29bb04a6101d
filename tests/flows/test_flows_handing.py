"""An errand is given out again when its worker is lost, and only then."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Completed, Crashed, Failed, Pending, Running, Scheduled

from flows import bounds, handing

LOCK = {"train@keywords": {"cmd": "python work.py"}}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was given out; each worker ends as `ends` says."""
    runs: list[dict[str, Any]] = []

    @asynccontextmanager
    async def client() -> AsyncIterator[None]:
        yield

    async def take(errand: dict[str, Any]) -> Any:
        runs.append(errand)
        return SimpleNamespace(id=len(runs))

    async def nothing(*_: object) -> None:
        return None

    async def answered(_client: object, run: int) -> dict[str, Any]:
        return {"run": run, **LOCK}

    monkeypatch.setattr(handing, "get_client", client)
    monkeypatch.setattr(handing, "_given", take)
    monkeypatch.setattr(handing, "_at_work", nothing)
    monkeypatch.setattr(handing, "_answer", answered)
    monkeypatch.setattr(handing, "get_run_logger", lambda: SimpleNamespace(warning=lambda _: None))
    return runs


def ends(monkeypatch: pytest.MonkeyPatch, *states: Any) -> tuple[Any, dict[str, Any]]:
    async def ended(_client: object, run: int) -> Any:
        return states[run - 1]

    monkeypatch.setattr(handing, "_ended", ended)
    return asyncio.run(handing.handed("keywords", ["train@keywords"], "abc", {}))


def test_a_lost_worker_s_errand_is_given_out_again(given: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    state, entries = ends(monkeypatch, Crashed(message="gone"), Completed())
    assert state.is_completed()
    assert entries["run"] == 2, "the answer of the worker that ended, not of the lost one"
    assert given == [{"what": "keywords", "targets": ["train@keywords"], "commit": "abc", "given": {}}] * 2


def test_it_is_not_given_out_for_ever(given: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    state, _ = ends(monkeypatch, *[Crashed(message="gone")] * 9)
    assert state.is_crashed()
    assert len(given) == bounds.ATTEMPTS


@pytest.mark.parametrize("state", [Failed(message="rejected by the gate: edge"), Cancelled(message="by hand")])
def test_what_failed_is_final_and_what_was_made_is_kept(
    given: list[Any], monkeypatch: pytest.MonkeyPatch, state: Any
) -> None:
    found, entries = ends(monkeypatch, state)
    assert found.message == state.message
    assert "train@keywords" in entries
    assert len(given) == 1


def test_an_errand_that_goes_on_is_not_given_again(given: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def going_on(*_: object) -> Any:
        return SimpleNamespace(id=1)

    monkeypatch.setattr(handing, "_at_work", going_on)
    state, _ = ends(monkeypatch, Completed())
    assert state.is_completed()
    assert given == []


def test_without_a_deployment_it_says_what_registers_it(given: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(_errand: object) -> None:
        raise ObjectNotFound(http_exc=Exception("404"))

    monkeypatch.setattr(handing, "_given", unknown)
    state, entries = ends(monkeypatch)
    assert state.message == "no deployment errand/errand on this server: make schedule registers it"
    assert entries == {}


@pytest.mark.parametrize(
    ("state", "limit", "becomes", "said"),
    [
        (Running(), 8 * 15.0, "CRASHED", "no sign of life for 120 s"),
        (Pending(), 900.0, "CRASHED", "no sign of life for 900 s"),
        (Scheduled(), 900.0, "FAILED", "no worker of the pool pianissimo-models for 900 s; make work starts one"),
    ],
    ids=["at work", "taken and not begun", "not taken"],
)
def test_what_gives_no_sign_counts_as_lost_when_its_time_is_over(state: Any, limit: float, becomes: str, said: str) -> None:
    run = FlowRun.model_construct(state=state, work_pool_name="pianissimo-models")
    assert handing._overdue(run, limit - 1) is None
    late = handing._overdue(run, limit)
    assert late
    assert (late.type.value, late.message) == (becomes, said)


def test_a_coordinator_that_looks_late_does_not_blame_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look comes an hour after the one before; the worker gives a sign between any two of them, then ends."""
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    looks = [FlowRun.model_construct(state=Running(), updated=moment) for _ in range(bounds.SILENCE - 1)]
    looks.append(FlowRun.model_construct(state=Completed(), updated=moment))
    clock = iter(range(0, 10**6, 3600))

    class Client:
        async def read_flow_run(self, _run: object) -> FlowRun:
            return looks.pop(0)

    async def at_once(_seconds: float) -> None:
        return None

    monkeypatch.setattr(handing.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(handing.asyncio, "sleep", at_once)
    state = asyncio.run(handing._ended(Client(), 1))  # type: ignore[arg-type]
    assert state.is_completed()


class Errands:
    """Stands in for the workers: every errand ends at once, as `fails` says, and answers with its entries."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: str = "") -> None:
        from flows import far

        self.given: list[tuple[str, set[str]]] = []
        self.fails = fails

        async def took(*_: object) -> Any:
            return Completed()

        monkeypatch.setattr(far, "handed", self.handed)
        monkeypatch.setattr(far, "carry", took)
        self.run = far.Run("abc", {"keywords": ["runtime", "corpus@tones"], "genre": ["runtime", "corpus@tones"]})

    async def handed(self, what: str, targets: list[str], _commit: str, given: dict[str, Any]) -> tuple[Any, Any]:
        self.given.append((what, set(given)))
        await asyncio.sleep(0)
        state = Failed(message="the disk is full") if what == self.fails else Completed()
        return state, {} if what == self.fails else dict.fromkeys(targets, "made")

    def models(self) -> list[str]:
        async def both() -> list[str]:
            return await asyncio.gather(self.run.model("keywords"), self.run.model("genre"))

        return asyncio.run(both())


def test_what_models_share_is_given_out_once_and_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    errands = Errands(monkeypatch)
    assert errands.models() == ["", ""]
    assert sorted(what for what, _ in errands.given[:2]) == ["corpus@tones", "runtime"]
    assert errands.given[2:] == [("keywords", {"runtime", "corpus@tones"}), ("genre", {"runtime", "corpus@tones"})]


def test_what_stands_is_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    errands = Errands(monkeypatch)
    errands.run.held = {"code": "1", "runtime": "2", "corpus@tones": "3", "train@genre": "4", "train@keywords": "5"}
    errands.models()
    assert [what for what, _ in errands.given] == ["keywords", "genre"]
    assert errands.given[0][1] == {"code", "runtime", "corpus@tones", "train@keywords"}, "its own, and what it shares"


def test_a_shared_stage_that_fails_is_every_models_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    errands = Errands(monkeypatch, fails="corpus@tones")
    assert errands.models() == ["the disk is full", "the disk is full"]
    assert sorted(what for what, _ in errands.given) == ["corpus@tones", "runtime"]
