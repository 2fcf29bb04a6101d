"""What every variant is measured with and against, made once a run; and how the runtime is asked, by task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo

import corpora
from frameworks import FrameworkError
from frameworks.examples import Features
from frameworks.formats.sessions import SUFFIX, answers
from frameworks.metrics import Metric
from frameworks.recipe import Validate


@dataclass(frozen=True)
class Subject:
    """A network before conversion: its metric (bound to its own settings), the framework's own outputs on test, and the
    name of its float32 form among the references. `float` is the student; `stand_in` is another framework's."""

    reference: str
    metric: Metric
    outputs: Any


@dataclass(frozen=True)
class Teacher:
    """What everything is measured against: its metric, its framework's outputs on test, what it hears of test, and its
    framework's fastest call of one example."""

    metric: Metric
    outputs: Any
    heard: Features
    call: Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Recording:
    """The file a clip comes from, and where in it: `start` and `seconds` (None: all of it)."""

    file: Path
    start: float = 0.0
    seconds: float | None = None

    def read(self) -> tuple[np.ndarray, int]:
        """The clip as it was recorded: float32 mono (n,), and its rate in Hz."""
        audio, rate = corpora.read_audio(self.file, allow_silence=True)
        if self.seconds is None:
            return audio, rate
        first = round(self.start * rate)
        return audio[first : first + round(self.seconds * rate)], rate


@dataclass(frozen=True)
class Bench:
    """The test split in every form it is needed in.

    `clips` are raw audio at the model's rate, `recordings` the files they come from, at their own, and `features` what the
    training side's front end makes of the clips; `golden` are the features of the golden vectors; `files` is what convert
    left. All lists have one entry a clip of test.
    """

    files: Path
    task: str
    settings: Validate
    seed: int
    labels: np.ndarray
    clips: list[np.ndarray]
    recordings: list[Recording]
    sample_rate: int
    features: Features
    golden: Features
    teacher: Teacher
    subjects: dict[str, Subject]
    known: dict[tuple[str, str], Any] = field(default_factory=dict)

    def reference(self, name: str, backend: str) -> Path:
        """A float32 form of the `teacher`, or of a subject by its name."""
        return self.files / "reference" / f"{name}{SUFFIX[backend]}"

    def teacher_form(self, backend: str) -> tuple[Path, str]:
        """The teacher's float32 form for `backend`, or for the first that has one; a stand-in's backend has none."""
        for candidate in (backend, *SUFFIX):
            if self.reference("teacher", candidate).is_file():
                return self.reference("teacher", candidate), candidate
        raise FrameworkError(f"{self.files}: no float form of the teacher; convert writes one")

    def float_outputs(self, name: str, backend: str) -> Any:
        """What the float32 form of a subject answers through the runtime's backend, computed once."""
        if (name, backend) not in self.known:
            self.known[name, backend] = answers(self.reference(name, backend), backend, self.features)
        return self.known[name, backend]

    def typical(self) -> int:
        """The clip of median length, which stands for all where speed is measured."""
        return int(np.argsort([len(clip) for clip in self.clips], kind="stable")[len(self.clips) // 2])


def alone(model: pianissimo.Model, features: Features) -> Any:
    """What the network answers to each clip by itself, as consumers ask it: kernels for many clips at once round otherwise, and
    where int8 and float nodes take turns that was 8e-5 of a probability."""
    if isinstance(features, list):
        return model.scores(features)
    return np.concatenate([model.scores(features[at : at + 1]) for at in range(len(features))])


def heard(task: str, model: pianissimo.Model, clips: Sequence[tuple[np.ndarray, int]]) -> Any:
    """What a loaded model makes of raw audio, each clip at its own rate, as a consumer would ask it."""
    return HEARD[task](model, clips)


def _classified(model: pianissimo.Model, clips: Sequence[tuple[np.ndarray, int]]) -> np.ndarray:
    rows = [list(model.predict(audio, rate).scores.values()) for audio, rate in clips]
    return np.array(rows, np.float32)


def _transcribed(model: pianissimo.Model, clips: Sequence[tuple[np.ndarray, int]]) -> list[np.ndarray]:
    return [np.asarray(model.scores(model.features(audio, rate))[0]) for audio, rate in clips]


def _embedded(model: pianissimo.Model, clips: Sequence[tuple[np.ndarray, int]]) -> np.ndarray:
    return np.stack([model.embed(audio, rate) for audio, rate in clips])


HEARD: dict[str, Callable[[pianissimo.Model, Sequence[tuple[np.ndarray, int]]], Any]] = {
    "classify": _classified,
    "transcribe": _transcribed,
    "verify": _embedded,
}
