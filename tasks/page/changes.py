"""What is other than in the last published version: figures of each form, parameters, corpus, libraries, commit."""

from collections.abc import Iterator
from typing import Any

from . import html
from .html import Told
from .story import Story

FIGURES = (
    ("score", "score %", ".2f"),
    ("bytes", "bytes", ",.0f"),
    ("p50_ms", "median ms", ".3f"),
    ("memory_mb", "process MB", ".0f"),
)


def chapter(story: Story) -> Told:
    """A table of figures and one of settings, against the version before; a sentence where there is none."""
    if story.silent:
        return Told(words=html.sentence(f"The registry could not be read: {story.silent}"))
    if not story.earlier:
        return Told(words=html.sentence("No version was published before."))
    made = f"Version {story.earlier['version']} was published {story.earlier['created']}."
    figures, settings = list(_figures(story)), list(differences(story.earlier.get("lineage") or {}, story.lineage))
    tables = html.table(("form", "figure", "before", "now", "change"), figures, 2) if figures else ""
    tables += (
        html.table(("setting", "before", "now"), settings, 3) if settings else html.sentence("No setting was changed.")
    )
    return Told(words=html.sentence(made) + tables)


def _figures(story: Story) -> Iterator[tuple[str, ...]]:
    for one in story.artifacts:
        before = story.earlier["platforms"].get(one.platform, {}).get("figures", {}).get(one.form)
        if before is None:
            yield f"{one.platform} {one.form}", "new", "", "", ""
            continue
        for key, words, shape in FIGURES:
            was, now = before[key], one.figures[key]
            moved = f"{100 * (now / was - 1):+.1f} %" if key != "score" and was else f"{now - was:+.2f}"
            yield f"{one.platform} {one.form}", words, format(was, shape), format(now, shape), moved


def differences(before: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(key, before, now) of every leaf of a lineage that differs; hashes of outputs follow from the rest and are left out."""
    first, second = (dict(_leaves({k: v for k, v in one.items() if k != "dvc"})) for one in (before, now))
    for key in sorted({*first, *second}):
        if first.get(key) != second.get(key):
            yield key, _shown(first.get(key)), _shown(second.get(key))


def _leaves(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from _leaves(value, f"{place}.{key}" if place else str(key))
    else:
        yield place, node


def _shown(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
