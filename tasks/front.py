"""The best of several trials of one model: those that no other beats in score, bytes and latency together."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from frameworks import metrics
from models import Model
from tasks import records, report

FACTS = "sweep.json"
BLANK = dict.fromkeys(("platform", "form", "front", "score %", "bytes", "ms"), "")


@dataclass(frozen=True)
class Form:
    """One file of a trial: bytes, score in percent on validation with its 95 % interval, milliseconds a call."""

    platform: str
    name: str
    passed: bool
    score: float
    interval: tuple[float, float]
    bytes: int
    ms: float

    def beats(self, other: "Form", better: int) -> bool:
        """At least as good in all three and better in one. Latencies are told apart by two digits, as far as they repeat."""
        own = (-better * self.score, self.bytes, float(f"{self.ms:.2g}"))
        its = (-better * other.score, other.bytes, float(f"{other.ms:.2g}"))
        return own != its and all(mine <= yours for mine, yours in zip(own, its, strict=True))


@dataclass(frozen=True)
class Trial:
    """What became of one setting; `why` says what it failed at, or what it was rejected for."""

    number: int
    settings: dict[str, Any]
    state: str  # passed, rejected or failed
    why: str = ""
    forms: tuple[Form, ...] = field(default_factory=tuple)


def forms(root: Path, model: str) -> tuple[Form, ...]:
    """The forms that the trial in `root` (its artifacts) made and judged."""
    intervals = records.read(root / model / "validate").facts.get("mistakes", {})
    return tuple(
        Form(
            one.platform,
            one.form,
            one.passed,
            one.figures["score"],
            tuple(intervals.get(f"{one.platform} {one.form}", {}).get("interval") or [one.figures["score"]] * 2),
            one.figures["bytes"],
            one.figures["p50_ms"],
        )
        for one in report.artifacts(model, root)
    )


def front(trials: Iterable[Trial], better: int) -> list[tuple[Trial, Form]]:
    """Of each platform the passed forms that no other passed form of that platform beats, the smallest first."""
    passed = [(trial, form) for trial in trials for form in trial.forms if form.passed]
    best = [
        (trial, form)
        for trial, form in passed
        if not any(other.platform == form.platform and other.beats(form, better) for _, other in passed)
    ]
    return sorted(best, key=lambda one: (one[1].platform, one[1].bytes, one[0].number))


def rows(trials: Sequence[Trial], better: int) -> list[dict[str, Any]]:
    """A row a form of each trial, with its settings and whether it is on the front; one row for a trial that made none."""
    best = {(trial.number, form.platform, form.name) for trial, form in front(trials, better)}
    return [
        {"trial": trial.number, "settings": said(trial.settings), **cells}
        for trial in trials
        for cells in (
            [_cells(trial, form, best) for form in trial.forms] or [{**BLANK, "state": trial.state, "why": trial.why}]
        )
    ]


def _cells(trial: Trial, form: Form, best: set[tuple[int, str, str]]) -> dict[str, Any]:
    return {
        "platform": form.platform,
        "form": form.name,
        "front": (trial.number, form.platform, form.name) in best,
        "score %": round(form.score, 2),
        "bytes": form.bytes,
        "ms": round(form.ms, 4),
        "state": "passed" if form.passed else "rejected",
        "why": "" if form.passed else trial.why,
    }


def said(settings: dict[str, Any]) -> str:
    """Settings as a person writes them: `prune.channels=0.4 seed=3`."""
    return " ".join(f"{key}={value}" for key, value in settings.items()) or "as in params.yaml"


def taking(model: str, settings: dict[str, Any]) -> str:
    """The command that takes a trial's settings over into params.yaml; what was trained is in DVC's cache already."""
    words = " ".join(f"-S {shlex.quote(f'models.{model}.{key}={value}')}" for key, value in settings.items())
    return f"dvc exp run {words} gate@{model}"


def show(model: Model, trials: Sequence[Trial], console: Console) -> None:
    """Prints the table of all trials, then why those that did not pass did not."""
    metric = metrics.choose(model.metric)
    table = Table("", "settings", "platform", "form", title=f"{model.name}: {metric.name} on validation")
    for heading in ("score %", "bytes", "ms"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows(trials, metric.better):
        sign = "[green]front" if row["front"] else {"passed": ""}.get(row["state"], f"[red]{row['state']}")
        size = f"{row['bytes']:,}" if row["form"] else ""
        cells = (row["settings"], row["platform"], row["form"], str(row["score %"]), size, str(row["ms"]))
        table.add_row(str(row["trial"]), *cells, sign)
    console.print(table)
    for trial in trials:
        if trial.why:
            console.print(f"[red]{trial.number}[/red] {trial.state}: {trial.why}", highlight=False)
    best = {trial.number: trial for trial, _ in front(trials, metric.better) if trial.settings}
    for trial in best.values():
        console.print(
            f"take {trial.number} over: {taking(model.name, trial.settings)}", highlight=False, soft_wrap=True
        )


def read(folder: Path) -> list[Trial]:
    """The trials that `write` kept."""
    return [
        Trial(**{**one, "forms": tuple(Form(**form) for form in one["forms"])})
        for one in records.read_json(folder / FACTS)["trials"]
    ]


def write(folder: Path, model: str, trials: Sequence[Trial]) -> None:
    """Keeps what became of every trial, for programs."""
    records.write_json(folder / FACTS, {"model": model, "trials": [asdict(trial) for trial in trials]})
