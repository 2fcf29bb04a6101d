"""Lineage: the commit, the corpus with its licence, the libraries, the parameters and the hashes a version was made of."""

import json
from html import escape
from typing import Any

from . import html
from .html import Told
from .story import Story


def chapter(story: Story) -> Told:
    """A short table, and behind headings what is long."""
    lineage, record = story.lineage, story.records
    git = lineage.get("git") or {}
    dirty = " with changes that were not committed" if git.get("dirty") else ""
    rows = [("commit", f"{git['commit']}{dirty}" if git else "unknown: no git here")]
    rows += [(f"corpus {key}", _words(value)) for key, value in (lineage.get("corpus") or {}).items()]
    spent = sum(one.seconds for one in record.values())
    rows.append(
        (
            "time",
            f"{spent:.0f} s in {len(record)} stages: " + ", ".join(f"{k} {v.seconds:.0f}" for k, v in record.items()),
        )
    )
    shown = html.table(("", ""), rows, 2)
    for heading in ("libraries", "dvc"):
        if lineage.get(heading):
            shown += html.folded(
                heading,
                html.table(("name", "version" if heading == "libraries" else "md5"), lineage[heading].items(), 2),
            )
    if lineage.get("params"):
        shown += html.folded("parameters", f"<pre>{escape(json.dumps(lineage['params'], indent=2))}</pre>")
    return Told(words=f'<div class="wide">{shown}</div>')


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
