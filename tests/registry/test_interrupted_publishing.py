"""A run killed at any write leaves no half version, and running it again completes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import registry
from tests.registry.mortal import Killed, Mortal, complete

Make = Callable[..., tuple[dict[str, Any], dict[str, Path]]]
Tree = Callable[[Path], dict[str, bytes]]
WRITES = 10  # three blobs, the manifest, the blobs once more, two channels, the page
ARGUMENTS: dict[str, Any] = {"channels": ["candidate", "stable"], "who": "tester", "why": "a test"}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", range(1, WRITES + 1))
def test_killed_at_every_write(tmp_path: Path, draft: Make, tree: Tree, write: int, after: bool) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    registry.publish(registry.open_store(str(whole)), *draft(), **ARGUMENTS)
    with pytest.raises(Killed):
        registry.publish(Mortal(registry.open_store(str(broken)), write, after), *draft(), **ARGUMENTS)
    complete(str(broken))
    registry.publish(registry.open_store(str(broken)), *draft(), **ARGUMENTS)
    complete(str(broken))
    assert tree(broken) == tree(whole)


def test_there_are_no_other_writes(tmp_path: Path, draft: Make) -> None:
    store = Mortal(registry.open_store(str(tmp_path / "root")), WRITES + 1, False)
    assert registry.publish(store, *draft(), **ARGUMENTS).new


def test_killed_at_every_write_one_after_another(root: str, draft: Make, tmp_path: Path) -> None:
    """On every kind of store, signed: each run gets one write further than the one before."""
    signer = registry.signing.make(tmp_path / "signing.pem")
    for write in range(1, 100):
        try:
            registry.publish(
                Mortal(registry.open_store(root), write, write % 2 == 0), *draft(), **ARGUMENTS, signer=signer
            )
        except Killed:
            complete(root)
        else:
            break
    assert registry.audit(registry.open_store(root), signer.public).problems == []
    assert registry.publish(registry.open_store(root), *draft(), **ARGUMENTS, signer=signer).version == 1
    registry.collect(registry.open_store(root), hours=0)
    assert registry.audit(registry.open_store(root), signer.public).problems == []


PUBLISH = """
import json, os, signal, sys
from pathlib import Path
import registry
target, root, manifest, files = sys.argv[1], *sys.argv[2:5]
real = {name: getattr(os, name) for name in ("link", "replace", "fsync")}
calls = 0
def deadly(name):
    def call(*arguments, **more):
        global calls
        calls += 1
        if calls == int(target):
            os.kill(os.getpid(), signal.SIGKILL)
        return real[name](*arguments, **more)
    return call
for name in real:
    setattr(os, name, deadly(name))
files = {name: Path(path) for name, path in json.loads(files).items()}
registry.publish(registry.open_store(root), json.loads(manifest), files, ["candidate", "stable"], "tester", "a test")
"""


@pytest.mark.parametrize("call", [1, 2, 3, 5, 8, 10, 11, 13, 14, 17])
def test_a_real_kill(tmp_path: Path, draft: Make, tree: Tree, call: int) -> None:
    """SIGKILL from inside, at one of the calls that make content durable or give it its name."""
    manifest, files = draft()
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    registry.publish(registry.open_store(str(whole)), manifest, files, **ARGUMENTS)
    paths = json.dumps({name: str(path) for name, path in files.items()})
    command = [sys.executable, "-c", PUBLISH, str(call), str(broken), json.dumps(manifest), paths]
    assert subprocess.run(command, check=False, env=os.environ).returncode == -signal.SIGKILL
    complete(str(broken))
    registry.publish(registry.open_store(str(broken)), manifest, files, **ARGUMENTS)
    assert tree(broken) == tree(whole)
