"""Small inline SVG: axes, dots, lines and bars, coloured by CSS classes so that one drawing serves the light and the dark.

A drawing is 360 units wide, the width of a phone, where a unit is a pixel and 11 units of text can be read.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH = 360


@dataclass(frozen=True)
class Axis:
    """A range of numbers laid out between two places of a drawing, in units; `log` needs both ends above 0."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False  # only whole numbers are marked

    def place(self, value: float) -> float:
        """Where a number lies, in units; numbers outside lie at the nearer end."""
        low, high, at = (math.log10(v) for v in (self.low, self.high, max(value, self.low))) if self.log else (
            self.low, self.high, value)  # fmt: skip
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, wanted: int = 4) -> list[float]:
        """Round numbers inside the range: about `wanted` of 1, 2 or 5 times a power of ten."""
        found = _decades(self.low, self.high) if self.log else _steps(self.low, self.high, wanted)
        return [tick for tick in found if tick == int(tick)] if self.whole else found


def spanned(
    values: Iterable[float],
    start: float,
    end: float,
    *,
    log: bool = False,
    least: float = 0.0,
    above: float = -math.inf,
) -> Axis:
    """An axis around these numbers with a little room; at least `least` wide, and not below `above`."""
    found = list(values)
    low, high = min(found), max(found)
    if log:
        return Axis(low / 1.4, high * 1.6, start, end, log=True)
    room = max((high - low) * 0.12, (least - (high - low)) / 2, 1e-9)
    return Axis(max(low - room, above), high + room, start, end)


def _steps(low: float, high: float, wanted: int) -> list[float]:
    raw = (high - low) / wanted
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for marks in ((1,), (1, 3), (1, 2, 5)):
        found = [m * 10.0**p for p in powers for m in marks if low <= m * 10.0**p <= high]
        if len(found) >= 2:
            return found
    return found


@dataclass
class Drawing:
    """A picture being made, `height` units high; `title` is what a screen reader says of it."""

    title: str
    height: float
    parts: list[str] = field(default_factory=list)

    def line(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """A line through these places."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline class="line {kind}" points="{path}"/>')

    def dot(self, x: float, y: float, kind: str, said: str = "", radius: float = 4.5) -> None:
        """A dot; `said` is shown when the pointer rests on it."""
        self.parts.append(f'<circle class="dot {kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">{_said(said)}</circle>')

    def bar(self, x: float, y: float, width: float, height: float, kind: str, said: str = "") -> None:
        """A filled rectangle."""
        size = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height:.1f}"'
        self.parts.append(f'<rect class="bar {kind}" {size} rx="1.5">{_said(said)}</rect>')

    def cell(self, x: float, y: float, size: float, strength: float, said: str) -> None:
        """A square of a heat map, `strength` from 0 to 1."""
        place = f'x="{x:.1f}" y="{y:.1f}" width="{size:.1f}" height="{size:.1f}"'
        self.parts.append(f'<rect class="cell" {place} fill-opacity="{strength:.3f}">{_said(said)}</rect>')

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        """Words that begin, end or are centred at a place."""
        self.parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>')

    def across(self, axis: Axis, top: float, bottom: float, words: str = "", unit: str = "") -> None:
        """Grid lines and numbers of a horizontal axis, below `bottom`; `words` name it."""
        for tick in axis.ticks():
            x = axis.place(tick)
            self.parts.append(f'<line class="grid" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}"/>')
            self.text(x, bottom + 13, short(tick) + unit, "tick", "middle")
        if words:
            self.text((axis.start + axis.end) / 2, bottom + 28, words, "tick", "middle")

    def up(self, axis: Axis, left: float, right: float, words: str = "") -> None:
        """Grid lines and numbers of a vertical axis, left of `left`; `words` stand above it."""
        for tick in axis.ticks():
            y = axis.place(tick)
            self.parts.append(f'<line class="grid" x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}"/>')
            self.text(left - 5, y + 4, short(tick), "tick", "end")
        if words:
            self.text(2, axis.end - 8, words, "tick")

    def svg(self) -> str:
        """The picture as an element."""
        inside = "".join(self.parts)
        return (
            f'<svg viewBox="0 0 {WIDTH} {self.height:.0f}" role="img" aria-label="{escape(self.title)}">{inside}</svg>'
        )


def short(number: float) -> str:
    """A number as a person reads it at a glance: 1.2M, 45k, 0.05."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def spread(places: Sequence[float], gap: float, top: float, bottom: float) -> list[float]:
    """The places of labels, pushed apart to at least `gap` and kept between `top` and `bottom`, in the order given."""
    order = sorted(range(len(places)), key=lambda n: places[n])
    moved, last = list(places), top - gap
    for n in order:
        last = moved[n] = max(places[n], last + gap)
    last = bottom + gap
    for n in reversed(order):
        last = moved[n] = min(moved[n], last - gap)
    return moved


def _said(words: str) -> str:
    return f"<title>{escape(words)}</title>" if words else ""
