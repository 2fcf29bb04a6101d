"""What is got wrong on test, by teacher and by a shipped form: confusions of labels, errors by phoneme, or a DET curve."""

from statistics import NormalDist
from typing import Any

from . import html, svg
from .html import Mark, Told
from .story import Story

PHONEMES = 16
RATES = (0.1, 0.5, 1, 2, 5, 10, 20, 40, 60, 80)  # percent: the customary marks of a DET curve's axes


def chapter(story: Story) -> Told:
    """The picture of the task for the first form the first platform loads, beside the teacher's."""
    names = [f"{one.platform} {one.form}" for one in story.artifacts[:1]]
    shown = {name: story.mistakes[name] for name in ("teacher", *names) if name in story.mistakes}
    if not shown:
        return Told()
    if all("det" in found for found in shown.values()):
        return Told((_det(story, shown),))
    drawn = _confusion if all("confusion" in found for found in shown.values()) else _phonemes
    return Told(tuple(drawn(story, name, found) for name, found in shown.items()))


def _confusion(story: Story, name: str, found: dict[str, Any]) -> str:
    labels, counts = found["labels"], found["confusion"]
    left, top = 78, 66
    size = (svg.WIDTH - left - 4) / len(labels)
    picture = svg.Drawing(f"{story.model}, {name}: confusion matrix", top + size * len(labels) + 4)
    for n, label in enumerate(labels):
        x, y = left + size * (n + 0.5), top + size * (n + 0.5)
        picture.text(left - 5, y + 4, label[:11], anchor="end")
        picture.parts.append(f'<g transform="translate({x + 4:.1f} {top - 6}) rotate(-55)">')
        picture.text(0, 0, label[:11])
        picture.parts.append("</g>")
    for n, row in enumerate(counts):
        for m, count in enumerate(row):
            x, y, share = left + size * m, top + size * n, count / max(sum(row), 1)
            # A few mistakes must be seen beside a hundred right answers, hence the root.
            picture.cell(x + 0.5, y + 0.5, size - 1, share**0.5, f"{labels[n]} taken for {labels[m]}: {count}")
            if count and size >= 18:
                picture.text(x + size / 2, y + size / 2 + 4, str(count), "on" if share > 0.3 else "tick", "middle")
    right, total = sum(row[n] for n, row in enumerate(counts)), sum(map(sum, counts))
    words = f"{total - right} of {total} wrong. Rows are what it was, columns what it was taken for."
    return html.figure(picture.svg(), f"Confusions, {name}", words)


def _phonemes(story: Story, name: str, found: dict[str, Any]) -> str:
    rows = sorted(found["phonemes"].items(), key=lambda item: -sum(item[1][1:]))[:PHONEMES]
    most = max((sum(counts[1:]) for _, counts in rows), default=1) or 1
    picture = svg.Drawing(f"{story.model}, {name}: errors by phoneme", 10 + 18 * len(rows))
    for n, (phoneme, (said, *wrong)) in enumerate(rows):
        x, y = 34.0, 4 + 18 * n
        picture.text(0, y + 10, phoneme, "strong")
        for kind, words, count in zip(
            ("k1", "k2", "k3"), ("taken for another", "left out", "made up"), wrong, strict=True
        ):
            width = 230 * count / most
            if count:
                picture.bar(x, y, width - 1, 12, kind, f"{phoneme} {words}: {count} of {said} said")
            x += width
        picture.text(x + 5, y + 10, f"{sum(wrong)} of {said}", "tick")
    pairs = ", ".join(f"{said} as {heard} ({count})" for said, heard, count in found["confused"][:6])
    key = [Mark("k1", "taken for another"), Mark("k2", "left out"), Mark("k3", "made up")]
    return html.figure(picture.svg(), f"Errors by phoneme, {name}", f"Most often: {pairs}." if pairs else "", key)


def _det(story: Story, shown: dict[str, Any]) -> str:
    """Both axes are normal deviates (Martin et al. 1997), on which normally distributed scores make a straight line."""
    picture = svg.Drawing(f"{story.model}: detection error trade-off", 352)
    low, high = _deviate(RATES[0]), _deviate(RATES[-1])
    across, up = svg.Axis(low, high, 40, 350), svg.Axis(low, high, 310, 14)
    for rate in RATES:
        x, y = across.place(_deviate(rate)), up.place(_deviate(rate))
        picture.line([(x, 14), (x, 310)], "grid")
        picture.line([(40, y), (350, y)], "grid")
        picture.text(x, 323, f"{rate:g}", "tick", "middle")
        picture.text(35, y + 4, f"{rate:g}", "tick", "end")
    picture.text(195, 338, "impostors let in, %", "tick", "middle")
    picture.text(2, 8, "rightful speakers kept out, %", "tick")
    picture.line([(40, 310), (350, 14)], "grid")
    kinds = ("k0", "k1")
    for kind, found in zip(kinds, shown.values(), strict=False):
        inside = [point for point in found["det"] if any(RATES[0] <= rate <= RATES[-1] for rate in point)]
        picture.line([(across.place(_deviate(accept)), up.place(_deviate(reject))) for accept, reject in inside], kind)
    words = "Nearer the lower left corner is better; the equal error rate lies on the diagonal."
    figures = story.artifacts[0].figures if story.artifacts else {}
    if "false_accepts" in figures:
        accepts, rejects = figures["false_accepts"], figures["false_rejects"]
        picture.dot(across.place(_deviate(accepts)), up.place(_deviate(rejects)), kinds[-1], "at its own threshold")
        words += " Dot: at the form's own threshold, fitted on validation, "
        words += f"{accepts:.1f} % are let in and {rejects:.1f} % kept out."
    key = [Mark(kind, name) for kind, name in zip(kinds, shown, strict=False)]
    return html.figure(picture.svg(), "Detection error trade-off", words, key)


def _deviate(percent: float) -> float:
    return NormalDist().inv_cdf(min(max(percent / 100, 1e-5), 1 - 1e-5))
