"""The registry's own page, `index.html`: what is in it and how to use it, for a person with a browser and no network."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, partial
from html import escape

from pianissimo import layout
from pianissimo.errors import ManifestError
from pianissimo.manifest import Platform, Variant

from . import contention, state
from .keys import AbsentError
from .page_style import HEAD
from .state import Model, Version
from .store import Store

# Figure of validate -> its heading and how it is written; a figure that was not measured leaves its cell empty.
FIGURES = {
    "score": ("score %", "{:.2f}"),
    "drop": ("drop", "{:+.2f}"),
    "smaller": ("smaller %", "{:.0f}"),
    "faster": ("× faster", "{:.1f}"),
    "faster_than_float": ("× float", "{:.2f}"),
    "p50_ms": ("ms", "{:.3f}"),
    "memory_mb": ("MB", "{:.0f}"),
}
SECTION = re.compile(r'<section id="([^"]+)">.*?</section>', re.DOTALL)  # what people wrote is escaped, so it ends none


def write(store: Store, model: str | None = None) -> bool:
    """Write the page anew from what the registry holds now; False when it says that already.

    With `model` only that model's section is: the others stay as they stand on the page, so that publishing one of a
    thousand models does not read the other 999.
    """
    kept: dict[str, bytes] = {}
    signers = cache(partial(state.signers_of, store)) if model else state.all_signers(store)  # a new document has a new digest
    lost = 0
    while True:
        try:
            before = store.get(layout.page_key())
        except AbsentError:
            before = None
        standing = _standing(before) if model else None
        now = render(store, signers, kept, standing, model).encode()
        if now == before:
            return False
        if store.compare_and_swap(layout.page_key(), before, now):
            return True
        lost += 1
        contention.pause(lost)


def _standing(page: bytes | None) -> dict[str, str] | None:
    """The sections of the models on a page; None where there is none, or one that another version of this program wrote."""
    text = (page or b"").decode(errors="replace")
    return {found[1]: found[0] for found in SECTION.finditer(text)} if text.startswith(HEAD) else None


def render(
    store: Store,
    signers: state.Signers,
    kept: dict[str, bytes] | None = None,
    standing: dict[str, str] | None = None,
    model: str | None = None,
) -> str:
    """The page as text; `signers` and `kept` as `state.read_model` has them. Of `standing` sections that of `model` alone is
    made anew."""
    wheels = [key.rpartition("/")[2] for key in store.list(layout.runtime_key(""))]
    if standing is None or model is None:
        sections = {name: _chapter(store, name, kept, signers) for name in state.models(store)}
    else:
        sections = dict(sorted({**standing, model: _chapter(store, model, kept, signers)}.items()))
    title = f"{len(sections)} model{'s' if len(sections) != 1 else ''}"
    links = " ".join(f'<a href="#{name}">{name}</a>' for name in sections)
    return "\n".join(
        [
            HEAD,
            f"<header><h1>Model registry</h1><p>{title}: {links}</p></header>",
            f"<main>{_install(store.root, wheels, list(sections))}",
            *sections.values(),
            "</main></body></html>",
            "",
        ]
    )


def _chapter(store: Store, name: str, kept: dict[str, bytes] | None, signers: state.Signers) -> str:
    """One model; one whose documents are not what their schema says is shown with the reason."""
    try:
        return _model(state.read_model(store, name, kept, signers))
    except ManifestError as fault:
        return f'<section id="{escape(name)}"><h2>{escape(name)}</h2><p class="bad">{escape(str(fault))}</p></section>'


def _install(root: str, wheels: list[str], names: list[str]) -> str:
    folder = "://" not in root
    place = "PATH/TO/THIS/FOLDER" if folder else root
    extra = "tflite" if folder else "tflite,s3"
    wheel = max(wheels, key=lambda name: [int(part) for part in re.findall(r"\d+", name.split("-")[1])], default="")
    fetch = (
        f"pip install 'pianissimo[{extra}] @ file:///FOLDER/OF/{wheel}'"
        if wheel
        else f"pip install 'pianissimo[{extra}]'"
    )
    code = f"{fetch}\nexport PIANISSIMO_REGISTRY={place}"
    if names:
        code += f"\npython -m pianissimo predict {names[0]} --platform PLATFORM FILE.wav"
    linked = ", ".join(f'<a href="runtime/{escape(name)}">{escape(name)}</a>' for name in sorted(wheels))
    return f"<section><h2>Use it</h2><pre>{escape(code)}</pre>{f'<p>Runtime: {linked}</p>' if wheels else ''}</section>"


def _model(model: Model) -> str:
    newest = model.versions[0].manifest if model.versions else None
    about = f"{newest.task}, {len(newest.labels)} labels" if newest else "no version yet"
    chips = "".join(
        f'<span class="chip">{name} <b>{channel.version}</b></span>' for name, channel in model.channels.items()
    )
    versions = "".join(_version(model, version, position == 0) for position, version in enumerate(model.versions))
    return (
        f'<section id="{model.name}"><h2>{model.name} {chips}</h2><p>{about}</p>{versions}{_history(model)}</section>'
    )


def _version(model: Model, version: Version, first: bool) -> str:
    manifest, yanked = version.manifest, version.yanked
    marks = [f'<span class="chip">{name}</span>' for name in model.naming(version.number)]
    marks += ['<span class="chip bad">yanked</span>'] if yanked else []
    signed = f"signed by {', '.join(version.signers)}" if version.signers else "not signed"
    shown = "open" if model.naming(version.number) or first else ""
    words = ""
    if yanked:
        then = f"version {yanked.instead} is used instead" if yanked.instead else "there is no earlier one"
        words = f'<p class="bad">Yanked by {escape(yanked.who)}, {yanked.when}: {escape(yanked.why)}; {then}.</p>'
    card = f'<a href="{version.card}">model card</a>' if version.card else ""
    rejected = "".join(
        f"<li><b>{name}</b> {escape('; '.join(reasons))}</li>" for name, reasons in manifest.rejected.items()
    )
    return (
        f"<details {shown}><summary>Version {version.number} {''.join(marks)} <small>{manifest.created}, {signed}"
        f", runtime {manifest.least_runtime} or later</small></summary>{words}{_platforms(version)}"
        f"{f'<p>Not published:</p><ul>{rejected}</ul>' if rejected else ''}{_lineage(version)}{card}</details>"
    )


def _platforms(version: Version) -> str:
    rows = [
        _row(name, platform, variant)
        for name, platform in version.manifest.platforms.items()
        for variant in platform.variants
    ]
    return _table(["platform", "form", "bytes", *(heading for heading, _ in FIGURES.values())], rows)


def _row(name: str, platform: Platform, variant: Variant) -> list[str]:
    measured = platform.figures.get(variant.name)
    figures = measured if isinstance(measured, dict) else {}
    cells = [_number(figures.get(key), form) for key, (_, form) in FIGURES.items()]
    size = figures.get("bytes", sum(file.bytes for file in variant.files))
    form = f"{variant.backend} {variant.precision}"
    return [name, form, _number(size, "{:,}"), *cells]


def _number(value: object, form: str) -> str:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return form.format(value) if number else ""


def _lineage(version: Version) -> str:
    lineage = version.manifest.lineage
    git, corpus = lineage.get("git"), lineage.get("corpus")
    facts = []
    if isinstance(git, dict):
        facts.append(f"commit {str(git.get('commit'))[:12]}{' with changes' if git.get('dirty') else ''}")
    if isinstance(corpus, dict):
        facts.append(f"corpus {corpus.get('name')} ({corpus.get('licence')})")
    return f"<p><small>Made from {escape(', '.join(facts))}</small></p>" if facts else ""


def _history(model: Model) -> str:
    moves = [
        (step.when, name, f"{step.origin or '·'} → {step.version}", step.who, step.why)
        for name, channel in model.channels.items()
        for step in channel.history
    ]
    if not moves:
        return ""
    rows = [list(map(str, move)) for move in sorted(moves, reverse=True)]
    table = _table(["when", "channel", "move", "who", "why"], rows)
    return f"<details><summary>{len(moves)} channel moves</summary>{table}</details>"


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
