"""The parity ladder: the score at each rung from the teacher in its framework to the runtime fed with a recording."""

from typing import Any

from tasks.report import Artifact

from . import html, svg
from .html import Mark, Told
from .story import Story

KINDS = ("k1", "k2", "k3", "k4", "k5")
ROW = 26


def chapter(story: Story) -> Told:
    """One picture of every distinct form, and the figures of each rung."""
    forms = story.forms()
    if not forms:
        return Told()
    broken = [f"{one.platform} {one.form}: {words}" for one in forms if (words := one.figures["broken"])]
    words = "; ".join(broken) + "." if broken else "No rung breaks: each form answers as the one before it."
    picture = html.figure(_drawn(story, forms), "Score at each rung", words, _key(forms))
    return Told((picture,), html.folded("every rung in figures", _figures(forms)))


def _key(forms: list[Artifact]) -> list[Mark]:
    return [Mark(KINDS[n % len(KINDS)], f"{one.platform} {one.form}") for n, one in enumerate(forms)]


def _drawn(story: Story, forms: list[Artifact]) -> str:
    """Rungs go down the page, scores across; rungs that go by a form's precision share a place."""
    rungs = list(dict.fromkeys(_place(step) for one in forms for step in one.figures["ladder"]))
    picture = svg.Drawing(f"{story.model}: score at each rung of the parity ladder", 44 + ROW * len(rungs))
    scores = [step["score"] for one in forms for step in one.figures["ladder"]]
    bottom = 8 + ROW * len(rungs)
    across = svg.spanned(scores, 150, 345, least=1.0)
    picture.across(across, 6, bottom, f"{story.metric}, %")
    for n, rung in enumerate(rungs):
        picture.text(0, 22 + ROW * n, rung)
    for n, one in enumerate(forms):
        steps = one.figures["ladder"]
        shift = 3 * (n - (len(forms) - 1) / 2)  # equal scores stay apart, so that no form hides another
        places = [(across.place(step["score"]), 18 + shift + ROW * rungs.index(_place(step))) for step in steps]
        picture.line(places, KINDS[n % len(KINDS)])
        for step, (x, y) in zip(steps, places, strict=True):
            kind = "bad" if step["broken"] else KINDS[n % len(KINDS)]
            picture.dot(
                x, y, kind, f"{step['name']}: {step['score']:.2f} % {step['broken']}", 5 if step["broken"] else 3
            )
    return picture.svg()


def _place(step: dict[str, Any]) -> str:
    name = str(step["name"])
    return "converted, as shipped" if name.startswith("converted ") and name != "converted float" else name


def _figures(forms: list[Artifact]) -> str:
    rows = [
        (
            f"{one.platform} {one.form}",
            step["name"],
            f"{step['score']:.2f}",
            f"{step['drop']:+.2f}",
            f"{step['agreement']:.2f}",
            f"{step['distance']:.2g}" if step["distance"] is not None else "not comparable",
            step["broken"],
        )
        for one in forms
        for step in one.figures["ladder"]
    ]
    return html.table(("form", "rung", "score %", "drop", "same answers %", "largest distance", "broken"), rows, 2)
