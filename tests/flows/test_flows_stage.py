"""One stage as a Prefect task: a held lock is waited for, a fault is told at once, and what was started ends with it."""

from __future__ import annotations

import asyncio
import logging
import signal as signals
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flows.conftest import SECONDS

pytestmark = [
    pytest.mark.usefixtures("harness"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def quick() -> Any:
    """The task as it is, but for the time between attempts."""
    from flows.stage import stage

    return stage.with_options(retry_delay_seconds=0)


def test_a_held_lock_is_tried_again(done: Any, quick: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is DVC's own, held here until the first attempt has met it."""
    import zc.lockfile

    from flows import process

    run, lock, attempts = process.run, zc.lockfile.LockFile(str(done.folder / ".dvc/tmp/lock")), []

    async def watched(arguments: list[str], seconds: float) -> tuple[int, list[str]]:
        attempts.append(await run(arguments, seconds))
        lock.close()
        return attempts[-1]

    monkeypatch.setattr(process, "run", watched)
    done.change("keywords.train", {"epochs": 3})
    try:
        state = asyncio.run(quick("train@keywords", return_state=True))
    finally:
        lock.close()
    assert state.is_completed()
    assert [status == 0 for status, _ in attempts] == [False, True]
    assert done.runs() == ["train@keywords"]


def test_what_every_model_knows_of_its_stages_is_written_whole(done: Any, quick: Any) -> None:
    """dvc.lock is another file afterwards, put in the old one's place: DVC's own way empties it first."""
    lock = done.folder / "dvc.lock"
    with lock.open() as before:
        done.change("keywords.train", {"epochs": 3})
        assert asyncio.run(quick("train@keywords", return_state=True)).is_completed()
        assert "epochs: 3" in lock.read_text()
        assert "epochs: 3" not in before.read(), "whoever reads it meanwhile reads all of it"
    assert list(done.folder.glob(".dvc/tmp/dvc.lock*")) == []


def test_a_lock_that_stays_held_fails_at_last(done: Any, quick: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dvc.lock import FAILED_TO_LOCK_MESSAGE

    attempts = []

    async def held(arguments: list[str], seconds: float) -> tuple[int, list[str]]:
        attempts.append(arguments)
        return 255, [f"ERROR: {FAILED_TO_LOCK_MESSAGE}"]

    monkeypatch.setattr("flows.process.run", held)
    state = asyncio.run(quick.with_options(retries=2)("train@keywords", return_state=True))
    assert state.is_failed()
    assert "train@keywords: Unable to acquire lock" in state.message
    assert len(attempts) == 3


def test_a_fault_is_told_with_its_last_words_and_not_tried_again(done: Any, quick: Any) -> None:
    done.fault("train@keywords", "\n".join(f"line {n}" for n in range(40)))
    done.change("keywords.train", {"epochs": 3})
    state = asyncio.run(quick("train@keywords", return_state=True))
    assert state.is_failed()
    assert state.message.startswith("train@keywords ended with status 255:\n")
    assert "line 39" in state.message
    assert "line 1\n" not in state.message
    assert "failed to reproduce 'train@keywords'" in state.message
    assert done.runs() == ["train@keywords"]


def test_an_unknown_stage_is_a_fault(done: Any, quick: Any) -> None:
    state = asyncio.run(quick("melt@keywords", return_state=True))
    assert state.is_failed()
    assert "melt@keywords" in state.message


def test_what_is_up_to_date_runs_only_when_forced(done: Any, quick: Any) -> None:
    assert asyncio.run(quick("gate@sirens")) == "gate@sirens"
    assert done.runs() == []
    assert asyncio.run(quick("gate@sirens", force=True)) == "gate@sirens"
    assert done.runs() == ["gate@sirens"]


def test_its_output_is_logged_as_it_comes(done: Any, quick: Any, caplog: pytest.LogCaptureFixture) -> None:
    done.change("keywords.gate.platforms.edge.floor", 70.0)
    with caplog.at_level(logging.INFO, logger="prefect.task_runs"):
        asyncio.run(quick("gate@keywords"))
    assert "this is gate of keywords" in caplog.messages


def test_a_cancelled_stage_takes_what_it_started_with_it(done: Any, quick: Any, pulse: Callable[..., Any]) -> None:
    done.change("keywords.train", {"epochs": 3})
    training = pulse(done, "train@keywords")

    async def cancelled() -> None:
        running = asyncio.ensure_future(quick("train@keywords"))
        assert await asyncio.to_thread(training.begun)
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(cancelled())
    assert training.ended()


@pytest.mark.parametrize("signal", [signals.SIGINT, signals.SIGTERM, signals.SIGKILL], ids=lambda one: one.name)
def test_a_command_that_is_stopped_leaves_nothing_running(
    done: Any, pulse: Callable[..., Any], python: Callable[..., subprocess.Popen[str]], signal: signals.Signals
) -> None:
    done.change("keywords.train", {"epochs": 3})
    training = pulse(done, "train@keywords")
    process = python("-m", "flows", "keywords")
    assert training.begun()
    process.send_signal(signal)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode != 0, out + err
    assert training.ended(), out + err
    assert not Path("artifacts/keywords/train/record.json").exists()
    if signal != signals.SIGKILL:
        assert err.splitlines()[-1].startswith(f"stopped by {signal.name}: what was made so far stays")
        assert process.returncode == 128 + signal


# Sends itself SIGTERM once the training runs and the test says `go`: in a callback of the event loop, in a task nobody waits
# for, or from outside it.
UNLUCKY = """
import asyncio, os, signal, sys, threading
from flows import __main__, process

async def hit():
    os.kill(os.getpid(), signal.SIGTERM)

def look():
    loop = asyncio.get_running_loop()
    if not os.path.exists("go"):
        loop.call_later(0.05, look)
    elif sys.argv[1] == "callback":
        os.kill(os.getpid(), signal.SIGTERM)
    elif sys.argv[1] == "task":
        kept.append(loop.create_task(hit()))
    else:
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()

async def begun(*command, **options):
    started = await begin(*command, **options)
    if "train@keywords" in command:
        asyncio.get_running_loop().call_soon(look)
    return started

kept = []
begin, asyncio.create_subprocess_exec = asyncio.create_subprocess_exec, begun
sys.exit(__main__.main(["keywords"]))
"""


@pytest.mark.parametrize("moment", ["callback", "task", "waiting"])
def test_a_signal_ends_the_run_whatever_it_was_doing(
    done: Any, pulse: Callable[..., Any], python: Callable[..., subprocess.Popen[str]], moment: str
) -> None:
    done.change("keywords.train", {"epochs": 3})
    training = pulse(done, "train@keywords")
    process = python("-c", UNLUCKY, moment)
    assert training.begun()
    Path("go").touch()
    out, err = process.communicate(timeout=SECONDS)
    assert training.ended(), out + err
    assert process.returncode == 128 + signals.SIGTERM, out + err
    assert err.splitlines()[-1].startswith("stopped by SIGTERM: what was made so far stays")


def test_a_stage_over_its_time_is_ended_and_told(
    done: Any, quick: Any, pulse: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import bounds

    monkeypatch.setitem(bounds.SECONDS, "train", 10.0)
    done.change("keywords.train", {"epochs": 3})
    training = pulse(done, "train@keywords")
    state = asyncio.run(quick("train@keywords", return_state=True))
    assert state.is_failed()
    assert "train@keywords was stopped after 10 s, its limit of time" in state.message
    assert training.begun()
    assert training.ended()
    assert done.runs() == ["train@keywords"]


def test_a_faltering_network_is_tried_again_and_a_fault_beside_it_is_not(
    done: Any, quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = iter(["botocore: Could not connect to the endpoint URL", "ValueError: no such layer"])
    attempts = []

    async def failing(arguments: list[str], seconds: float) -> tuple[int, list[str]]:
        attempts.append(arguments)
        return 255, [next(words)]

    monkeypatch.setattr("flows.process.run", failing)
    state = asyncio.run(quick("publish@keywords", return_state=True))
    assert state.is_failed()
    assert "no such layer" in state.message
    assert len(attempts) == 2


def test_a_list_of_locks_that_a_kill_tore_is_thrown_away(done: Any, quick: Any) -> None:
    done.change("keywords.train", {"epochs": 3})
    (done.folder / ".dvc/tmp/rwlock").write_text('{"write": {"/some')
    state = asyncio.run(quick("train@keywords", return_state=True))
    assert state.is_completed(), state.message
    assert done.runs() == ["train@keywords"]
