"""The command line all stages share: arguments, the recipe, a destination that appears whole or not at all, a record."""

import argparse
import csv
import inspect
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from pianissimo.errors import PianissimoError

import models
from corpora.errors import CorpusError
from frameworks import FrameworkError, NotApplicableError, metrics, params
from frameworks.recipe import Recipe
from models import Model, ModelError
from tasks import records
from tasks.records import Record

REFUSALS = (
    params.RecipeError,
    CorpusError,
    ModelError,
    FrameworkError,
    PianissimoError,
    records.RecordError,
    metrics.MetricError,
    FileNotFoundError,
)


# Sums come out the same on any number of cores only when one thread makes them; models run side by side instead.
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


# pydantic has a `validate` of its own; what is measured again later is measured by the same numbers.
SECTIONS = {"validate": "validate_", "revalidate": "validate_"}


@dataclass(frozen=True)
class Job:
    """One run of one stage. `dest` is where its files go; `section` is the stage's own part of the recipe."""

    stage: str
    model: Model
    recipe: Recipe
    dest: Path

    @property
    def section(self) -> Any:
        """`recipe.train` for the stage `train`, and so on."""
        return getattr(self.recipe, SECTIONS.get(self.stage, self.stage))

    def record(self, **known: Any) -> Record:
        """A record of this stage and model."""
        return Record(self.stage, self.model.name, **known)


def main(
    stage: str,
    run: Callable[..., Record],
    arguments: list[str] | None = None,
    *,
    skipped: Callable[..., Record] | None = None,
) -> None:
    """Runs a stage from the command line. `run(job, *sources)` names its sources by its parameters; `skipped(job, sources,
    reason)` stands in where the recipe says that the stage does not apply (by default the network is handed on).

    What the user can mend ends in one sentence and exit status 1; anything else is our fault and shows its traceback.
    """
    for name in THREADS:
        os.environ.setdefault(name, "1")
    sources = list(inspect.signature(run).parameters)[1:]
    options = _parse(stage, run, sources, arguments)
    try:
        model = models.load(options.model)
        job = Job(stage, model, params.read(options.params, options.model), options.dest)
        record = execute(job, run, [getattr(options, name) for name in sources], skipped or hand_on)
    except REFUSALS as error:
        sys.exit(f"{stage} {options.model}: {error}")
    done = f"{record.seconds:.1f} s" if record.applied else f"skipped: {record.reason}"
    print(f"{stage} {options.model}: {done}")


def execute(job: Job, run: Callable[..., Record], sources: list[Path], skipped: Callable[..., Record]) -> Record:
    """Runs the stage into a folder beside its destination, then moves what it left into place, each file or folder whole."""
    partial = job.dest.with_name(f".{job.dest.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    skip = getattr(job.section, "skip", None)
    inner = replace(job, dest=partial)
    try:
        record = skipped(inner, sources, skip) if skip else _applied(inner, run, sources, skipped)
    except BaseException:
        shutil.rmtree(partial)  # what was there before stays as it was
        raise
    record = replace(record, seconds=time.time() - psutil.Process().create_time())
    records.write(partial, record)
    job.dest.mkdir(parents=True, exist_ok=True)
    for made in sorted(partial.iterdir()):
        _replace(made, job.dest / made.name)
    partial.rmdir()
    return record


def _applied(job: Job, run: Callable[..., Record], sources: list[Path], skipped: Callable[..., Record]) -> Record:
    """What `run` makes; a stage that finds it cannot be done to this network is skipped, with the reason."""
    try:
        return run(job, *sources)
    except NotApplicableError as error:
        shutil.rmtree(job.dest)
        job.dest.mkdir()
        return skipped(job, sources, str(error))


def hand_on(job: Job, sources: list[Path], reason: str) -> Record:
    """A stage that does not apply hands on the network of the stage before it."""
    network = next(source / "network" for source in reversed(sources) if (source / "network").is_dir())
    shutil.copytree(network, job.dest / "network")
    write_curve(job.dest, [])
    return job.record(applied=False, reason=reason)


def write_curve(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    """A row a training epoch, as CSV for `dvc plots`; only a heading where nothing was trained."""
    write_table(folder / "curve.csv", list(rows), ("phase", "epoch", "loss", "validation_score"))


def write_table(file: Path, rows: list[dict[str, Any]], heading: Iterable[str] = ()) -> None:
    """Rows as CSV; `heading` stands where there are none."""
    names = list(dict.fromkeys(key for row in rows for key in row)) or list(heading)
    with open(file, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _parse(
    stage: str, run: Callable[..., Record], sources: list[str], arguments: list[str] | None
) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m tasks.{stage}", description=inspect.getdoc(run))
    parser.add_argument("model", help=f"one of: {', '.join(models.names())}")
    for source in sources:
        parser.add_argument(source, type=Path, help=f"the folder that {source} left")
    parser.add_argument("dest", type=Path, help="where this stage's files go")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    return parser.parse_args(arguments)


def _replace(made: Path, place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    made.replace(place)
