"""Shows what became of each model: one table of its artifacts beside their teacher, one of its stages."""

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import models
from frameworks.recipe import STAGES
from tasks import records

ARTIFACTS = Path("artifacts")


def reasons(model: str, root: Path = ARTIFACTS) -> list[str]:
    """Why the gate rejected the model, a platform each; none when it passed or was not judged yet."""
    file = root / model / "gate" / "verdict.json"
    if not file.is_file():
        return []
    platforms = records.read_json(file)["platforms"]
    return [f"{name}: {reason}" for name, platform in platforms.items() for reason in platform["reasons"]]


def show(names: list[str], root: Path = ARTIFACTS, console: Console | None = None) -> None:
    """Prints the table of artifacts of the models that have a verdict."""
    console = console or _console()
    table = Table("model", "platform", "form", title="Artifacts beside their float teachers")
    for heading in ("score %", "drop", "bytes", "× smaller", "ms", "× faster", "MB"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for model in names:
        for row in _rows(model, root):
            table.add_row(*row)
        table.add_section()
    console.print(table)
    for model in names:
        for reason in reasons(model, root):
            console.print(f"[red]{model}[/red] {reason}", highlight=False)


def stages(model: str, root: Path = ARTIFACTS, console: Console | None = None) -> None:
    """Prints what each stage made of the model, from teacher to shipped file."""
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
    (console or _console()).print(table)


def _console() -> Console:
    """As wide as the terminal, or wide enough for a log."""
    return Console(width=None if Console().is_terminal else 120)


def _rows(model: str, root: Path) -> list[list[str]]:
    folder = root / model
    if not (folder / "gate" / "verdict.json").is_file():
        return [[model, "", "not judged yet", *[""] * 7, ""]]
    verdict = records.read_json(folder / "gate" / "verdict.json")["platforms"]
    measured = records.read(folder / "validate").facts["platforms"]
    teacher = next(iter(next(iter(measured.values())).values()))
    rows = [
        [
            model,
            "",
            "teacher",
            f"{teacher['teacher_score']:.2f}",
            "",
            f"{teacher['teacher_bytes']:,}",
            "",
            f"{teacher['teacher_p50_ms']:.3f}",
            "",
            "",
            "",
        ]
    ]
    for platform, variants in measured.items():
        for name, figures in variants.items():
            passed = not any(item["reason"] for item in verdict[platform]["limits"][name])
            rows.append([model, platform, name, *_figures(figures), "[green]passed" if passed else "[red]rejected"])
    return rows


def _figures(figures: dict[str, Any]) -> list[str]:
    return [
        f"{figures['score']:.2f}",
        f"{figures['drop']:+.2f}",
        f"{figures['bytes']:,}",
        f"{figures['teacher_bytes'] / figures['bytes']:.1f}",
        f"{figures['p50_ms']:.3f}",
        f"{figures['faster']:.1f}",
        f"{figures['memory_mb']:.0f}",
    ]


def main() -> int:
    """`python -m tasks.report [MODEL ...]` prints both tables; 1 when a model was rejected."""
    parser = argparse.ArgumentParser(prog="python -m tasks.report", description=__doc__)
    parser.add_argument("model", nargs="*", help=f"of: {', '.join(models.names())} (default: all)")
    names = parser.parse_args().model or models.names()
    try:
        for name in names:
            models.load(name)
    except models.ModelError as error:
        sys.exit(str(error))
    for name in names:
        stages(name)
    show(names)
    return int(any(reasons(name) for name in names))


if __name__ == "__main__":
    sys.exit(main())
