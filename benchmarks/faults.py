"""Every model with one fault planted, against the gate of params.yaml: each has to be rejected, and for the right reason.

Run by `python -m benchmarks.faults [MODEL ...] [--fault NAME ...]` in a project where these models are made and passed. Each
fault is planted in a copy of what was made: `labels` shuffles the labels of train and validation and trains again, with all
epochs; `frontend` lets the front end reach less far up than the one that was trained with; `calibration` puts noise in the
place of the clips that int8 ranges are taken from. The test split stays as it is. The first takes as long as making the models.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
from dvc.repo import Repo
from rich.console import Console
from rich.table import Table

from flows import stale
from flows.environment import environment
from frameworks.recipe import STAGES
from tasks import clips, records
from tasks.clips import Clips


@dataclass(frozen=True)
class Fault:
    """What is planted in prepared data (`data/NAME`), the first stage that runs on it, and what the gate has to say: one of
    these limits, in these words."""

    plant: Callable[[Path], None]
    first: str
    limits: tuple[str, ...]
    words: str = ""

    def judged(self, name: str, place: Path) -> dict[str, str]:
        """By platform, why the gate rejects the model of that name that is made again in `place`; empty where the gate does
        not name the fault."""
        for folder in (Path("data", name), Path("artifacts", name)):
            copytree(folder, place / folder, ignore=lambda _folder, names: {"publish"} & set(names))
        self.plant(place / "data" / name)
        commands = _commands(name)
        for stage in STAGES[STAGES.index(self.first) : STAGES.index("publish")]:
            words = [_moved(word, name, place) for word in commands[stage].split()]
            subprocess.run([sys.executable, *words[1:]], env=environment(), check=True)
        return {
            platform: next((item["reason"] for items in judged["limits"].values() for item in items if self._names(item)), "")
            for platform, judged in _verdict(place, name)["platforms"].items()
        }

    def _names(self, item: dict[str, Any]) -> bool:
        return item["limit"] in self.limits and bool(item["reason"]) and self.words in item["reason"]


def main() -> int:
    """Prints the table; 1 when the gate let a fault through on any platform, or did not name it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("model", nargs="*", help="default: all of params.yaml")
    parser.add_argument("--fault", nargs="+", choices=list(FAULTS), default=list(FAULTS), help="default: all")
    options = parser.parse_args()
    names = options.model or stale.listed()
    for name in names:
        if not (Path("artifacts", name, "gate", "verdict.json").is_file() and _verdict(Path(), name)["passed"]):
            sys.exit(f"{name} is not made here, or did not pass: make optimize MODELS={name}")
    table = Table("model", "fault", "the gate says", title="models with one fault", show_lines=True)
    table.add_column("seconds", justify="right")
    missed = 0
    for name in names:
        for fault in options.fault:
            print(f"{name}: {fault}", flush=True)
            started = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                said = FAULTS[fault].judged(name, Path(folder))
            missed += not all(said.values())
            lines = "\n".join(f"{platform}: {why or 'NOT FOUND'}" for platform, why in said.items())
            table.add_row(name, fault, lines, f"{time.monotonic() - started:.0f}")
    Console().print(table)
    asked = len(names) * len(options.fault)
    print(f"{asked - missed} of {asked} faults were found, each on every platform of its model")
    return int(missed > 0)


def _commands(name: str) -> dict[str, str]:
    """By stage, what DVC would run."""
    with Repo() as repo:
        found = {str(stage.addressing): str(stage.cmd) for stage in repo.index.stages}
    return {stage: found[f"{stage}@{name}"] for stage in STAGES}


def _moved(word: str, name: str, place: Path) -> str:
    """A folder of this model, in `place`; any other word as it is."""
    own = any(Path(word).is_relative_to(folder) for folder in (f"data/{name}", f"artifacts/{name}"))
    return str(place / word) if own else word


def _verdict(place: Path, name: str) -> dict[str, Any]:
    return dict(records.read_json(place / "artifacts" / name / "gate" / "verdict.json"))


def _spoil(data: Path, change: Callable[[str, Clips], Clips]) -> None:
    """Writes every split again as `change` makes it."""
    splits = {split: change(split, clips.read(data, split)) for split in clips.SPLITS}
    clips.write(data / "clips", splits, clips.read_prepared(data))


def _shuffle(data: Path) -> None:
    rng = np.random.default_rng(0)

    def shuffled(split: str, part: Clips) -> Clips:
        return replace(part, labels=rng.permutation(part.labels)) if split in ("train", "validation") else part

    _spoil(data, shuffled)


def _lower(data: Path) -> None:
    file = data / "clips" / "prepared.json"
    content = records.read_json(file)
    content["frontend"]["fmax"] *= 0.9
    records.write_json(file, content)


def _deafen(data: Path) -> None:
    rng = np.random.default_rng(0)

    def noise(split: str, part: Clips) -> Clips:
        made = [rng.normal(0, 0.3, len(clip)).astype(np.float32) for clip in part.audio]
        return replace(part, audio=made) if split == "calibration" else part

    _spoil(data, noise)


FAULTS = {
    "labels": Fault(_shuffle, "train", ("floor", "max_false_accepts", "max_false_rejects")),
    "frontend": Fault(_lower, "convert", ("audit",), "the front end was changed after training: fmax was"),
    "calibration": Fault(_deafen, "quantize", ("audit",), "clips that are not in train"),
}


if __name__ == "__main__":
    sys.exit(main())
