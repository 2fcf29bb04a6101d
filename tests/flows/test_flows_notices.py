"""Who is told: a rejected model's own words arrive where PIANISSIMO_NOTICES says, by a server that nobody clicked on."""

from __future__ import annotations

import asyncio
import json
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.servers import free_port
from flows import doctor, notices, serve

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
# What a worker does for a deployment: the run is there, with its tags, before the flow begins.
RUN = """
import asyncio
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow_async
from flows.nightly import one_model

async def main():
    async with get_client() as client:
        made = await client.create_flow_run(one_model, parameters={"model": "keywords"}, tags=["pianissimo", "training"])
    await run_flow_async(one_model, made, {"model": "keywords"}, return_type="state")

asyncio.run(main())
"""


def _deliver_again(api: str) -> None:
    """What a server does whose database was busy while it looked at an event: it looks at the event again.

    One that is sent twice it knows by its id, so here the id is another.
    """
    wanted = {"filter": {"event": {"name": ["prefect.flow-run.Failed"]}}}
    deadline = time.monotonic() + 60  # an event is stored after it was acted on
    while not (events := httpx.post(f"{api}/events/filter", json=wanted, timeout=30).raise_for_status().json()["events"]):
        assert time.monotonic() < deadline, "the server keeps no event of the failed run"
        time.sleep(0.2)
    again = [{**event, "id": str(uuid.uuid4())} for event in events]
    httpx.post(f"{api}/events", json=again, timeout=30).raise_for_status()


@pytest.fixture
def received() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """(address, what arrived there)."""
    arrived: queue.Queue[dict[str, Any]] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook/secret", arrived
        server.shutdown()


def test_a_rejected_model_is_told_once_in_the_gates_words(
    done: Any, project: Path, received: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, arrived = received
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.setenv(notices.ADDRESS, address)
    done.change("keywords.gate.platforms.edge.floor", 95.0)
    register = [sys.executable, "-m", "flows.notices"]
    with serve.server(free_port()) as api:
        monkeypatch.setenv("PREFECT_API_URL", api)
        for _ in range(2):  # again changes nothing
            said = subprocess.run(register, cwd=project, capture_output=True, text=True, check=True).stdout
        assert "notices go to http://127.0.0.1\n" in said, "the address of a webhook is its password"
        ran = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        notice = arrived.get(timeout=60)
        assert notice["subject"] == "one-model failed: keywords"
        assert "keywords: rejected by the gate: edge: int8: 90.00 %, wanted 95 %" in notice["body"]
        assert notice["text"] == f"{notice['subject']}\n{notice['body']}"
        _deliver_again(api)
        with pytest.raises(queue.Empty):
            arrived.get(timeout=3)


@pytest.mark.usefixtures("harness")
def test_without_an_address_nothing_is_made_and_doctor_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.delenv(notices.ADDRESS, raising=False)
    told, lost = asyncio.run(notices.register())
    assert told == "pianissimo, told: not made, PIANISSIMO_NOTICES names no address"
    assert lost.startswith("pianissimo, lost: A run of which nothing was heard")
    (finding,) = doctor._notices()
    assert finding.fine is None
    assert "go nowhere" in finding.found


@pytest.mark.parametrize(
    ("place", "fine"), [("https://hooks.example/T0/secret", True), ("slack-webhook/on-call", True), ("on call", False)]
)
def test_doctor_knows_an_address(place: str, fine: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(notices.ADDRESS, place)
    (finding,) = doctor._notices()
    assert finding.fine is fine
    assert "secret" not in finding.found
