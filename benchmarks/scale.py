"""What DVC costs a stage as models are added: `python -m benchmarks.scale [--models 6 25 100]`.

A fresh clone in which one model's file and section are copied until there are as many as asked for; nothing is trained. Each
command reads the whole of dvc.yaml, so that its cost, times the stages, is what a fleet in one repository pays.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from flows.environment import environment

ROUNDS = 3
COMMANDS = {  # what a flow asks once, and what it asks for every stage
    "dvc status": ["status", "--json"],
    "dvc repro --single-item (nothing run)": ["repro", "--dry", "--single-item", "runtime"],
}


def main() -> int:
    """Prints seconds of each command for each number of models."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--models", type=int, nargs="+", default=[6, 25, 100], help="how many (default: 6 25 100)")
    parser.add_argument("--copied", default="keywords", help="which model is copied (default: keywords)")
    options = parser.parse_args()
    table = Table("models", "stages", title=f"Median of {ROUNDS}, seconds")
    for name in COMMANDS:
        table.add_column(name, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
        for count in sorted(options.models):
            stages = _grown(clone, options.copied, count)
            found = [_median(words, clone) for words in COMMANDS.values()]
            table.add_row(str(count), str(stages), *(f"{seconds:.2f}" for seconds in found))
    Console().print(table)
    return 0


def _grown(clone: Path, copied: str, count: int) -> int:
    """Copies until there are `count` models; how many stages there are then."""
    yaml, file = YAML(), clone / "params.yaml"
    tree = yaml.load(file)
    sections = tree["models"]
    for number in range(len(sections), count):
        name = f"{copied}_{number}"
        shutil.copyfile(clone / "models" / f"{copied}.py", clone / "models" / f"{name}.py")
        sections[name] = dict(sections[copied])
    yaml.dump(tree, file)
    return len(_asked(["stage", "list", "--name-only"], clone).split())


def _median(words: list[str], clone: Path) -> float:
    seconds = []
    for _ in range(ROUNDS):
        started = time.monotonic()
        _asked(words, clone)
        seconds.append(time.monotonic() - started)
    return statistics.median(seconds)


def _asked(words: list[str], clone: Path) -> str:
    """What a DVC command prints."""
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, cwd=clone, env=environment(), stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
