"""A small project with all that a night needs: one small model, a Prefect server, a worker and an S3 server, on 127.0.0.1."""

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil
from ruamel.yaml import YAML

from benchmarks.servers import asked, free_port
from flows.environment import environment
from flows.serve import LEASES

MODEL = "voice_unlock"  # trains in a second
SMALL = Path("tests/small.yaml")
SECRET, BUCKET = "not-a-secret-at-all", "pianissimo"
REGISTRY = f"s3://{BUCKET}/registry"
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
PATIENCE = 900.0  # seconds for a run to end
MARK = "PIANISSIMO_KILLS"  # in the environment of whatever this starts, and of all that those start


class Project:
    """A clone of the committed project in `folder`, its servers and its worker; they end with it."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.log, self.number = folder / "clone", folder / "log", 0
        (folder / "s3" / BUCKET).mkdir(parents=True)
        port, s3 = free_port(), free_port()
        self.api, self.mark = f"http://127.0.0.1:{port}/api", uuid.uuid4().hex
        self.env = {
            **environment(), MARK: self.mark, "PREFECT_API_URL": self.api, "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASES, "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1",
            "PYTHONPATH": f"{self.clone}:{self.clone / 'runtime/src'}", "PIANISSIMO_TRAININGS": "32",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{s3}", "AWS_ACCESS_KEY_ID": "SMALL", "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "RCLONE_CONFIG": os.devnull,
        }  # fmt: skip
        rclone = shutil.which("rclone", path=self.env["PATH"]) or sys.exit("no rclone here: make setup brings it")
        prefect = [sys.executable, "-m", "prefect"]
        self.commands = {
            "s3": [rclone, "serve", "s3", "--auth-key", f"SMALL,{SECRET}", "--addr", f"127.0.0.1:{s3}", str(folder / "s3")],
            "server": [*prefect, "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            "worker": [*prefect, "worker", "start", "--pool", "pianissimo"],
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Project":
        subprocess.run(["git", "clone", "--quiet", ".", str(self.clone)], check=True)
        self._edit(_shrink)
        self.revive()
        self._here("-m", "flows.schedule")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._marked():
            process.kill()
        for started in self.processes.values():
            started.wait()

    def revive(self) -> None:
        """Starts whatever of server, worker and S3 server is not running, and waits until both servers answer."""
        for name in ("s3", "server"):
            self._start(name)
        deadline = time.monotonic() + PATIENCE
        while not (_answers(f"{self.api}/health") and _answers(self.env["AWS_ENDPOINT_URL_S3"])):
            if time.monotonic() > deadline:
                sys.exit(f"the servers did not answer within {PATIENCE:.0f} s; see {self.log}")
            time.sleep(0.2)
        self._start("worker")

    def change(self) -> None:
        """Changes a setting, so that everything from `train` on has to be made again."""
        self.number += 1
        self._edit(lambda tree: tree["models"][MODEL]["train"]["network"].update(gamma=[0.1 + self.number / 1000]))

    def start(self) -> str:
        """Asks for a run of the deployment `one-model`; its id."""
        place = self._asked("GET", "deployments/name/one-model/one-model")["id"]
        asked = {"parameters": {"model": MODEL}, "state": {"type": "SCHEDULED"}}
        return str(self._asked("POST", f"deployments/{place}/create_flow_run", asked)["id"])

    def state(self, run: str) -> tuple[str, str]:
        """(`RUNNING` and so on, the server's words) of a run; nothing while the server is down."""
        try:
            found = httpx.get(f"{self.api}/flow_runs/{run}", timeout=60).raise_for_status().json()["state"]
        except httpx.HTTPError:
            return "", ""
        return found["type"], str(found["message"])

    def ended(self, run: str) -> tuple[str, str]:
        """How a run ended; as it stands when it has not within PATIENCE."""
        deadline = time.monotonic() + PATIENCE
        while self.state(run)[0] not in OVER and time.monotonic() < deadline:
            time.sleep(0.5)
        return self.state(run)

    def again(self) -> str:
        """Runs the model until it is done, and answers what is not as it should be."""
        state, words = self.ended(self.start())
        if state != "COMPLETED":
            return f"ended {state}: {words}"
        stale = self._here("-m", "dvc", "status", f"publish@{MODEL}")
        if "up to date" not in stale.stdout:
            return f"left something stale: {stale.stdout}"
        audit = self._here("-m", "registry", "audit", "--registry", REGISTRY, check=False)
        return "" if not audit.returncode else f"left a registry that is not whole: {audit.stdout}{audit.stderr}"

    def running(self, *words: str) -> list[psutil.Process]:
        """Processes of this project with one of these in their command line."""
        return [one for one in self._marked() if any(word in " ".join(_command(one)) for word in words)]

    def stages(self) -> list[str]:
        """The stages at work: `tasks.train`."""
        words = (word for one in self.running("-m tasks.") for word in _command(one))
        return sorted({word for word in words if word.startswith("tasks.")})

    def left_over(self) -> list[psutil.Process]:
        """What a run started and that lives: a guard, DVC, a stage."""
        return self.running("flows/guard.py", "flows/whole.py", "-m tasks.")

    def _edit(self, change: Callable[[Any], None]) -> None:
        yaml, file = YAML(), self.clone / "params.yaml"
        tree = yaml.load(file)
        change(tree)
        yaml.dump(tree, file)

    def _asked(self, method: str, path: str, body: Any = None) -> Any:
        return asked(method, f"{self.api}/{path}", body, patience=PATIENCE)

    def _start(self, name: str) -> None:
        old = self.processes.get(name)
        if old is None or old.poll() is not None:
            with open(self.log, "ab") as log:
                self.processes[name] = subprocess.Popen(
                    self.commands[name], cwd=self.clone, env=self.env, stdout=log, stderr=log, start_new_session=True
                )

    def _here(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=self.clone, env=self.env, capture_output=True, text=True, check=check)

    def _marked(self) -> list[psutil.Process]:
        """Whatever carries the mark in its environment, ended ones left out."""
        found = []
        for one in psutil.process_iter():
            try:
                if one.environ().get(MARK) == self.mark and one.status() != psutil.STATUS_ZOMBIE:
                    found.append(one)
            except psutil.Error:
                continue
        return found


def _shrink(tree: Any) -> None:
    """The model as the tests have it, published to the S3 server."""
    small = YAML(typ="safe").load(SMALL.read_text(encoding="utf-8"))
    section = small["models"][MODEL]
    corpus = section["prepare"]["corpus"]
    tree["corpora"][corpus].update(small["corpora"][corpus])
    section["prepare"]["corpus"] = f"data/corpora/{corpus}"
    section["publish"]["registry"] = REGISTRY
    tree["models"][MODEL] = section


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []



def _answers(address: str) -> bool:
    try:
        httpx.get(address, timeout=5)
    except httpx.TransportError:
        return False
    return True
