"""The page of a sweep: size against score and latency against score of every trial, the front, and how to take one over."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from frameworks import metrics
from models import Model
from tasks import front
from tasks.front import Form, Trial

from . import html, svg
from .html import Mark

FILE = "index.html"
HEADING = ("", "settings", "platform", "form", "", "score %", "bytes", "ms")


def write(model: Model, trials: Sequence[Trial], dest: Path) -> Path:
    """Writes `dest`/index.html; answers where it is."""
    dest.mkdir(parents=True, exist_ok=True)
    partial = dest / f".{FILE}.{os.getpid()}"
    partial.write_text(document(model, trials), encoding="utf-8")
    partial.replace(dest / FILE)
    return dest / FILE


def document(model: Model, trials: Sequence[Trial]) -> str:
    """The page about these trials."""
    metric = metrics.choose(model.metric)
    best = front.front(trials, metric.better)
    counts = ", ".join(f"{n} {state}" for state in ("passed", "rejected", "failed") if (n := _count(trials, state)))
    title = f"{model.name}: {len(trials)} trials, {counts}"
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    words = (
        "Scores are of the validation split: what is chosen here was never shown the test split, by which the gate will judge "
        "it once. Latencies were taken in turn, in one process; two that differ by less than two digits show count as equal."
    )
    platforms = dict.fromkeys(form.platform for trial in trials for form in trial.forms)
    drawn = "".join(_platform(model, metric, trials, best, platform) for platform in platforms)
    taken = {trial.number: trial for trial, _ in best if trial.settings}
    commands = "".join(
        f"<p>{n}: <code>{escape(front.taking(model.name, one.settings))}</code></p>" for n, one in taken.items()
    )
    lost = "".join(f"<p>{one.number}, {one.state}: {escape(one.why)}</p>" for one in trials if one.why)
    body = f"""<header><h1>{model.name}</h1><p class="soft">{counts} of {len(trials)} trials; written {made}.</p>
{html.sentence(words)}</header>
<article>{drawn}{html.table(HEADING, _rows(trials, metric.better), 5)}
{html.chapter("Take one over", commands)}
{html.chapter("Why not", lost)}</article>"""
    return html.page(title, body)


def _count(trials: Sequence[Trial], state: str) -> int:
    return sum(one.state == state for one in trials)


def _rows(trials: Sequence[Trial], better: int) -> list[tuple[str, ...]]:
    signs = {"passed": html.verdict(True), "rejected": html.verdict(False)}
    return [
        (
            str(row["trial"]), row["settings"], row["platform"], row["form"],
            html.Raw("<b>front</b>") if row["front"] else signs.get(row["state"], row["state"]),
            str(row["score %"]), f"{row['bytes']:,}" if row["form"] else "", str(row["ms"]),
        )
        for row in front.rows(trials, better)
    ]  # fmt: skip


def _platform(
    model: Model, metric: metrics.Metric, trials: Sequence[Trial], best: Sequence[tuple[Trial, Form]], platform: str
) -> str:
    """Both pictures of one platform."""
    made = [(trial, form) for trial in trials for form in trial.forms if form.platform == platform]
    name = f"{metric.name.replace('_', ' ')}, %"
    shown = [
        _picture(f"{model.name} {platform}: {what} against score", made, best, values, (axis, name))
        for what, axis, values in (
            ("size", "bytes, logarithmic", [float(form.bytes) for _, form in made]),
            ("latency", "milliseconds, logarithmic", [form.ms for _, form in made]),
        )
    ]
    key = [Mark("k3", "on the front"), Mark("k1", "passed"), Mark("bad", "rejected")]
    better = "up and left" if metric.better > 0 else "down and left"
    words = f"Better is {better}. Numbers are the trials'; bars are 95 % intervals of the score on validation."
    headings = (f"{platform}: size against score", f"{platform}: latency against score")
    return html.pictures(*(html.figure(one, heading, words, key) for one, heading in zip(shown, headings, strict=True)))


def _picture(
    title: str,
    made: Sequence[tuple[Trial, Form]],
    best: Sequence[tuple[Trial, Form]],
    values: Sequence[float],
    axes: tuple[str, str],
) -> str:
    picture = svg.Drawing(title, 270)
    across = svg.spanned(values, 40, 350, log=True)
    up = svg.spanned([end for _, form in made for end in form.interval], 225, 24, least=1.0)
    picture.across(across, 24, 225, axes[0])
    picture.up(up, 40, 350, axes[1])
    kinds = ["k3" if one in best else "k1" if one[1].passed else "bad" for one in made]
    places = [(across.place(value), up.place(form.score)) for value, (_, form) in zip(values, made, strict=True)]
    for (x, _), (_, form), kind in zip(places, made, kinds, strict=True):
        picture.line([(x, up.place(form.interval[0])), (x, up.place(form.interval[1]))], f"{kind} thin")
    heights = svg.spread([y for _, y in places], 11, 30, 222)
    for (x, y), (trial, form), kind, to in zip(places, made, kinds, heights, strict=True):
        figures = f"{form.bytes:,} bytes, {form.score:.2f} %, {form.ms:.3g} ms"
        picture.dot(x, y, kind, f"{trial.number}: {front.said(trial.settings)}, {form.name}: {figures}")
        picture.text(x + 8, to + 4, str(trial.number))
    return picture.svg()
