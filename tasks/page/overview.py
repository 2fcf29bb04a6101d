"""All models at a glance: which passed, how small each became against what it lost, and one row a form."""

from collections.abc import Sequence

from tasks.report import Artifact, ratio

from . import html, svg
from .html import Mark, Raw
from .story import Story

ROW = 30


def chapter(stories: Sequence[Story]) -> str:
    """Pictures of the judged models, then the table of all."""
    judged = [story for story in stories if story.artifacts]
    shown = html.pictures(_shrunk(judged), _lost(judged)) if judged else ""
    return shown + _table(stories)


def _first(story: Story) -> Artifact:
    """What its smallest form is."""
    return min(story.artifacts, key=lambda one: one.figures["bytes"])


def _kind(story: Story) -> str:
    return "k1" if story.passed else "bad"


def _shrunk(stories: Sequence[Story]) -> str:
    """The smallest form beside its teacher, both in bytes."""
    picture = svg.Drawing("bytes of each model's teacher and smallest form", 38 + ROW * len(stories))
    sizes = [size for one in stories for size in (_first(one).figures["bytes"], _first(one).figures["teacher_bytes"])]
    across, bottom = svg.spanned(sizes, 95, 350, log=True), 6 + ROW * len(stories)
    picture.across(across, 4, bottom, "bytes, logarithmic")
    for n, story in enumerate(stories):
        figures, y = _first(story).figures, 20 + ROW * n
        small, large = across.place(figures["bytes"]), across.place(figures["teacher_bytes"])
        picture.text(0, y + 4, story.model, "strong")
        picture.line([(small, y), (large, y)], "k0 thin")
        picture.dot(large, y, "k0", f"teacher: {figures['teacher_bytes']:,} bytes")
        picture.dot(
            small, y, _kind(story), f"{_first(story).platform} {_first(story).form}: {figures['bytes']:,} bytes"
        )
        times = figures["teacher_bytes"] / figures["bytes"]
        picture.text((small + large) / 2, y - 5, f"{times:.3g} × smaller", "tick", "middle")
    key = [Mark("k0", "teacher"), Mark("k1", "smallest form"), Mark("bad", "rejected")]
    return html.figure(picture.svg(), "How small", "", key)


def _lost(stories: Sequence[Story]) -> str:
    """Points lost against the teacher with the 95 % interval, of the same form."""
    picture = svg.Drawing("points each model's smallest form lost against its teacher", 38 + ROW * len(stories))
    ends = [end for story in stories for end in _first(story).figures["drop_interval"]]
    across, bottom = svg.spanned([*ends, 0.0], 95, 350, least=2.0), 6 + ROW * len(stories)
    picture.across(across, 4, bottom, "points lost against the teacher; left of 0 it is better")
    picture.line([(across.place(0), 4), (across.place(0), bottom)], "k0 dashed")
    for n, story in enumerate(stories):
        figures, y = _first(story).figures, 20 + ROW * n
        low, high = figures["drop_interval"]
        said = f"{figures['drop']:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f}"
        picture.text(0, y + 4, story.model, "strong")
        picture.line([(across.place(low), y), (across.place(high), y)], f"{_kind(story)} thin")
        picture.dot(across.place(figures["drop"]), y, _kind(story), said)
    key = [Mark("k1", "smallest form"), Mark("bad", "rejected")]
    return html.figure(picture.svg(), "At what price", "Lines are 95 % intervals, paired bootstrap on test.", key)


def _table(stories: Sequence[Story]) -> str:
    heading = (
        "model",
        "platform",
        "form",
        "verdict",
        "score %",
        "drop (95 % interval)",
        "bytes",
        "× smaller",
        "ms",
        "× faster",
        "× float",
        "MB",
    )
    return html.table(heading, [row for story in stories for row in _rows(story)], 4)


def _rows(story: Story) -> list[tuple[str, ...]]:
    if not story.artifacts:
        return [(_link(story), "", "", html.verdict(None), *[""] * 8)]
    first = story.artifacts[0].figures
    score = _with_interval(first["teacher_score"], story.interval("teacher"))
    teacher = (
        _link(story),
        "",
        "teacher",
        "",
        score,
        "",
        f"{first['teacher_bytes']:,}",
        "",
        f"{first['teacher_p50_ms']:.3f}",
        *[""] * 3,
    )
    return [teacher, *(_row(story, one) for one in story.artifacts)]


def _row(story: Story, one: Artifact) -> tuple[str, ...]:
    figures = one.figures
    low, high = figures["drop_interval"]
    return (
        "",
        one.platform,
        one.form,
        html.verdict(one.passed),
        _with_interval(figures["score"], story.interval(f"{one.platform} {one.form}")),
        f"{figures['drop']:+.2f} ({low:+.2f} to {high:+.2f})",
        f"{figures['bytes']:,}",
        f"{figures['teacher_bytes'] / figures['bytes']:.1f}",
        f"{figures['p50_ms']:.3f}",
        f"{figures['faster']:.1f}",
        ratio(figures["faster_than_float"]),
        f"{figures['memory_mb']:.0f}",
    )


def _link(story: Story) -> Raw:
    return Raw(f'<a href="#{story.model}">{story.model}</a>')


def _with_interval(score: float, interval: tuple[float, float] | None) -> str:
    return f"{score:.2f} ({interval[0]:.2f} to {interval[1]:.2f})" if interval else f"{score:.2f}"
