"""What DVC and Prefect cost: the whole flow against the sum of its stage commands.

Run by `python -m benchmarks.orchestration MODEL`: a fresh clone of the committed project, the model made anew, so it takes
minutes. One model, since several run side by side and take less than the sum of their stages.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from flows.environment import environment
from frameworks.recipe import STAGES
from tasks import records


def main() -> int:
    """Prints the table; 1 when orchestration costs more than 15 % of the stage commands."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orchestration", description=__doc__)
    parser.add_argument("model", nargs="?", default="keywords", help="default: keywords")
    parser.add_argument("--limit", type=float, default=15.0, help="percent allowed (default: 15)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
        cold = _timed([sys.executable, "-m", "flows", options.model], clone)
        commands = {**_shared(clone, Path(folder), options.model), **_seconds(clone)}
        warm = _timed([sys.executable, "-m", "flows", options.model], clone)
        nothing = _timed([sys.executable, "-m", "dvc", "repro", f"publish@{options.model}"], clone)
        shutil.rmtree(clone / ".dvc" / "cache", ignore_errors=True)
    total = sum(commands.values())
    _show(commands, cold, warm, nothing, total)
    share = 100 * (cold - total) / total
    print(f"orchestration: {cold - total:.1f} s, {share:.1f} % of the stage commands (allowed {options.limit:g} %)")
    return int(share > options.limit)


def _timed(command: list[str], folder: Path) -> float:
    """Wall seconds of one command; its output goes to the terminal as it comes. A rejected model is a result, too."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=environment(), check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}")
    return time.monotonic() - started


def _shared(clone: Path, scratch: Path, model: str) -> dict[str, float]:
    """The stages that belong to no model leave no record, so their commands are run once more, beside."""
    wheel = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    recipe = YAML(typ="safe").load(clone / "params.yaml")
    corpora = [name for name in recipe["corpora"] if Path(recipe["models"][model]["prepare"]["corpus"]).name == name]
    commands = {
        f"corpus@{name}": ["-m", f"corpora.{name}", str(scratch / name), "--params", "params.yaml"] for name in corpora
    }
    commands["runtime"] = [*wheel, "--wheel-dir", str(scratch / "wheel"), "./runtime"]
    return {name: _timed([sys.executable, *command], clone) for name, command in commands.items()}


def _seconds(clone: Path) -> dict[str, float]:
    """What each stage's own process took, imports included, as its record says."""
    found = {}
    for folder in sorted((clone / "artifacts").iterdir()):
        for stage in STAGES:
            place = clone / "data" / folder.name if stage == "prepare" else folder / stage
            if (place / records.FILE).is_file():
                found[f"{stage}@{folder.name}"] = records.read(place).seconds
    return found


def _show(commands: dict[str, float], cold: float, warm: float, nothing: float, total: float) -> None:
    table = Table("what", title="Stage commands and what runs them")
    table.add_column("seconds", justify="right")
    for name, seconds in commands.items():
        table.add_row(name, f"{seconds:.1f}")
    table.add_section()
    for name, seconds in (
        ("sum of the stage commands", total),
        ("flow, everything to do", cold),
        ("flow, nothing to do", warm),
        ("dvc repro, nothing to do", nothing),
    ):
        table.add_row(name, f"{seconds:.1f}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
