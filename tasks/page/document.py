"""Puts the chapters together, and writes the page and the same facts as one JSON."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks import records

from . import changes, curves, html, ladder, latency, layers, limits, mistakes, origin, overview, sizes, story
from .html import Told
from .story import Story

FILE, FACTS = "index.html", "report.json"
CHAPTERS: dict[str, Callable[[Story], Told]] = {
    "Size": sizes.chapter,
    "Mistakes": mistakes.chapter,
    "Parity ladder": ladder.chapter,
    "Speed": latency.chapter,
    "Limits": limits.chapter,
    "Quantization": layers.chapter,
    "Training": curves.chapter,
    "Since the last version": changes.chapter,
    "Where it comes from": origin.chapter,
}


def write(names: Sequence[str], root: Path, dest: Path) -> Path:
    """Writes `dest`/index.html and report.json about what lies in `root` (artifacts); answers where the page is.

    Raises RecordError for a record that is not what its stage writes.
    """
    stories = [story.read(name, root) for name in names]
    dest.mkdir(parents=True, exist_ok=True)
    partial = dest / f".{FILE}.{os.getpid()}"
    partial.write_text(document(stories), encoding="utf-8")
    partial.replace(dest / FILE)  # a reader never meets half a page
    records.write_json(dest / FACTS, {one.model: _facts(one) for one in stories})
    return dest / FILE


def document(stories: Sequence[Story]) -> str:
    """The page about these models."""
    passed = sum(one.passed is True for one in stories)
    rejected = sum(one.passed is False for one in stories)
    waiting = len(stories) - passed - rejected
    counts = f"{passed} passed, {rejected} rejected" + (f", {waiting} not judged yet" if waiting else "")
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    links = "".join(f'<a href="#{one.model}">{one.model}</a>' for one in stories)
    told = "".join(_article(one) for one in stories)
    body = f"""<header><h1>Pianissimo</h1>
<p class="soft">{counts} of {len(stories)} models; written {made} from the records of the last run.</p>
<nav>{links}</nav></header>
<article>{overview.chapter(stories)}</article>
{told}"""
    return html.page("Pianissimo: " + counts, body)


def _article(one: Story) -> str:
    """A model's story under its name."""
    version = f"version {one.manifest['version']}" if one.manifest else "not published by this run"
    head = f'<div class="head"><h2>{one.model}</h2>{html.verdict(one.passed)}<span class="soft">{version}</span></div>'
    told = {heading: tell(one) for heading, tell in CHAPTERS.items()}
    drawn = html.pictures(*(picture for part in told.values() for picture in part.pictures))
    words = "".join(html.chapter(heading, part.words) for heading, part in told.items())
    return f'<article id="{one.model}">{head}{limits.reasons(one)}{drawn}{words}</article>'


def _facts(one: Story) -> dict[str, Any]:
    """What the page shows of a model, for programs."""
    return {
        "passed": one.passed,
        "reasons": one.reasons,
        "metric": one.metric,
        "version": one.manifest.get("version"),
        "previous": one.earlier.get("version"),
        "stages": {name: vars(record) for name, record in one.records.items()},
        "limits": {name: platform["limits"] for name, platform in one.verdict.get("platforms", {}).items()},
        "lineage": one.lineage,
    }
