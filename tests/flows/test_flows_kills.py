"""A deployed run, its worker and its server are killed outright, or a run is cancelled: no stage is left over, and the next run
goes on from there and ends right."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.servers import asked, free_port
from flows import serve

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
PATIENCE = 120  # seconds
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class Night:
    """A Prefect server and a worker of its pool, standing in a project."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log, self.api = port, log, f"http://127.0.0.1:{port}/api"
        self.server = self.worker = None

    server: subprocess.Popen[bytes] | None
    worker: subprocess.Popen[bytes] | None

    def start_server(self) -> None:
        """Until it answers."""
        self.server = self._begin("server", "start", "--host", "127.0.0.1", "--port", str(self.port))
        serve._wait(f"{self.api}/health", self.server)

    def start_worker(self) -> None:
        """It looks for work every second."""
        self.worker = self._begin("worker", "start", "--pool", "pianissimo")

    def kill(self) -> None:
        """The process that the worker made for a run, not the stage and its guard."""
        assert self.worker
        children = psutil.Process(self.worker.pid).children(recursive=True)
        own = [one for one in children if " -m prefect" in " ".join(one.cmdline())]
        assert own
        for one in own:
            one.kill()

    def kill_worker(self) -> None:
        """The worker alone: what it started is not told."""
        assert self.worker
        self.worker.kill()
        self.worker.wait()

    def kill_server(self) -> None:
        """The server and the processes it is made of."""
        assert self.server
        _kill(self.server)

    def revive(self) -> None:
        """What is gone comes again, as a supervisor would have it; a worker gives up by itself when its server stays away."""
        if self.server is None or self.server.poll() is not None:
            self.start_server()
        if self.worker is None or self.worker.poll() is not None:
            self.start_worker()

    def run(self) -> str:
        """Asks for keywords; the run's id."""
        place = self._asked("GET", "deployments/name/one-model/one-model")["id"]
        asked = {"parameters": {"model": "keywords"}, "state": {"type": "SCHEDULED"}}
        return str(self._asked("POST", f"deployments/{place}/create_flow_run", asked)["id"])

    def cancel(self, run: str) -> None:
        """What the page's button does."""
        state = {"state": {"type": "CANCELLING", "name": "Cancelling"}}
        self._asked("POST", f"flow_runs/{run}/set_state", state)

    def ended(self, run: str) -> tuple[str, str]:
        """(state, message) of a run once it is over."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            state = self._asked("GET", f"flow_runs/{run}")["state"]
            if state["type"] in OVER:
                break
            time.sleep(0.2)
        return state["type"], str(state["message"])

    def stop(self) -> None:
        """Leaves nothing."""
        for process in (self.worker, self.server):
            if process is not None and process.poll() is None:
                _kill(process)

    def _asked(self, method: str, path: str, body: Any = None) -> Any:
        return asked(method, f"{self.api}/{path}", body, patience=PATIENCE)

    def _begin(self, *words: str) -> subprocess.Popen[bytes]:
        with open(self.log, "ab") as log:
            return subprocess.Popen([sys.executable, "-m", "prefect", *words], stdout=log, stderr=log)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With all that it started."""
    for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        one.kill()
    process.wait()


@pytest.fixture
def night(done: Any, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """Everything deployed as `make schedule` does it, for a worker in the project in miniature."""
    (done.folder / "flows").symlink_to(project / "flows")
    made = Night(free_port(), tmp_path / "log")
    for name, value in {
        "PREFECT_HOME": str(tmp_path / "prefect"), "PYTHONPATH": str(project), "PREFECT_API_URL": made.api,
        "PIANISSIMO_HOME": str(done.folder), "PREFECT_WORKER_QUERY_SECONDS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    try:
        made.start_server()
        subprocess.run([sys.executable, "-m", "flows.schedule"], cwd=project, check=True, capture_output=True)
        made.start_worker()
        yield made
    finally:
        made.stop()


def test_killed_and_cancelled(night: Night, done: Any, pulse: Callable[..., Any]) -> None:
    """A run's process by SIGKILL, then a run by the page's button: beside one server, since it takes long to start."""
    for number, (what, ends) in enumerate({"killed": "CRASHED", "cancelled": "CANCELLED"}.items()):
        done.change("keywords.train", {"epochs": 3 + number})
        training = pulse(done, "train@keywords")
        run = night.run()
        assert training.begun(PATIENCE), what
        night.kill() if what == "killed" else night.cancel(run)
        assert training.ended(), f"{what}: a stage outlived its run"
        training.release()
        assert night.ended(run)[0] == ends
        before = done.runs()
        state, message = night.ended(night.run())
        assert state == "COMPLETED", f"{what}: {message}"
        made = done.runs()[len(before) :]
        assert made[0] == "train@keywords", f"{what}: it goes on where it was"
        assert len(set(made)) == len(made)
        assert done.manifest("keywords").is_file()


@pytest.mark.parametrize("what", ["worker", "server"])
def test_the_next_run_ends_right_after_a_kill(night: Night, done: Any, pulse: Callable[..., Any], what: str) -> None:
    """Of the worker or the server: the run may crash with it or go on, but nothing is left running, and nothing is lost."""
    done.change("keywords.train", {"epochs": 3})
    training, before = pulse(done, "train@keywords"), len(done.runs())
    run = night.run()
    assert training.begun(PATIENCE)
    night.kill_worker() if what == "worker" else night.kill_server()
    night.revive()
    training.release()
    assert night.ended(run)[0] in OVER
    assert training.ended(), "a stage outlived its run"
    state, message = night.ended(night.run())
    assert state == "COMPLETED", message
    made = done.runs()[before:]
    assert made[0] == "train@keywords"
    assert len(set(made[1:])) == len(made[1:]), "what was made before the kill is not made again"
    assert done.manifest("keywords").is_file()
