"""Prepared audio on disk: the four splits as arrays, and beside them what every later stage must agree on."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo.frontend

from frameworks import FrameworkError
from frameworks.examples import Examples, Features, Part
from models import Model
from tasks import records

SPLITS = ("train", "calibration", "validation", "test")
FRONTEND = "frontend.json"  # beside a network: what it was trained to hear
MEASURED = {"mean", "deviation"}  # what a front end takes from each corpus


@dataclass(frozen=True)
class Clips:
    """One split. `audio` holds float32 mono arrays of any length at the model's rate; `labels` are as Part has them; groups
    and paths are text; `starts` says in seconds where in its file a clip begins, which is 0 unless it is a piece."""

    audio: list[np.ndarray]
    labels: np.ndarray
    groups: np.ndarray
    paths: np.ndarray
    starts: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.labels)

    def features(self, frontend: Any) -> Features:
        """What the very front end that ships makes of every clip: (n, ...) float32, or a list where lengths differ."""
        each = [frontend(clip) for clip in self.audio]
        return each if None in frontend.shape else np.stack(each)

    def only(self, chosen: np.ndarray) -> "Clips":
        """The clips at these indices."""
        audio = [self.audio[i] for i in chosen]
        return Clips(audio, self.labels[chosen], self.groups[chosen], self.paths[chosen], self.starts[chosen])


@dataclass(frozen=True)
class Prepared:
    """What `prepare` decided: labels in order, the front end with its measured mean and deviation, the corpus's facts."""

    labels: tuple[str, ...]
    frontend: dict[str, Any]
    corpus: dict[str, Any]


def write(folder: Path, splits: dict[str, Clips], prepared: Prepared) -> None:
    """Writes all splits and `prepared.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, clips in splits.items():
        lengths = np.array([len(clip) for clip in clips.audio], np.int64)
        np.savez(
            folder / f"{name}.npz",
            audio=np.concatenate(clips.audio),
            lengths=lengths,
            labels=clips.labels,
            groups=clips.groups,
            paths=clips.paths,
            starts=clips.starts,
        )
    records.write_json(folder / "prepared.json", vars(prepared))


def read(data: Path, split: str) -> Clips:
    """One split of what `prepare` left in `data`."""
    file = data / "clips" / f"{split}.npz"
    if not file.is_file():
        raise records.RecordError(f"{file} is not there; run prepare")
    with np.load(file, allow_pickle=False) as stored:
        ends = np.cumsum(stored["lengths"])[:-1]
        audio = np.split(stored["audio"], ends)
        return Clips(audio, stored["labels"], stored["groups"], stored["paths"], stored["starts"])


def read_prepared(data: Path) -> Prepared:
    """What `prepare` decided."""
    stored = records.read_json(data / "clips" / "prepared.json")
    return Prepared(tuple(stored["labels"]), stored["frontend"], stored["corpus"])


def examples(data: Path, model: Model, heard: dict[str, Any] | None = None) -> Examples:
    """Features and labels of train, calibration and validation. Test stays closed: only `validate` reads it.

    `heard` is the teacher's front end; where it is another than the one that ships, every part carries both features.
    """
    prepared = read_prepared(data)
    front = pianissimo.frontend.build(prepared.frontend)
    own = pianissimo.frontend.build(heard) if heard and heard != prepared.frontend else None
    parts = {name: _part(read(data, name), front, own) for name in ("train", "calibration", "validation")}
    return Examples(prepared.labels, model.task, model.metric, **parts)


def teacher_frontend(data: Path, wanted: dict[str, Any] | None) -> dict[str, Any]:
    """The spec of what the teacher hears: what ships, or the recipe's own, normalised by train."""
    prepared = read_prepared(data)
    if wanted is None:
        return prepared.frontend
    front = pianissimo.frontend.build(wanted)
    return front.fitted(list(read(data, "train").features(front))).spec


def write_frontend(network: Path, spec: dict[str, Any]) -> None:
    """Keeps with a network what it was trained to hear."""
    records.write_json(network / FRONTEND, spec)


def read_frontend(stage: Path) -> dict[str, Any]:
    """What the network that `stage` (train or distill) left was trained to hear."""
    return records.read_json(stage / "network" / FRONTEND)


def check_start(path: str | None, heard: dict[str, Any], key: str) -> None:
    """Raises FrameworkError that names both sides where the network to begin with, at `path`, was trained to hear otherwise
    than `heard`; its mean and deviation may differ, and a file of weights says nothing."""
    file = Path(path or "") / FRONTEND
    if path is None or not file.is_file():
        return
    there = records.read_json(file)
    names = [name for name in sorted((there.keys() | heard) - MEASURED) if there.get(name) != heard.get(name)]
    if names:
        apart = ", ".join(f"{name} {there.get(name)} (there) and {heard.get(name)} (here)" for name in names)
        raise FrameworkError(f"{key}: {path} was trained to hear another front end: {apart}")


def _part(clips: Clips, front: Any, heard: Any | None) -> Part:
    return Part(clips.features(front), clips.labels, clips.features(heard) if heard else None)
