"""Turns a corpus folder into four splits at the model's rate: train, calibration (a fixed part of train), validation, test."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo.frontend

import corpora
from corpora import Clip, Corpus, CorpusError
from frameworks.progress import Progress
from frameworks.recipe import Prepare
from tasks import clips, command
from tasks.clips import Clips, Prepared
from tasks.command import Job
from tasks.pieces import cut
from tasks.records import Record
from tasks.targets import TARGETS, Targets

SHOWN = 5  # how many bad files an error names before it counts the rest


def run(job: Job, corpus: Path) -> Record:
    """Reads, checks, resamples and splits the corpus in folder CORPUS."""
    section: Prepare = job.section
    target = TARGETS[job.model.task]
    front = pianissimo.frontend.build(section.frontend)  # mean 0 and deviation 1 until train says otherwise
    found = corpora.read_folder(corpus)
    labels = target.labels(found)
    parts = _split(found, target, section, job.recipe.seed)
    read, left_out = _read_all(found, parts, section, front.sample_rate)
    if target.stratified:
        _check_labels(found, read)
    _check_copies(found, read)
    splits = {name: _stack(read[name], target, labels) for name in parts}
    splits["calibration"] = _calibration(splits["train"], section.calibration, job.recipe.seed)
    spec = front.fitted(list(splits["train"].features(front))).spec
    facts = {
        "name": found.name,
        "licence": found.licence,
        "digest": found.digest(),
        "clips": _counts(splits, labels if target.stratified else ()),
    }
    clips.write(job.dest / "clips", splits, Prepared(labels, spec, facts))
    return job.record(
        facts={
            **facts,
            "groups": {name: len(set(part.groups)) for name, part in splits.items()},
            "left_out": left_out,
            "calibration": splits["calibration"].paths.tolist(),
        }
    )


def _split(corpus: Corpus, target: Targets, section: Prepare, seed: int) -> dict[str, list[Clip]]:
    """The corpus's clips by split, each with its own label."""
    own = {clip.path: clip for clip in corpus.clips}
    parts = corpora.split(target.for_splitting(corpus), section.split.model_dump(), seed, compare_files=False)
    return {name: [own[clip.path] for clip in part] for name, part in parts.items()}


def _read_all(
    corpus: Corpus, parts: dict[str, list[Clip]], section: Prepare, rate: int
) -> tuple[dict[str, Any], list[str]]:
    """(clip, audio, start in seconds) by split, and what was left out, why. Raises CorpusError that names all bad files."""
    progress = Progress("prepare", len(parts))
    read: dict[str, Any] = {name: [] for name in parts}
    bad: list[str] = []
    left_out: list[str] = []
    for name, part in parts.items():
        for clip in part:
            audio, fault, tolerated = _read(corpus.file(clip), section, rate)
            if audio is None:
                (left_out if tolerated else bad).append(fault)
            else:
                read[name] += [(clip, piece, start / rate) for start, piece in _pieces(audio, section, rate)]
        progress.step(f"{name}: {len(read[name])} clips")
    if bad:
        more = f"\n… and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        raise CorpusError(
            "\n".join(["files that cannot be used:", *bad[:SHOWN]]) + more,
            place=str(corpus.root),
            allowed="mend or remove them, or set prepare.unreadable or prepare.silent to leave_out",
        )
    return read, left_out


def _read(file: Path, section: Prepare, rate: int) -> tuple[np.ndarray | None, str, bool]:
    """(audio, "", …) at `rate`, or (None, why not, whether the recipe tolerates it)."""
    try:
        audio, source_rate = corpora.read_audio(file, allow_silence=True, max_seconds=section.max_seconds)
    except CorpusError as error:
        return None, str(error), section.unreadable == "leave_out"
    if section.silent != "allow" and not audio.any():
        return None, f"{file}: every sample is zero", section.silent == "leave_out"
    return corpora.resample(audio, source_rate, rate), "", True


def _pieces(audio: np.ndarray, section: Prepare, rate: int) -> list[tuple[int, np.ndarray]]:
    """(first sample, audio) of each piece, or of the whole."""
    return cut(audio, round(section.pieces * rate)) if section.pieces else [(0, audio)]


def _check_labels(corpus: Corpus, read: dict[str, Any]) -> None:
    """A label that lost all its clips of a split to what was left out is missing just as if it had never been there."""
    for name, pairs in read.items():
        missing = sorted(set(corpus.labels) - {clip.label for clip, *_ in pairs})
        if missing:
            raise CorpusError(
                f"no usable clip of {', '.join(missing)} is left in {name}",
                place=str(corpus.root),
                allowed="every label in every split: mend the files that were left out, or bring more",
            )


def _check_copies(corpus: Corpus, read: dict[str, Any]) -> None:
    """No recording may stand in two splits, whatever its file format; silence is alike everywhere and says nothing."""
    seen: dict[str, tuple[str, str]] = {}
    for name, pairs in read.items():
        for clip, audio, _ in pairs:
            if not audio.any():
                continue
            split, path = seen.setdefault(hashlib.sha256(audio.tobytes()).hexdigest(), (name, clip.path))
            if split != name:
                raise CorpusError(
                    f"{path} ({split}) and {clip.path} ({name}) hold the same sound",
                    place=str(corpus.root),
                    allowed="a recording in one split only: remove one of them, or give both the same group",
                )


def _stack(pairs: list[tuple[Clip, np.ndarray, float]], target: Targets, labels: tuple[str, ...]) -> Clips:
    found = [clip for clip, *_ in pairs]
    return Clips(
        [audio for _, audio, _ in pairs],
        target.encode(found, labels),
        np.array([clip.group for clip in found]),
        np.array([clip.path for clip in found]),
        np.array([start for *_, start in pairs], np.float64),
    )


def _calibration(train: Clips, count: int, seed: int) -> Clips:
    """A fixed part of train, as even over labels as it comes (over groups, where a clip has no one label): one of each in
    turn, in a seeded order."""
    kinds = train.labels if train.labels.ndim == 1 else np.unique(train.groups, return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(len(train))
    turn: Counter[int] = Counter()
    rank = np.empty(len(train), int)
    for place in order:
        rank[place] = turn[int(kinds[place])]
        turn[int(kinds[place])] += 1
    return train.only(np.sort(order[np.argsort(rank[order], kind="stable")][:count]))


def _counts(splits: dict[str, Clips], labels: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Clips by split and label; by split alone where a clip has no one label."""
    return {
        name: {label: int(np.sum(part.labels == i)) for i, label in enumerate(labels)} or {"clips": len(part)}
        for name, part in splits.items()
    }


if __name__ == "__main__":
    command.main("prepare", run)
