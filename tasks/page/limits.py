"""What the gate held each figure against, how much room was left, and why something was rejected."""

from html import escape
from typing import Any

from . import html, svg
from .html import Mark, Told
from .story import Story

# Limits that a figure has to reach; all others it must not pass.
LEAST = ("floor", "smaller", "faster", "faster_than_float", "agreement")
ROW = 19
FULL = 1.5  # shares of a limit beyond which a bar is cut


def chapter(story: Story) -> Told:
    """A picture a platform of every limit of every form; nothing before the gate spoke."""
    if not story.verdict:
        return Told()
    drawn = tuple(_drawn(story, name, platform) for name, platform in story.verdict["platforms"].items())
    return Told(drawn)


def reasons(story: Story) -> str:
    """Why the gate rejected the model, in its words; nothing where it did not."""
    found = "".join(f"<li>{escape(reason)}</li>" for reason in story.reasons)
    return f'<div class="why"><strong>Rejected because</strong><ul>{found}</ul></div>' if found else ""


def _drawn(story: Story, name: str, platform: dict[str, Any]) -> str:
    """A bar a limit: how much of it is used up. Over the line it is broken."""
    rows = [(form, item) for form, items in platform["limits"].items() for item in items]
    if not rows:
        return ""
    picture = svg.Drawing(
        f"{story.model}, {name}: figures against limits", 22 + ROW * len(rows) + 15 * len(platform["limits"])
    )
    line, y, before = 130 + 150 / FULL, 0.0, ""
    for form, item in rows:
        if form != before:
            picture.text(0, y + 11, form, "strong")
            y, before = y + 15, form
        used, kind = share(item, story.better), "bad" if item["reason"] else "good"
        said = item["reason"] or f"{item['limit']}: {item['figure']} against {item['allowed']}"
        picture.text(124, y + 11, item["limit"].replace("_", " "), "tick", "end")
        picture.bar(130, y + 2, min(max(used, 0.0), FULL) / FULL * 150, 11, kind, said)
        picture.text(svg.WIDTH, y + 11, f"{_figure(item['figure'])} / {_figure(item['allowed'])}", "tick", "end")
        y += ROW
    picture.line([(line, 2), (line, y)], "k0 dashed")
    picture.text(line, y + 13, "the limit", "tick", "middle")
    key = [Mark("good", "holds"), Mark("bad", "broken")]
    return html.figure(picture.svg(), f"{name}: how much of each limit is used", "Figure / limit on the right.", key)


def share(item: dict[str, Any], better: int) -> float:
    """How much of a limit a figure uses: 1 at the limit, above it broken. Where a ratio says nothing (a limit of 0, a figure
    that could not be had), what the gate said decides."""
    figure, allowed, broken = item["figure"], item["allowed"], bool(item["reason"])
    if not isinstance(figure, int | float) or not allowed or figure <= 0:
        return FULL if broken else 0.0
    reach = item["limit"] in LEAST and not (item["limit"] == "floor" and better < 0)
    return float(allowed / figure if reach else figure / allowed)


def _figure(value: Any) -> str:
    return svg.short(value) if isinstance(value, int | float) else "–"
