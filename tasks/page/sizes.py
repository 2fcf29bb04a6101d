"""From teacher to shipped files: size against score with the Pareto front, and what each stage left of the bytes."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import html, svg
from .html import Mark, Told
from .story import Story

WORDS = {
    "train": "teacher, float", "distill": "student, float", "prune": "pruned", "quantize": "quantized, in float",
}  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One network or file: bytes, score on test in percent with its interval, and what it is called."""

    name: str
    bytes: int
    score: float
    interval: tuple[float, float] | None
    kind: str


def chapter(story: Story) -> Told:
    """Both pictures; before the model was measured only the stages that ran."""
    return Told((_pareto(story), _journey(story)) if story.artifacts else (_journey(story),))


def points(story: Story) -> list[Point]:
    """The teacher in each runtime it was exported for, then every form that ships; equal ones are told once."""
    first = story.artifacts[0].figures
    teachers = {one.figures["teacher_bytes"]: one.figures["teacher_backend"] for one in story.artifacts}
    found = [
        Point(f"teacher {backend}", size, first["teacher_score"], story.interval("teacher"), "k0")
        for size, backend in teachers.items()
    ]
    for one in story.forms():
        platform = one.platform.split(", ")[0]
        interval = story.interval(f"{platform} {one.form}")
        size, score = one.figures["bytes"], one.figures["score"]
        found.append(Point(f"{one.platform} {one.form}", size, score, interval, "k1" if one.passed else "bad"))
    return found


def front(found: Sequence[Point], better: int) -> list[Point]:
    """Those that no other beats in both size and score, from the smallest up."""
    best: list[Point] = []
    for point in sorted(found, key=lambda one: (one.bytes, -better * one.score)):
        if not best or better * point.score > better * best[-1].score:
            best.append(point)
    return best


def _pareto(story: Story) -> str:
    found = points(story)
    reach = [end for one in found for end in (one.interval or (one.score, one.score))]
    picture = svg.Drawing(f"{story.model}: size against {story.metric}", 270)
    across = svg.spanned([one.bytes for one in found], 40, 350, log=True)
    up = svg.spanned(reach, 225, 24, least=1.0)
    picture.across(across, 24, 225, "bytes, logarithmic")
    picture.up(up, 40, 350, f"{story.metric}, %")
    places = [(across.place(one.bytes), up.place(one.score)) for one in found]
    best = front(found, story.better)
    picture.line(_stairs([(across.place(one.bytes), up.place(one.score)) for one in best]), "k3 dashed")
    for one, (x, _) in zip(found, places, strict=True):
        if one.interval:
            picture.line([(x, up.place(one.interval[0])), (x, up.place(one.interval[1]))], f"{one.kind} thin")
    for one, (x, y), to in zip(found, places, svg.spread([y for _, y in places], 13, 30, 222), strict=True):
        picture.dot(x, y, one.kind, f"{one.name}: {one.bytes:,} bytes, {one.score:.2f} %")
        right = x < 200
        picture.text(x + (9 if right else -9), to + 4, one.name, anchor="start" if right else "end")
    better = "up and left" if story.better > 0 else "down and left"
    key = [Mark("k0", "teacher"), Mark("k1", "passed"), Mark("bad", "rejected"), Mark("k3", "Pareto front")]
    words = f"Better is {better}. Bars are 95 % intervals of the score on test."
    return html.figure(picture.svg(), "Size against score", words, key)


def _stairs(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A front as steps: until the next form, nothing better is to be had."""
    steps = list(places[:1])
    for x, y in places[1:]:
        steps += [(x, steps[-1][1]), (x, y)]
    return steps


def _journey(story: Story) -> str:
    rows = [
        (WORDS[stage], record.bytes, f"{record.score:.2f} % on validation" if record.score is not None else "", "k0 faint")
        for stage, record in story.records.items()
        if stage in WORDS and record.bytes
    ]  # fmt: skip
    for one in story.forms():
        told, kind = f"{one.figures['score']:.2f} % on test", "k1" if one.passed else "bad"
        rows.append((f"{one.platform} {one.form}", one.figures["bytes"], told, kind))
    if not rows:
        return ""
    most = max(size for _, size, _, _ in rows)
    picture = svg.Drawing(f"{story.model}: bytes from stage to stage", 8 + 32 * len(rows))
    for n, (name, size, score, kind) in enumerate(rows):
        y = 12 + 32 * n
        picture.text(0, y, name)
        picture.text(svg.WIDTH, y, f"{size:,} bytes", "strong", "end")
        picture.bar(0, y + 4, size / most * svg.WIDTH, 9, kind, f"{name}: {size:,} bytes, {score}")
    key = [Mark("k0", "weights in float, by stage"), Mark("k1", "shipped file"), Mark("bad", "rejected file")]
    return html.figure(picture.svg(), "From teacher to shipped files", "", key)
