"""The page around the pictures: its style in the light and in the dark, and the few elements chapters are made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

# Nothing may be fetched: a browser that honours this refuses whatever the page would ask for.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


@dataclass(frozen=True)
class Mark:
    """A coloured key beside a word: `kind` is the class the drawing uses for it."""

    kind: str
    words: str


@dataclass(frozen=True)
class Told:
    """A chapter: its pictures, which stand together at the top of a model's story, and the words and figures further down."""

    pictures: tuple[str, ...] = ()
    words: str = ""


def page(title: str, body: str) -> str:
    """The whole document."""
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    return SHELL.format(policy=POLICY, title=escape(title), style=style, body=body)


def figure(picture: str, heading: str, words: str = "", key: Iterable[Mark] = ()) -> str:
    """A picture under its heading, with its key and a sentence that says how to read it."""
    marks = "".join(f'<span class="mark"><i class="{mark.kind}"></i>{escape(mark.words)}</span>' for mark in key)
    legend = f'<p class="key">{marks}</p>' if marks else ""
    caption = f"<figcaption>{escape(words)}</figcaption>" if words else ""
    return f"<figure><h4>{escape(heading)}</h4>{legend}{picture}{caption}</figure>"


def pictures(*figures: str) -> str:
    """Figures side by side where there is room, one below the other on a phone; nothing where there are none."""
    shown = "".join(figures)
    return f'<div class="pictures">{shown}</div>' if shown else ""


def table(heading: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A table that scrolls by itself; the first `words` columns are words, the others numbers. Cells are escaped unless
    they are `Raw`."""
    head = "".join(f"<th{_side(n, words)}>{_cell(cell)}</th>" for n, cell in enumerate(heading))
    body = "".join(
        f"<tr>{''.join(f'<td{_side(n, words)}>{_cell(cell)}</td>' for n, cell in enumerate(row))}</tr>" for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


class Raw(str):
    """HTML that was made here and is not escaped again."""

    __slots__ = ()


def verdict(passed: bool | None) -> Raw:
    """Passed, rejected or not judged, by a sign and a word as well as a colour."""
    kind, words = {True: ("good", "✓ passed"), False: ("bad", "✗ rejected"), None: ("unknown", "not judged yet")}[
        passed
    ]
    return Raw(f'<span class="verdict {kind}">{words}</span>')


def chapter(heading: str, content: str) -> str:
    """A part of a model's story; nothing where there is nothing to tell."""
    return f"<section><h3>{escape(heading)}</h3>{content}</section>" if content else ""


def sentence(words: str) -> str:
    """A quiet line of words; nothing where there are none."""
    return f'<p class="soft">{escape(words)}</p>' if words else ""


def folded(heading: str, content: str) -> str:
    """What few will want to read, behind its heading."""
    return f"<details><summary>{escape(heading)}</summary>{content}</details>"


def _cell(cell: str) -> str:
    return cell if isinstance(cell, Raw) else escape(cell)


def _side(column: int, words: int) -> str:
    return "" if column < words else ' class="number"'
