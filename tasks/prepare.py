"""Turns a corpus folder into four splits at the model's rate: train, calibration (a fixed part of train), validation, test."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo.frontend

import corpora
from corpora import Clip, CorpusError
from frameworks.progress import Progress
from frameworks.recipe import Prepare
from tasks import clips, command
from tasks.clips import Clips, Prepared
from tasks.command import Job
from tasks.records import Record

SHOWN = 5  # how many bad files an error names before it counts the rest


def run(job: Job, corpus: Path) -> Record:
    """Reads, checks, resamples and splits the corpus in folder CORPUS."""
    section: Prepare = job.section
    front = pianissimo.frontend.build({**section.frontend, "mean": 0.0, "deviation": 1.0})
    found = corpora.read_folder(corpus)
    parts = corpora.split(found, section.split.model_dump(), job.recipe.seed, compare_files=False)
    read, left_out = _read_all(found, parts, section, front.sample_rate)
    _check_labels(found, read)
    _check_copies(found, read)
    labels = {label: index for index, label in enumerate(found.labels)}
    splits = {name: _stack(read[name], labels) for name in parts}
    splits["calibration"] = _calibration(splits["train"], section.calibration, job.recipe.seed)
    features = splits["train"].features(front)
    spec = {
        **front.spec,
        "mean": round(float(features.mean()), 4),
        "deviation": round(float(features.std()), 4),
    }
    facts = {
        "name": found.name,
        "licence": found.licence,
        "digest": found.digest(),
        "clips": _counts(splits, found.labels),
    }
    clips.write(job.dest / "clips", splits, Prepared(found.labels, spec, facts))
    return job.record(
        facts={
            **facts,
            "groups": {name: len(set(part.groups)) for name, part in splits.items()},
            "left_out": left_out,
            "calibration": splits["calibration"].paths.tolist(),
        }
    )


def _read_all(
    corpus: Any, parts: dict[str, list[Clip]], section: Prepare, rate: int
) -> tuple[dict[str, Any], list[str]]:
    """(clip, audio) pairs by split, and what was left out with its reason. Raises CorpusError that names all bad files."""
    progress = Progress("prepare", len(parts))
    read: dict[str, Any] = {name: [] for name in parts}
    bad: list[str] = []
    left_out: list[str] = []
    for name, part in parts.items():
        for clip in part:
            audio, fault, tolerated = _read(corpus.file(clip), section, rate)
            if fault:
                (left_out if tolerated else bad).append(fault)
            else:
                read[name].append((clip, audio))
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


def _check_labels(corpus: Any, read: dict[str, Any]) -> None:
    """A label that lost all its clips of a split to what was left out is missing just as if it had never been there."""
    for name, pairs in read.items():
        missing = sorted(set(corpus.labels) - {clip.label for clip, _ in pairs})
        if missing:
            raise CorpusError(
                f"no usable clip of {', '.join(missing)} is left in {name}",
                place=str(corpus.root),
                allowed="every label in every split: mend the files that were left out, or bring more",
            )


def _check_copies(corpus: Any, read: dict[str, Any]) -> None:
    """No recording may stand in two splits, whatever its file format; silence is alike everywhere and says nothing."""
    seen: dict[str, tuple[str, str]] = {}
    for name, pairs in read.items():
        for clip, audio in pairs:
            if not audio.any():
                continue
            split, path = seen.setdefault(hashlib.sha256(audio.tobytes()).hexdigest(), (name, clip.path))
            if split != name:
                raise CorpusError(
                    f"{path} ({split}) and {clip.path} ({name}) hold the same sound",
                    place=str(corpus.root),
                    allowed="a recording in one split only: remove one of them, or give both the same group",
                )


def _stack(pairs: list[tuple[Clip, np.ndarray]], labels: dict[str, int]) -> Clips:
    found = [clip for clip, _ in pairs]
    return Clips(
        [audio for _, audio in pairs],
        np.array([labels[c.label] for c in found], np.int64),
        np.array([c.group for c in found]),
        np.array([c.path for c in found]),
    )


def _calibration(train: Clips, count: int, seed: int) -> Clips:
    """A fixed part of train, as even over labels as it comes: one of each label in turn, in a seeded order."""
    order = np.random.default_rng(seed).permutation(len(train))
    turn: Counter[int] = Counter()
    rank = np.empty(len(train), int)
    for place in order:
        rank[place] = turn[int(train.labels[place])]
        turn[int(train.labels[place])] += 1
    chosen = np.sort(order[np.argsort(rank[order], kind="stable")][:count])
    return Clips([train.audio[i] for i in chosen], train.labels[chosen], train.groups[chosen], train.paths[chosen])


def _counts(splits: dict[str, Clips], labels: tuple[str, ...]) -> dict[str, dict[str, int]]:
    return {
        name: {label: int(np.sum(part.labels == i)) for i, label in enumerate(labels)} for name, part in splits.items()
    }


if __name__ == "__main__":
    command.main("prepare", run)
