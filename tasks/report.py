"""Shows what became of each model: one table of its artifacts beside their teacher, one of its stages."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

import models
from frameworks.recipe import STAGES
from tasks import records

ARTIFACTS = Path("artifacts")
WIDTH = 120  # of a table in a log
WORDS = ("model", "platform", "form", "verdict")
COLUMNS = ("model", "platform", "form", "score %", "drop", "bytes", "× smaller", "ms", "× faster", "× float", "MB", "verdict")
SPARE = ("MB", "× float", "ms", "× smaller", "bytes")  # what a narrow terminal goes without, in this order
MARKDOWN = (
    "model", "platform", "form", "score %", "drop, points (95 % interval)", "bytes", "smaller",
    "× faster, same runtime", "× float", "process MB", "verdict",
)  # fmt: skip


@dataclass(frozen=True)
class Artifact:
    """One form of a model with its figures (as validate measured them) and whether the gate let it pass."""

    model: str
    platform: str
    form: str
    figures: dict[str, Any]
    passed: bool


def reasons(model: str, root: Path = ARTIFACTS) -> list[str]:
    """Why the gate rejected the model, a platform each; none when it passed or was not judged yet."""
    file = root / model / "gate" / "verdict.json"
    if not file.is_file():
        return []
    platforms = records.read_json(file)["platforms"]
    return [f"{name}: {reason}" for name, platform in platforms.items() for reason in platform["reasons"]]


def artifacts(model: str, root: Path = ARTIFACTS) -> list[Artifact]:
    """Every form of a model that was judged; none before its gate."""
    file = root / model / "gate" / "verdict.json"
    if not file.is_file():
        return []
    verdict = records.read_json(file)["platforms"]
    measured = records.read(root / model / "validate").facts["platforms"]
    return [
        Artifact(model, platform, form, figures, not any(item["reason"] for item in verdict[platform]["limits"][form]))
        for platform, forms in measured.items()
        for form, figures in forms.items()
    ]


def ratio(times: float | None) -> str:
    """How a table shows how many times as fast something is; nothing for what has nothing beside it."""
    return "" if times is None else f"{times:.2f}"


def show(names: list[str], root: Path = ARTIFACTS, console: Console | None = None) -> None:
    """Prints the table of artifacts of the models that have a verdict, and why one was rejected."""
    console = console or _console()
    rows = [_rows(model, root) for model in names]
    left = list(COLUMNS)
    anything = console.options.update(max_width=1000)
    for spare in ("", *SPARE):
        left = [name for name in left if name != spare]
        table = _table(left, rows)
        if Measurement.get(console, anything, table).maximum <= console.width:
            break
    console.print(table)
    for model in names:
        for reason in reasons(model, root):
            console.print(f"[red]{model}[/red] {reason}", highlight=False)


def _table(headings: list[str], models_rows: list[list[list[str]]]) -> Table:
    table = Table(title="Artifacts beside their float teachers", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, justify="left" if heading in WORDS else "right", no_wrap=heading in WORDS)
    for rows in models_rows:
        for row in rows:
            table.add_row(*(cell for name, cell in zip(COLUMNS, row, strict=True) if name in headings))
        table.add_section()
    return table


def stages(model: str, root: Path = ARTIFACTS, console: Console | None = None) -> None:
    """Prints what each stage made of the model, from teacher to shipped files."""
    table = Table("stage", title=f"{model}, stage by stage")
    for heading in ("parameters", "MACs", "float bytes", "compressed", "validation %", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("what")
    for stage in STAGES:
        folder = root / model / stage if stage != "prepare" else root.parent / "data" / model
        if (folder / records.FILE).is_file():
            record = records.read(folder)
            what = record.reason if not record.applied else str(record.facts.get("why", record.facts.get("kept", "")))
            counts = (record.parameters, record.macs, record.bytes, record.compressed_bytes)
            score = "" if record.score is None or stage == "validate" else f"{record.score:.2f}"
            table.add_row(stage, *("" if n is None else f"{n:,}" for n in counts), score, f"{record.seconds:.1f}", what)
    for artifact in artifacts(model, root):
        figures = artifact.figures
        sizes = (f"{figures['bytes']:,}", f"{figures['compressed_bytes']:,}")
        what = f"shipped: {artifact.platform} {artifact.form}, {figures['score']:.2f} % on test"
        table.add_row("", "", "", *sizes, "", "", what)
    (console or _console()).print(table)


def markdown(names: list[str], root: Path = ARTIFACTS) -> str:
    """The table of artifacts for a page: each model's teacher, then its forms with their intervals."""
    lines = [MARKDOWN, ("---",) * len(MARKDOWN)]
    for model in names:
        made = artifacts(model, root)
        for artifact in made:
            figures = artifact.figures
            if artifact is made[0]:
                size = f"*{figures['teacher_bytes']:,}*"
                lines.append((model, "", "*teacher*", f"*{figures['teacher_score']:.2f}*", "", size, "", "", "", "", ""))
            low, high = figures["drop_interval"]
            lines.append(
                (
                    "",
                    f"`{artifact.platform}`",
                    artifact.form,
                    f"{figures['score']:.2f}",
                    f"{figures['drop']:+.2f} ({low:+.2f} to {high:+.2f})",
                    f"{figures['bytes']:,}",
                    f"{figures['smaller']:.0f} %",
                    f"{figures['faster']:.1f}",
                    ratio(figures["faster_than_float"]),
                    f"{figures['memory_mb']:.0f}",
                    "passed" if artifact.passed else "**rejected**",
                )
            )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _console() -> Console:
    """As wide as the terminal, or wide enough for a log."""
    return Console(width=None if Console().is_terminal else WIDTH)


