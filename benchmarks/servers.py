"""What starting a server of one's own on 127.0.0.1 takes, for benchmarks and for the tests that kill such servers."""

import socket
import time
from typing import Any

import httpx


def free_port() -> int:
    """One that nothing listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def asked(method: str, url: str, body: Any = None, *, patience: float) -> Any:
    """What a Prefect server answers, read from JSON; while its database is busy it is asked again, as Prefect's own client
    does, for so many seconds. Raises httpx.HTTPError."""
    deadline = time.monotonic() + patience
    while True:
        answer = httpx.request(method, url, json=body, timeout=60)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
            return answer.raise_for_status().json()
        time.sleep(0.5)
