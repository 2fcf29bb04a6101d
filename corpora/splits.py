"""Split a corpus into train, validation and test, so that nobody heard in one is heard in another."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from corpora.assignment import assign
from corpora.corpus import SPLITS, Clip, Corpus, content_hash
from corpora.errors import CorpusError

Parts = dict[str, list[Clip]]


def split(corpus: Corpus, fractions: Mapping[str, float], seed: int, *, compare_files: bool = True) -> Parts:
    """Split a corpus into {"train": […], "validation": […], "test": […]}, each sorted by path.

    Without an official split, whole groups are dealt out so that each label's share in each part comes as near
    to `fractions` as the groups allow; the same seed deals the same way. An official split (the corpus's own
    column) wins; a part it lacks is taken from its train, by group, or by clip where the official split lets
    groups cross anyway. Raises CorpusError when a label is missing from a part, or when two parts hold the
    same file; a caller that reads the audio, and can tell one recording in two formats, leaves that out.
    """
    _check_fractions(fractions)
    official = any(clip.split for clip in corpus.clips)
    parts = _official(corpus, fractions, seed) if official else _by_group(corpus.clips, fractions, seed)
    _check_labels(corpus, parts)
    if compare_files:
        _check_content(corpus, parts)
    return {name: sorted(parts[name], key=lambda clip: clip.path) for name in SPLITS}


def _official(corpus: Corpus, fractions: Mapping[str, float], seed: int) -> Parts:
    parts: Parts = {name: [clip for clip in corpus.clips if clip.split == name] for name in SPLITS}
    if not parts["train"]:
        raise CorpusError("the official split has no train part", place=corpus.root, allowed="train and others")
    lacking = [name for name in SPLITS if not parts[name]]
    if not lacking:
        return parts
    given = [{clip.group for clip in parts[name]} for name in SPLITS if parts[name]]
    crossing = len(set().union(*given)) < sum(map(len, given))
    shares = _rescale({name: fractions[name] for name in ("train", *lacking)})
    taken = (_by_clip if crossing else _by_group)(parts["train"], shares, seed)
    return parts | taken


def _by_group(clips: Sequence[Clip], fractions: Mapping[str, float], seed: int) -> Parts:
    """Deal whole groups out; see `assign` for how."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for clip in clips:
        counts[clip.group][clip.label] += 1
    if len(counts) < len(fractions):
        raise CorpusError(
            f"{len(counts)} groups for {len(fractions)} parts",
            place="group",
            allowed="at least one group a part, or an official split column",
        )
    places = assign(counts, fractions, seed)
    return {name: [clip for clip in clips if places[clip.group] == name] for name in fractions}


def _by_clip(clips: Sequence[Clip], fractions: Mapping[str, float], seed: int) -> Parts:
    """Deal single clips out, label by label; at least one of each label goes to each part while they last."""
    parts: Parts = {name: [] for name in fractions}
    for label in sorted({clip.label for clip in clips}):
        deck = sorted((clip for clip in clips if clip.label == label), key=lambda clip: clip.path)
        random.Random(f"{seed}/{label}").shuffle(deck)
        for name in [name for name in fractions if name != "train"]:
            count = max(1, round(fractions[name] * sum(clip.label == label for clip in clips)))
            parts[name] += deck[:count]
            deck = deck[count:]
        parts["train"] += deck
    return parts


def _rescale(shares: Mapping[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def _check_fractions(fractions: Mapping[str, float]) -> None:
    allowed = "train, validation, test, each above 0, together 1"
    if set(fractions) != set(SPLITS):
        raise CorpusError(f"parts {', '.join(map(str, fractions)) or 'none'}", place="fractions", allowed=allowed)
    impossible = [f"{name}: {share!r}" for name, share in fractions.items() if not 0 < share < 1]
    if impossible or not math.isclose(sum(fractions.values()), 1, abs_tol=1e-6):
        found = ", ".join(impossible) or f"a sum of {sum(fractions.values()):g}"
        raise CorpusError(found, place="fractions", allowed=allowed)


def _check_labels(corpus: Corpus, parts: Parts) -> None:
    for name in SPLITS:
        missing = sorted(set(corpus.labels) - {clip.label for clip in parts[name]})
        if missing:
            groups = {label: len({clip.group for clip in corpus.clips if clip.label == label}) for label in missing}
            having = ", ".join(f"{label!r} ({count} groups in the corpus)" for label, count in groups.items())
            raise CorpusError(
                f"no clip of {having} in {name}",
                place=corpus.root,
                allowed="every label in every part: add clips of it from more groups, drop the label, "
                "or bring a split column",
            )


def _check_content(corpus: Corpus, parts: Parts) -> None:
    seen: dict[str, tuple[str, Clip]] = {}
    for name in SPLITS:
        for clip in parts[name]:
            earlier, other = seen.setdefault(content_hash(corpus.file(clip)), (name, clip))
            if earlier != name:
                raise CorpusError(
                    f"{other.path} ({earlier}) and {clip.path} ({name}) hold the same bytes",
                    place=corpus.root,
                    allowed="a file in one part only: remove one of them, or give both the same group",
                )
