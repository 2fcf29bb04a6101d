"""What a registry costs as models are added: `python -m benchmarks.registries [--from FOLDER] [--to REGISTRY] [--models N …]`.

A published version is published again under other names until there are as many models as asked for. `--to` takes a bucket
(`s3://BUCKET/PREFIX`, empty), by default a folder that is removed afterwards; blobs are shared, so that it needs little room.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pianissimo as pp
from pianissimo import layout
from pianissimo import manifest as manifests
from rich.console import Console
from rich.progress import track
from rich.table import Table

import registry
from registry import page, state

ROUNDS = 5


def main() -> int:
    """Prints seconds of each operation for each number of models."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.registries", description=__doc__)
    parser.add_argument("--from", dest="source", type=Path, default=Path("artifacts/registry"), help="a registry folder")
    parser.add_argument("--model", default="keywords", help="which of its models (default: keywords)")
    parser.add_argument("--to", help="an empty registry (default: a folder for the while)")
    parser.add_argument("--models", type=int, nargs="+", default=[10, 100, 1000], help="default: 10 100 1000")
    options = parser.parse_args()
    document, files = _published(options.source, options.model)
    with tempfile.TemporaryDirectory() as folder:
        root = options.to or folder
        _fill(registry.open_store(root), document, files, sorted(options.models), root)
    return 0


def _published(source: Path, model: str) -> tuple[dict[str, Any], dict[str, Path]]:
    """The newest version's manifest and, by name, the files it needs."""
    number = state.numbers(registry.open_store(str(source)), model)[-1]
    text = (source / layout.manifest_key(model, number)).read_text(encoding="utf-8")
    files = {file.name: source / layout.blob_key(file.sha256) for file in manifests.loads(text).files()}
    return json.loads(text), files


def _fill(
    store: registry.Store, document: dict[str, Any], files: dict[str, Path], counts: list[int], root: str
) -> None:
    def publish(number: int) -> None:
        named = {**document, "model": f"model{number:05}"}
        registry.publish(store, named, files, ["candidate", "stable"], "benchmark", "to see what it costs")

    def load(number: int) -> None:
        pp.load(f"model{number:05}", next(iter(document["platforms"])), registry=root).close()

    there = 0
    table = Table("models", title=f"Median of {ROUNDS}, seconds")
    for name in ("publish one more", "the whole page", "list all", "pp.load"):
        table.add_column(name, justify="right")
    for count in counts:
        for number in track(range(there, count), f"{count} models"):
            publish(number)
        there = count + ROUNDS
        found = [
            _median(publish, range(count, there)),
            _median(lambda _: page.write(store)),
            _median(lambda _: state.read(store)),
            _median(load, range(count, there)),
        ]
        table.add_row(str(count), *(f"{seconds:.3f}" for seconds in found))
    Console().print(table)


def _median(work: Callable[[int], Any], numbers: range = range(ROUNDS)) -> float:
    seconds = []
    for number in numbers:
        started = time.perf_counter()
        work(number)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    sys.exit(main())
