"""Several machines on one: clones of a small project, a worker in each, an S3 server between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from tests.registry import s3_servers

PATIENCE = 300.0  # seconds for a worker to be there, on a machine that others share


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@localhost"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def publish_to(tiny: Any, models: tuple[str, ...], registry: Path) -> None:
    """These models alone, each as the first one is, in a registry that all machines see."""
    file = tiny.folder / "params.yaml"
    tree = json.loads(file.read_text())
    recipe = {**tree["models"]["keywords"], "publish": {"registry": str(registry)}}
    tree["models"] = dict.fromkeys(models, recipe)
    file.write_text(json.dumps(tree, indent=1))
    registry.mkdir()


def commit(tiny: Any, project: Path, endpoint: str) -> None:
    """The project as others clone it: its remote named, and the flows beside it."""
    tiny.dvc("remote", "add", "-d", "storage", f"s3://{s3_servers.BUCKET}/dvc")
    tiny.dvc("remote", "modify", "storage", "endpointurl", endpoint)
    (tiny.folder / "flows").symlink_to(project / "flows")
    (tiny.folder / ".gitignore").write_text("runs.txt\n*.pulse\ndata\nartifacts\n")
    git(tiny.folder, "add", ".")
    git(tiny.folder, "commit", "--quiet", "-m", "as it is")


class Machine:
    """A clone and the Prefect worker that stands in it."""

    def __init__(self, folder: Path, project: Path, harness: str) -> None:
        self.folder, self.log = folder, folder.with_suffix(".log")
        paths = [str(project), str(project / "runtime/src")]
        env = {**os.environ, "PREFECT_API_URL": harness, "PIANISSIMO_HOME": str(folder), "PYTHONPATH": ":".join(paths)}
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "pianissimo-models", "--limit", "1"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--name", folder.name], cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT
            )

    def runs(self) -> list[str]:
        """Every stage that ran here, in order."""
        file = self.folder / "runs.txt"
        return file.read_text().split() if file.is_file() else []

    def lose(self) -> None:
        """The machine is gone: whatever ran there is killed, and nobody is told."""
        with suppress(psutil.NoSuchProcess):
            worker = psutil.Process(self._process.pid)
            for one in (worker, *worker.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        self._process.wait()


@contextmanager
def machines(folder: Path, names: tuple[str, ...], project: Path, harness: str) -> Iterator[list[Machine]]:
    """A machine for each clone that is there; all are gone afterwards."""
    made = [Machine(folder / name, project, harness) for name in names]
    try:
        deadline = time.monotonic() + PATIENCE
        while not all("started!" in one.log.read_text() for one in made):
            assert time.monotonic() < deadline, "\n".join(one.log.read_text() for one in made)
            time.sleep(0.2)
        yield made
    finally:
        for one in made:
            one.lose()
