"""Training and what came after it: the score on validation, epoch by epoch, of the teacher and of each way to its student."""

from collections.abc import Iterable

from . import html, svg
from .html import Mark, Told
from .story import Row, Story

HEADINGS = {"train": "Teacher", "distill": "Distillation", "prune": "After pruning", "quantize": "Quantization-aware"}
KINDS = ("k1", "k2", "k3", "k4", "k5")


def chapter(story: Story) -> Told:
    """A picture a stage that trained and was scored while it did."""
    scored = {stage: rows for stage, rows in story.curves.items() if any(row.get("validation_score") for row in rows)}
    return Told(tuple(_drawn(story, stage, rows) for stage, rows in scored.items()))


def _drawn(story: Story, stage: str, rows: list[Row]) -> str:
    """Score against epoch, a line a phase or attempt, and a dot at its best."""
    lines = _lines(rows)
    epochs = [x for points in lines.values() for x, _ in points]
    scores = [y for points in lines.values() for _, y in points]
    picture = svg.Drawing(f"{story.model}, {stage}: score on validation by epoch", 215)
    across, up = svg.Axis(min(epochs), max(*epochs, 2), 40, 345, whole=True), svg.spanned(scores, 172, 24, least=1.0)
    picture.up(up, 40, 350, f"{story.metric} on validation, %")
    picture.across(across, 24, 172, "epoch")
    names = list(lines)
    for n, name in enumerate(names):
        kind, places = KINDS[n % len(KINDS)], [(across.place(x), up.place(y)) for x, y in lines[name]]
        picture.line(places, kind)
        best = max(lines[name], key=lambda point: story.better * point[1])
        picture.dot(
            across.place(best[0]), up.place(best[1]), kind, f"{name}: best {best[1]:.2f} % at epoch {best[0]:.0f}"
        )
    ends = [f"{name}: {max(lines[name], key=lambda p: story.better * p[1])[1]:.2f} %" for name in names]
    key = [Mark(KINDS[n % len(KINDS)], words) for n, words in enumerate(ends)]
    return html.figure(picture.svg(), HEADINGS[stage], "", key)


def _lines(rows: Iterable[Row]) -> dict[str, list[tuple[float, float]]]:
    """Points by phase; the attempts of one phase are lines of their own."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        attempt = f", attempt {row['attempt']}" if row.get("attempt", "") not in ("", "1") else ""
        if row.get("validation_score"):
            found.setdefault(row["phase"] + attempt, []).append((float(row["epoch"]), float(row["validation_score"])))
    return found
