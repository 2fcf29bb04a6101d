"""What each word of the command line does: ask the library, then a table for people or JSON for programs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from pianissimo import signature
from pianissimo.channel import Move
from pianissimo.errors import ManifestError, ModelNotFoundError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from . import channels, signing, state, yanking
from .audit import audit as run_audit
from .collect import collect as run_collect
from .copy import copy as run_copy
from .store import Store, open_store

Arguments = argparse.Namespace


def list_models(chosen: Arguments) -> int:
    """`list`: 1 when a model cannot be read."""
    store = open_store(chosen.registry)
    rows = [_row(store, name) for name in state.models(store)]
    _tell(chosen, rows, lambda: [_table(f"{chosen.registry}", rows)])
    return int(any("broken" in row for row in rows))


def _row(store: Store, name: str) -> dict[str, Any]:
    """A model; one whose documents are not what their schema says hides no other."""
    try:
        model = state.read_model(store, name)
    except ManifestError as fault:
        return {"model": name, "broken": str(fault)}
    newest = model.versions[0] if model.versions else None
    return {
        "model": name,
        "task": newest.manifest.task if newest else None,
        "newest": newest.number if newest else None,
        "versions": len(model.versions),
        "yanked": [version.number for version in model.versions if version.yanked],
        "channels": {channel: document.version for channel, document in model.channels.items()},
        "platforms": list(newest.manifest.platforms) if newest else [],
    }


def show(chosen: Arguments) -> int:
    """`show`."""
    model = state.read_model(open_store(chosen.registry), chosen.model)
    versions = [_version(model, version) for version in model.versions]
    moves = [
        {"channel": name, **step} for name, channel in model.channels.items() for step in channel.document()["history"]
    ]
    moves.sort(key=lambda move: str(move["when"]))
    everything = {"model": model.name, "versions": versions, "moves": moves}
    figures = [{"version": version["version"], **form} for version in versions for form in version["forms"]]
    short = [{key: value for key, value in version.items() if key != "forms"} for version in versions]
    return _tell(
        chosen,
        everything,
        lambda: [_table("versions", short), _table("figures", figures), _table("moves of channels", moves)],
    )


def promote(chosen: Arguments) -> int:
    """`promote`."""
    store = open_store(chosen.registry)
    version = chosen.version or _named(state.read_model(store, chosen.model), chosen.origin, store.root)
    step = channels.promote(store, chosen.model, chosen.to, version, chosen.who, chosen.why, signing.found())
    return _tell_move(chosen, chosen.to, version, step)


def rollback(chosen: Arguments) -> int:
    """`rollback`."""
    store = open_store(chosen.registry)
    step = channels.rollback(store, chosen.model, chosen.channel, chosen.who, chosen.why, signing.found())
    return _tell_move(chosen, chosen.channel, step.version, step)


def yank(chosen: Arguments) -> int:
    """`yank`."""
    store = open_store(chosen.registry)
    done = yanking.yank(store, chosen.model, chosen.version, chosen.who, chosen.why, chosen.instead, signing.found())
    instead = f"version {done.yank.instead} is used instead" if done.yank.instead else "no earlier one: it is refused"
    moved = f"; moved: {', '.join(done.moved)}" if done.moved else ""
    words = f"{chosen.model} version {chosen.version} is yanked ({done.yank.why}); {instead}{moved}"
    return _tell(chosen, {**asdict(done.yank), "new": done.new, "moved": done.moved}, lambda: [escape(words)])


def audit(chosen: Arguments) -> int:
    """`audit`: 1 when something is wrong."""
    found = run_audit(open_store(chosen.registry), chosen.public_key)
    counts = {key: value for key, value in asdict(found).items() if key != "problems"}
    problems = [{"key": key, "problem": what} for key, what in found.problems]
    words = ", ".join(f"{value:,} {key}" for key, value in counts.items())
    verdict = f"[red]{len(problems)} problems" if problems else "[green]nothing is wrong"
    _tell(
        chosen,
        {"problems": problems, **counts},
        lambda: [*([_table("what is wrong", problems)] if problems else []), f"{verdict}[/]; {words}"],
    )
    return int(bool(problems))


def collect(chosen: Arguments) -> int:
    """`collect`."""
    done = run_collect(open_store(chosen.registry), chosen.keep, chosen.hours, chosen.dry_run)
    versions = ", ".join(f"{model} {number}" for model, number in done.versions) or "none"
    verb = "would be removed" if chosen.dry_run else "removed"
    words = f"{verb}: versions {versions}; {len(done.blobs)} blobs; {len(done.signatures)} signatures"
    return _tell(chosen, asdict(done), lambda: [words])


def copy(chosen: Arguments) -> int:
    """`copy`."""
    done = run_copy(open_store(chosen.registry), open_store(chosen.target))
    counts = ", ".join(f"{value:,} {key}" for key, value in asdict(done).items() if key != "there")
    words = f"copied {chosen.registry} to {chosen.target}: {counts}; {done.there:,} were there"
    return _tell(chosen, {"target": chosen.target, **asdict(done)}, lambda: [escape(words)])


def key(chosen: Arguments) -> int:
    """`key`: makes it where there is none, and always tells its public half."""
    path = chosen.out or signing.place()
    new = not path.exists()
    signer = signing.make(path) if new else signing.read(path)
    public = signature.written(signer.public)
    facts: dict[str, Any] = {"file": str(path), "new": new, "public_key": public, "name": signature.name(signer.public)}
    if chosen.sign:
        facts["signed"] = signing.sign_everything(open_store(chosen.registry), signer)
    words = [
        f"{'made' if new else 'there is'} {path}; keep a copy where only you can read it, and no copy in a repository",
        f"consumers pin it: export {signature.ENVIRONMENT}={public}",
    ]
    if chosen.sign:
        words.append(f"signed {len(facts['signed'])} documents of {chosen.registry}")
    return _tell(chosen, facts, lambda: [escape(line) for line in words])


def _named(model: state.Model, channel: str, root: str) -> int:
    if channel not in model.channels:
        raise ModelNotFoundError(f"channel {channel} of {model.name}", model.channels, root)
    return model.channels[channel].version


def _version(model: state.Model, version: state.Version) -> dict[str, Any]:
    manifest = version.manifest
    forms = [
        {"platform": name, "form": variant.name, "bytes": sum(file.bytes for file in variant.files)}
        | _measured(platform.figures.get(variant.name))
        for name, platform in manifest.platforms.items()
        for variant in platform.variants
    ]
    return {
        "version": version.number,
        "created": manifest.created,
        "channels": model.naming(version.number),
        "signed by": list(version.signers),
        "yanked": version.yanked.why if version.yanked else None,
        "not published": list(manifest.rejected),
        "forms": forms,
    }


def _measured(figures: object) -> dict[str, Any]:
    wanted = ("score", "drop", "smaller", "faster", "p50_ms", "memory_mb")
    return {key: figures.get(key) for key in wanted} if isinstance(figures, dict) else {}


def _tell_move(chosen: Arguments, channel: str, version: int, step: Move | None) -> int:
    facts = {"model": chosen.model, "channel": channel, "version": version, "moved": step is not None}
    origin = f"from {step.origin} " if step and step.origin else ""
    words = f"moved {origin}to {version}: {chosen.why}" if step else f"names version {version} already; nothing moved"
    return _tell(chosen, facts, lambda: [escape(f"{chosen.model} {channel} {words}")])


def _tell(chosen: Arguments, facts: object, shown: Any) -> int:
    """Print JSON, or what `shown()` gives: tables and lines."""
    if chosen.json:
        print(json.dumps(facts, indent=2))
        return 0
    console = Console(width=None if Console().is_terminal else 140)
    for part in shown():
        console.print(part, highlight=False)
    return 0


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    """A table with a column a key, those that are empty throughout left out."""
    table = Table(title=title, title_justify="left")
    columns = [key for key in dict.fromkeys(key for row in rows for key in row) if any(row.get(key) for row in rows)]
    for column in columns:
        number = any(isinstance(row.get(column), (int, float)) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if number else "left")
    for row in rows:
        table.add_row(*(escape(_cell(row.get(column))) for column in columns))
    return table


def _cell(value: object) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and value > 9999 else str(value)
