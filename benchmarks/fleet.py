"""The flow over all models against the same stages by hand, one after another, and the flow when nothing is to be done.

Run by `python -m benchmarks.fleet [MODEL ...] [--epochs SHARE] [--keep FOLDER]`: two fresh clones of the committed project,
every model made anew in each. `--epochs 0.25` trains a quarter as long: what is compared is the order of the work, not its
result. With `--keep` the clones, by-hand and by-flow, stay there with all they made.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.servers import free_port
from flows import stale
from flows.environment import environment
from flows.serve import server

MOST = 0.75  # of the time by hand
NIGHTLY = "import asyncio; from flows.nightly import nightly; asyncio.run(nightly())"  # as a deployment runs it


def main() -> int:
    """Prints the table; 1 when the flow takes more than MOST of the time that its stages take one after another."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("model", nargs="*", help="default: all of params.yaml")
    parser.add_argument("--epochs", type=float, default=1.0, metavar="SHARE", help="of the epochs (default: all)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new one; default: none, the clones are deleted")
    options = parser.parse_args()
    names = options.model or stale.listed()
    if options.keep:
        if options.keep.exists():
            parser.error(f"--keep {options.keep} is there already; allowed: a folder that is not")
        options.keep.mkdir(parents=True)
    with nullcontext(options.keep.resolve()) if options.keep else tempfile.TemporaryDirectory() as folder:
        by_hand, by_flow = (_clone(Path(folder) / name, options.epochs) for name in ("by-hand", "by-flow"))
        hand = _timed([sys.executable, "-m", "dvc", "repro", *(f"publish@{name}" for name in names)], by_hand)
        flow = _timed([sys.executable, "-m", "flows", *names], by_flow)
        rows = {"stages by hand, one after another": hand, "the flow": flow, **_idle(by_flow, names)}
    table = Table("what", title=f"{', '.join(names)}; {options.epochs:g} of the epochs")
    table.add_column("seconds", justify="right")
    for name, seconds in rows.items():
        table.add_row(name, f"{seconds:.1f}")
    Console().print(table)
    print(f"the flow takes {flow / hand:.2f} of the time by hand (allowed {MOST:g}): {hand / flow:.2f} times as fast")
    return int(flow / hand > MOST)


def _clone(place: Path, share: float) -> Path:
    subprocess.run(["git", "clone", "--quiet", ".", str(place)], check=True)
    if share != 1:
        yaml, file = YAML(), place / "params.yaml"
        tree = yaml.load(file)
        _shorten(tree, share)
        yaml.dump(tree, file)
    return place


def _shorten(node: Any, share: float) -> None:
    """Every `epochs` below `node`, but never to none."""
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "epochs":
            node[key] = max(1, round(value * share))
        else:
            _shorten(value, share)


def _idle(clone: Path, names: list[str]) -> dict[str, float]:
    """Seconds of what runs when everything is up to date: the command, and the deployed flow without and with a server."""
    deployed = [sys.executable, "-c", NIGHTLY]
    command = [sys.executable, "-m", "flows", *names]
    found = {
        "the flow's command, nothing to do (it starts no server)": _timed(command, clone),
        "dvc repro, nothing to do": _timed([sys.executable, "-m", "dvc", "repro"], clone),
        "nightly, nothing to do, with a temporary server": _timed(deployed, clone),
    }
    with _database(), server(free_port()) as address:
        found["nightly, nothing to do, beside a running server"] = _timed(deployed, clone, PREFECT_API_URL=address)
    return found


@contextmanager
def _database() -> Iterator[None]:
    """A Prefect home of this run's own: a server that runs on this machine keeps its."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as home:
        os.environ["PREFECT_HOME"] = home
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _timed(command: list[str], folder: Path, **more: str) -> float:
    """Wall seconds of one command; its output goes to the terminal as it comes. A rejected model is a result, too."""
    started = time.monotonic()
    own = {"PYTHONPATH": os.pathsep.join([str(folder), str(folder / "runtime/src")])}
    done = subprocess.run(command, cwd=folder, env={**environment(), **own, **more}, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}")
    return time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
