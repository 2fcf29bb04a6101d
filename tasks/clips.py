"""Prepared audio on disk: the four splits as arrays, and beside them what every later stage must agree on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo.frontend

from frameworks.examples import Examples, Part
from tasks import records

SPLITS = ("train", "calibration", "validation", "test")


@dataclass(frozen=True)
class Clips:
    """One split. `audio` holds float32 mono arrays of any length at the model's rate, `labels` (n,) int64, the rest text."""

    audio: list[np.ndarray]
    labels: np.ndarray
    groups: np.ndarray
    paths: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def features(self, frontend: Any) -> np.ndarray:
        """(n, frames, bands) float32, by the very front end that ships."""
        return np.stack([frontend(clip) for clip in self.audio])


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
        )
    records.write_json(folder / "prepared.json", vars(prepared))


def read(data: Path, split: str) -> Clips:
    """One split of what `prepare` left in `data`."""
    file = data / "clips" / f"{split}.npz"
    if not file.is_file():
        raise records.RecordError(f"{file} is not there; run prepare")
    with np.load(file, allow_pickle=False) as stored:
        ends = np.cumsum(stored["lengths"])[:-1]
        return Clips(np.split(stored["audio"], ends), stored["labels"], stored["groups"], stored["paths"])


def read_prepared(data: Path) -> Prepared:
    """What `prepare` decided."""
    stored = records.read_json(data / "clips" / "prepared.json")
    return Prepared(tuple(stored["labels"]), stored["frontend"], stored["corpus"])


def examples(data: Path, metric: str) -> Examples:
    """Features and labels of train, calibration and validation. Test stays closed: only `validate` reads it."""
    prepared = read_prepared(data)
    frontend = pianissimo.frontend.build(prepared.frontend)
    parts = {name: _part(read(data, name), frontend) for name in ("train", "calibration", "validation")}
    return Examples(prepared.labels, metric, **parts)


def _part(clips: Clips, frontend: Any) -> Part:
    return Part(clips.features(frontend), clips.labels)
