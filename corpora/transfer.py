"""Copy chosen clips into a corpus, each read once on the way, none twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from corpora.audio import read_audio
from corpora.corpus import Clip, content_hash
from corpora.errors import CorpusError


def transfer(source: Path, built: Path, clips: Iterable[Clip]) -> tuple[list[Clip], list[str]]:
    """Copy `source`/path to `built`/audio/path; returns the clips kept and, in words, what was left out.

    Left out is what `read_audio` refuses, and every copy of content that was there before: real sets hold a few.
    """
    kept: list[Clip] = []
    left_out: list[str] = []
    seen: dict[str, str] = {}
    for clip in clips:
        file = source / clip.path
        try:
            read_audio(file)
        except CorpusError as error:
            left_out.append(f"{clip.path} ({error.problem})")
            continue
        earlier = seen.setdefault(content_hash(file), clip.path)
        if earlier != clip.path:
            left_out.append(f"{clip.path} (same as {earlier})")
            continue
        kept.append(replace(clip, path=f"audio/{clip.path}"))
        target = built / kept[-1].path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return kept, left_out
