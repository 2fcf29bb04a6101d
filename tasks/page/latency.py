"""How long one answer takes: median and tail of each form on one thread, beside the teacher in two runtimes."""

from typing import Any

from . import html, svg
from .html import Mark, Told
from .story import Story

ROW = 34


def chapter(story: Story) -> Told:
    """One picture; nothing before the model was measured."""
    if not story.artifacts:
        return Told()
    rows = [row for one in story.forms() for row in _of_form(f"{one.platform} {one.form}", one.figures)]
    first = story.artifacts[0].figures
    rows.append(("teacher, same runtime", [first["teacher_p50_ms"]], "k0"))
    rows.append(("teacher, its own framework", [first["framework_p50_ms"]], "k0"))
    key = [Mark("k1", "the network"), Mark("k3", "from audio to answer"), Mark("k0", "teacher")]
    words = "A dot is the median, a bar reaches to p95, a thin line to p99. One call, one thread, all interleaved."
    return Told((html.figure(_drawn(story, rows), "Latency", words, key),))


def _of_form(name: str, figures: dict[str, Any]) -> list[tuple[str, list[float], str]]:
    """The network alone, and the whole prediction (of which validate keeps the median and p99)."""
    return [
        (name, [figures["p50_ms"], figures["p95_ms"], figures["p99_ms"]], "k1"),
        (f"{name}, from audio", [figures["predict_p50_ms"], figures["predict_p99_ms"]], "k3"),
    ]


def _drawn(story: Story, rows: list[tuple[str, list[float], str]]) -> str:
    picture = svg.Drawing(f"{story.model}: latency in milliseconds", 42 + ROW * len(rows))
    across = svg.spanned([ms for _, times, _ in rows for ms in times], 6, 350, log=True)
    picture.across(across, 4, 4 + ROW * len(rows), "milliseconds, logarithmic")
    for n, (name, times, kind) in enumerate(rows):
        y = 24 + ROW * n
        places = [across.place(ms) for ms in times]
        picture.text(0, y - 9, name)
        picture.text(svg.WIDTH, y - 9, " / ".join(f"{ms:.3g}" for ms in times) + " ms", "tick", "end")
        picture.line([(places[0], y), (places[-1], y)], f"{kind} thin")
        if len(places) > 2:
            picture.bar(places[0], y - 3, places[1] - places[0], 6, kind)
        picture.dot(places[0], y, kind, f"{name}: median {times[0]:.3f} ms")
    return picture.svg()
