"""Unlock by voice: people enrol with a few recordings, and are known again by one.

Templates lie in a folder, one .npz a person, without pickles; no recording is kept. They are as good as a password's
hash is: who can write the folder can enrol anybody, so give it to nobody but the user it protects. A recording played back
is the same voice; where that matters, ask for words that change.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from threading import Lock
from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks
from .enrolment import MOST_VECTORS, Settings, Template, enrol
from .errors import EnrolmentError, ManifestError
from .model import Model

SUFFIX = ".npz"
Stamp = tuple[int, int, int]  # of a file: inode, nanoseconds, bytes


@dataclass(frozen=True)
class Attempt:
    """An answer: whether the voice was accepted as `user`'s, its decision beside the person's threshold, and the time."""

    accepted: bool
    user: str
    score: float
    threshold: float
    milliseconds: float


class VoiceUnlock:
    """Who may unlock, by a model of the task verify: `VoiceUnlock(pp.load("voice_unlock"), folder)`.

    Recordings are given as `Model.predict` takes audio. May be used from many threads, and beside other processes on the
    same folder: a template is read again when its file has changed, and each change is on disk, whole, before it is used.
    With `adapt`, a person's threshold follows the attempts that were accepted, within the bounds of the model's manifest.

    `threshold` stands in place of the artifact's, which was fitted on other microphones and perhaps on other speech:
    where a few people's recordings are at hand, fit one of your own (`benchmarks/voice_unlock.py` does).
    """

    def __init__(
        self, model: Model, folder: str | os.PathLike[str], *, adapt: bool = True, threshold: float | None = None
    ) -> None:
        info = model.info
        if info.enrolment is None:
            raise EnrolmentError(f"{info.model} is a model of the task {info.task}", "a model of the task verify")
        chosen = info.threshold if threshold is None else threshold
        if chosen is None or not isfinite(chosen):
            problem = f"{info.model}, {info.variant}, with the threshold {chosen}"
            raise EnrolmentError(problem, "a variant whose threshold was fitted, or threshold=NUMBER")
        self._model, self._settings, self._threshold = model, Settings.read(info.enrolment), float(chosen)
        self._made_by = f"{info.model} {'draft' if info.version is None else info.version}"
        self._folder, self._adapt = Path(folder), adapt
        self._known: dict[str, tuple[Stamp, Template]] = {}
        self._lock = Lock()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def enroll(self, user: str, recordings: Sequence[ArrayLike], sample_rate: int) -> Template:
        """Make a person's template of recordings, a few seconds of speech each; an older one is replaced.

        Raises EnrolmentError for too few recordings or an impossible name, AudioError, BackendMissingError without
        scikit-learn.
        """
        path = self._path(user)
        vectors = self._vectors(recordings, sample_rate)
        with self._lock:
            return self._store(user, path, self._made_of(vectors))

    def authenticate(self, user: str, audio: ArrayLike, sample_rate: int) -> Attempt:
        """Whether a recording is the person's voice. Raises EnrolmentError for a person who is not enrolled, AudioError."""
        started = perf_counter()
        path = self._path(user)
        vector = self._model.embed(audio, sample_rate)
        with self._lock:
            template = self._template(user, path)
            score = float(template.decision(vector[None])[0])
            accepted = score >= template.limit
            if accepted and self._adapt:
                self._store(user, path, template.after(score))
        return Attempt(accepted, user, score, template.limit, (perf_counter() - started) * 1e3)

    def update(self, user: str, recordings: Sequence[ArrayLike], sample_rate: int) -> Template:
        """Add recordings to a person's template; of more than 64 the newest stay. Raises as `enroll` does."""
        path = self._path(user)
        vectors = self._vectors(recordings, sample_rate)
        with self._lock:
            old = self._template(user, path)
            made = self._made_of(np.concatenate([old.vectors, vectors])[-MOST_VECTORS:])
            return self._store(user, path, replace(made, typical=old.typical, accepted=old.accepted))

    def remove(self, user: str) -> None:
        """Forget a person. Raises EnrolmentError for one who is not enrolled."""
        path = self._path(user)
        with self._lock:
            self._known.pop(user, None)
            try:
                path.unlink()
            except FileNotFoundError:
                raise self._stranger(user) from None

    def users(self) -> list[str]:
        """Everybody who is enrolled, in alphabetical order."""
        names = (path.name.removesuffix(SUFFIX) for path in self._folder.glob(f"*{SUFFIX}"))
        return sorted(name for name in names if checks.NAME.fullmatch(name))

    def _path(self, user: str) -> Path:
        """The person's file; names are checked first, so that none leads out of the folder."""
        try:
            return self._folder / f"{checks.name(user, 'user')}{SUFFIX}"
        except ManifestError as fault:
            raise EnrolmentError(f"a user called {user!r}", fault.allowed) from fault

    def _vectors(self, recordings: Sequence[ArrayLike], sample_rate: int) -> NDArray[np.float32]:
        if not len(recordings):
            raise EnrolmentError("no recordings", f"at least {self._settings.enrol}")
        return np.stack([self._model.embed(recording, sample_rate) for recording in recordings])

    def _made_of(self, vectors: NDArray[np.float32]) -> Template:
        return enrol(vectors, self._settings, self._threshold, self._made_by)

    def _template(self, user: str, path: Path) -> Template:
        stamp = self._stamp(user, path)
        if user in self._known and self._known[user][0] == stamp:
            return self._known[user][1]
        template = Template.load(path)
        if template.model != self._made_by:
            raise EnrolmentError(
                f"{user}'s template was made for {template.model or 'another model'}, this is {self._made_by}",
                "the model it was made for; or enrol again",
            )
        self._known[user] = stamp, template
        return template

    def _stamp(self, user: str, path: Path) -> Stamp:
        """What changes when another process stores or removes a template: each is a new file under the old name."""
        try:
            found = path.stat()
        except FileNotFoundError:
            self._known.pop(user, None)
            raise self._stranger(user) from None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _store(self, user: str, path: Path, template: Template) -> Template:
        """On disk first, whole or not at all, and for nobody else to read."""
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._folder)
        os.close(handle)
        try:
            template.save(Path(name))
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._known[user] = self._stamp(user, path), template
        return template

    def _stranger(self, user: str) -> EnrolmentError:
        return EnrolmentError(f"{user} is not enrolled", ", ".join(self.users()) or "nobody is; enroll somebody first")