def _rows(model: str, root: Path) -> list[list[str]]:
    made = artifacts(model, root)
    if not made:
        return [[model, "", "not judged yet", *[""] * 8, ""]]
    teacher = made[0].figures
    first = [
        model,
        "",
        "teacher",
        f"{teacher['teacher_score']:.2f}",
        "",
        f"{teacher['teacher_bytes']:,}",
        "",
        f"{teacher['teacher_p50_ms']:.3f}",
        *[""] * 4,
    ]
    verdicts = {True: "[green]passed", False: "[red]rejected"}
    return [first, *([model, one.platform, one.form, *_figures(one.figures), verdicts[one.passed]] for one in made)]


def _figures(figures: dict[str, Any]) -> list[str]:
    return [
        f"{figures['score']:.2f}",
        f"{figures['drop']:+.2f}",
        f"{figures['bytes']:,}",
        f"{figures['teacher_bytes'] / figures['bytes']:.1f}",
        f"{figures['p50_ms']:.3f}",
        f"{figures['faster']:.1f}",
        ratio(figures["faster_than_float"]),
        f"{figures['memory_mb']:.0f}",
    ]


def main() -> int:
    """`python -m tasks.report [--markdown] [MODEL ...]` prints both tables; 1 when a model was rejected."""
    parser = argparse.ArgumentParser(prog="python -m tasks.report", description=__doc__)
    parser.add_argument("model", nargs="*", help=f"of: {', '.join(models.names())} (default: all)")
    parser.add_argument("--markdown", action="store_true", help="the artifacts alone, with intervals, for a page")
    parser.add_argument("--root", type=Path, default=ARTIFACTS, help="default: artifacts")
    options = parser.parse_args()
    names = options.model or models.names()
    try:
        for name in names:
            models.load(name)
    except models.ModelError as error:
        sys.exit(str(error))
    if options.markdown:
        print(markdown(names, options.root))
    else:
        for name in names:
            stages(name, options.root)
        show(names, options.root)
    return int(any(reasons(name, options.root) for name in names))


if __name__ == "__main__":
    sys.exit(main())
