"""Two S3 servers on 127.0.0.1, moto's and rclone's, and a wire in front of one that breaks as it is told."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

KEY, SECRET = "tester", "secret-of-tester"
BUCKET = "models"


@contextmanager
def moto() -> Iterator[str]:
    """The address of moto's server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@contextmanager
def rclone(folder: Path) -> Iterator[str]:
    """The address of `rclone serve s3` over a folder; it checks signatures."""
    port = free_port()
    program = str(Path(sys.executable).with_name("rclone"))
    process = subprocess.Popen(
        [
            program,
            "serve",
            "s3",
            "--config",
            "",
            "--auth-key",
            f"{KEY},{SECRET}",
            "--addr",
            f"127.0.0.1:{port}",
            str(folder),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing answers on port {port}")


class Wire:
    """A port that passes everything on to a server, and cuts connections after so many bytes of answers while `cuts` last."""

    def __init__(self, server: str) -> None:
        host, _, port = server.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.after, self.cuts, self.connections = 0, 0, 0
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(self._server)
            Thread(target=self._pass, args=(near, far, False), daemon=True).start()
            Thread(target=self._pass, args=(far, near, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(4096):
                passed += len(data)
                if answers and self.cuts and passed > self.after:
                    self.cuts -= 1
                    break
                target.sendall(data)
        for end in (source, target):  # the other direction ends too, and closes what it holds
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()


def client(address: str) -> Any:
    import boto3

    return boto3.session.Session().client(
        "s3", endpoint_url=address, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1"
    )


def upload(address: str, folder: Path, prefix: str = "") -> None:
    """Every file of a folder into the bucket."""
    bucket = client(address)
    if BUCKET not in [entry["Name"] for entry in bucket.list_buckets()["Buckets"]]:
        bucket.create_bucket(Bucket=BUCKET)
    for path in sorted(folder.rglob("*")):
        key = path.relative_to(folder).as_posix()
        if path.is_file() and not key.startswith("."):
            bucket.upload_file(str(path), BUCKET, prefix + key)
