"""`python -m flows.serve` runs a Prefect server, unless one is named, and all that prefect.yaml says, until it is stopped."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from ruamel.yaml import YAML

from flows import notices
from flows.environment import ask_prefect_quietly

HOST = "127.0.0.1"
PORT = "PIANISSIMO_PORT"  # of the server that is started here (default: 4200, or the next that is free)
FAR = "many machines"  # the tag of what one machine cannot serve
# Who runs at most once is then still known when the server comes back after a kill; in memory, its run would be ended for that.
LEASES = "prefect.server.concurrency.lease_storage.filesystem"
PATIENCE = 300.0  # seconds for a server to answer


def main() -> int:
    """Serves until it is interrupted; 2 where notices would go nowhere."""
    ask_prefect_quietly()
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the server is not left behind
    try:
        notices.address()  # before a server is started
        if os.environ.get("PREFECT_API_URL"):
            serve(Path("prefect.yaml"))
        else:
            with server(_port()) as address:
                os.environ["PREFECT_API_URL"] = address
                serve(Path("prefect.yaml"))
    except notices.NoticeError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


@contextmanager
def server(port: int) -> Iterator[str]:
    """A Prefect server on this machine alone, with Prefect's own database; yields its address once it answers."""
    address = f"http://{HOST}:{port}/api"
    env = {**os.environ, "PREFECT_UI_API_URL": address, "PREFECT_API_URL": address}
    env.setdefault("PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE", LEASES)
    command = [
        sys.executable,
        "-m",
        "prefect",
        "server",
        "start",
        "--host",
        HOST,
        "--port",
        str(port),
        "--log-level",
        "WARNING",
    ]
    process = subprocess.Popen(command, env=env)
    try:
        _wait(f"{address}/health", process)
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"Prefect's server ended with status {process.returncode}; another port may do: {PORT}=4300")
        with suppress(URLError, ConnectionError, TimeoutError), urlopen(address, timeout=2):  # noqa: S310 (our own server)
            return
        time.sleep(0.2)
    sys.exit(f"Prefect's server did not answer at {address} within {PATIENCE:.0f} s")


def _port() -> int:
    """The port that was asked for, or the first that is free from Prefect's own on."""
    if PORT in os.environ:
        return int(os.environ[PORT])
    for port in range(4200, 4300):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return port
    sys.exit(f"ports 4200 to 4299 are all taken; {PORT} names another")


def serve(file: Path) -> None:
    """Registers every deployment of `file` and carries out their runs, one process each."""
    from prefect import aserve  # takes seconds to import, which the server uses to start

    print(f"Prefect's page: {os.environ['PREFECT_API_URL'].removesuffix('/api')}; Ctrl-C ends it")

    async def served() -> None:
        print("\n".join(await notices.register()))
        await aserve(*[await deployment(entry) for entry in entries(file) if FAR not in entry["tags"]])

    asyncio.run(served())


def entries(file: Path) -> list[dict[str, Any]]:
    """The deployments that prefect.yaml names."""
    return list(YAML(typ="safe").load(file.read_text(encoding="utf-8"))["deployments"])


async def deployment(
    entry: dict[str, Any], pool: str | None = None, storage: Any = None, variables: dict[str, Any] | None = None
) -> Any:
    """One entry of prefect.yaml as a deployment: served from this folder, or for a pool whose workers find it in `storage`."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig
    from prefect.flows import load_flow_from_entrypoint
    from prefect.schedules import Cron

    when, limit = entry.get("schedule"), entry.get("concurrency_limit")
    made = await load_flow_from_entrypoint(entry["entrypoint"]).ato_deployment(
        entry["name"],
        schedule=Cron(when["cron"], timezone=when["timezone"]) if when else None,
        parameters=entry["parameters"],
        description=entry["description"],
        tags=entry["tags"],
        concurrency_limit=ConcurrencyLimitConfig(**limit) if limit else None,
        work_pool_name=pool,
        job_variables=variables,
    )
    if storage:
        made.storage = storage
        made.entrypoint = entry["entrypoint"]
    return made


if __name__ == "__main__":
    sys.exit(main())
