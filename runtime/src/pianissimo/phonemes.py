"""Phonemes of speech for a service: one model for all of a process, ready before the first request, with a way out."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic, perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import asked, forks
from .decode import Prediction, Symbol
from .errors import (
    BackendFailedError,
    BackendMissingError,
    IntegrityError,
    ModelNotFoundError,
    RegistryError,
    TaskError,
    VerificationError,
)
from .loader import load
from .metrics import Durations
from .model import Model

log = logging.getLogger("pianissimo")
Other = Callable[[ArrayLike, int], Sequence[str]]  # a recording and its rate in, phonemes out
UNUSABLE = (
    BackendMissingError,
    BackendFailedError,
    VerificationError,
    RegistryError,
    ModelNotFoundError,
    IntegrityError,
)
MODEL, TASK = "phoneme", "transcribe"
FALLBACK = "fallback"  # the backend of what the other way answered
REST = 30.0  # seconds in which a model that could not be opened is not tried again, where there is a fallback
WARM_UP_SECONDS = 1.0  # of silence: a backend plans, and the memory of a first answer is there before the first request


@dataclass(frozen=True)
class Extraction:
    """Phonemes in order, `symbols` with score and seconds each, and the confidence, which is the mean of their scores.

    `seconds` is the recording's length. From a fallback `symbols` are none, the confidence 0 and the backend "fallback".
    """

    phonemes: tuple[str, ...]
    symbols: tuple[Symbol, ...]
    confidence: float
    seconds: float
    backend: str
    milliseconds: float


class Shared:
    """A model that is opened once, at the first question, and warmed up; safe in threads and in forked workers."""

    def __init__(self, opened: Callable[[], Model], warm_up: bool) -> None:
        self._opened, self._warm_up = opened, warm_up
        self._model: Model | None = None
        self.load_ms = self.warm_up_ms = 0.0
        self.renew()
        forks.watch(self)

    def renew(self) -> None:
        """In a forked child: a lock of its own."""
        self._lock = Lock()

    @property
    def loaded(self) -> Model | None:
        """The model, if it was opened already."""
        return self._model

    def model(self) -> Model:
        """The model. Raises as `load` does, and TaskError for a model of another task."""
        with self._lock:
            if self._model is None:
                self._model = self._ready()
            return self._model

    def _ready(self) -> Model:
        started = perf_counter()
        model = self._opened()
        opened = perf_counter()
        try:
            _check_task(model)
            if self._warm_up:
                rate = int(model.info.frontend["sample_rate"])
                model.predict(np.zeros(int(WARM_UP_SECONDS * rate), np.float32), rate)
        except BaseException:
            model.close()
            raise
        self.load_ms, self.warm_up_ms = (opened - started) * 1e3, (perf_counter() - opened) * 1e3
        return model


class Phonemes:
    """What was said, as phonemes: `pp.Phonemes(platform="server").extract(audio, 16_000)`.

    The model is opened and warmed up at the first question, or by `warm_up()`. Every Phonemes of a process that names the
    same model, platform, channel, version, registry and threads uses the same one. `model` may also be an open Model of the
    task transcribe. When it cannot be had, or none of its variants used, `fallback(audio, sample_rate)` answers, if given.

    What is left out is as `load` has it; `warm_up=False`, or PIANISSIMO_WARM_UP=0, leaves the warm-up to the first answer.
    """

    def __init__(
        self,
        model: str | Model = MODEL,
        platform: str | None = None,
        channel: str | None = None,
        version: int | None = None,
        registry: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        *,
        warm_up: bool | None = None,
        fallback: Other | None = None,
    ) -> None:
        warm = asked.yes("warm_up", warm_up, True)
        if isinstance(model, Model):
            given = model
            self._shared = Shared(lambda: given, warm)
        else:
            place = registry if registry is not None else asked.text("registry", None)
            chosen = asked.text("platform", platform), asked.text("channel", channel), version
            self._shared = _shared((model, *chosen, place and os.fspath(place), threads), warm)
        self._fallback = fallback
        self._durations, self._seconds, self._counts = Durations(), 0.0, dict.fromkeys(COUNTS, 0)
        self._resting = 0.0
        self.renew()
        forks.watch(self)

    def renew(self) -> None:
        """In a forked child: a lock of its own."""
        self._lock = Lock()

    def warm_up(self) -> Phonemes:
        """Open the model now, before somebody waits for it. Raises as `load` does."""
        self._shared.model()
        return self

    def extract(self, audio: ArrayLike, sample_rate: int) -> Extraction:
        """The phonemes of a recording, given as `Model.predict` takes it.

        Raises AudioError; and where there is no fallback, what `load` and `Model.predict` raise.
        """
        started = perf_counter()
        said = self._said(audio, sample_rate)
        if said is not None:
            names, symbols = tuple(symbol.label for symbol in said.symbols), said.symbols
            score, backend = said.score, said.backend
        else:
            assert self._fallback is not None
            names, symbols, score, backend = tuple(self._fallback(audio, sample_rate)), (), 0.0, FALLBACK
        seconds, spent = max(np.shape(audio)) / sample_rate, perf_counter() - started
        self._note("fallbacks" if said is None else "extractions", seconds, spent)
        return Extraction(names, symbols, score, seconds, backend, spent * 1e3)

    @property
    def performance_info(self) -> dict[str, Any]:
        """How it goes, as JSON takes it: the model, what was passed over, times, counts; asking opens nothing.

        `real_time_factor` is computing time over the recordings' time, `latency` in milliseconds; both are None before
        the first answer.
        """
        model = self._shared.loaded
        with self._lock:
            answered = self._seconds > 0
            latency = self._durations.figures() if answered else None
            factor = self._durations.total / self._seconds if answered else None
            told = {**self._counts, "seconds": self._seconds, "real_time_factor": factor, "latency": latency}
        return {**_described(model), "load_ms": self._shared.load_ms, "warm_up_ms": self._shared.warm_up_ms, **told}

    def _said(self, audio: ArrayLike, sample_rate: int) -> Prediction | None:
        """The model's answer; None when the fallback is to answer."""
        if self._fallback is not None and monotonic() < self._resting:
            return None
        try:
            return self._shared.model().predict(audio, sample_rate)
        except UNUSABLE as fault:
            self._note("failures")
            if self._fallback is None:
                raise
            log.warning("phonemes: the fallback answers: %s", fault)
            if self._shared.loaded is None:
                self._resting = monotonic() + REST
            return None

    def _note(self, name: str, seconds: float = 0.0, spent: float = 0.0) -> None:
        with self._lock:
            self._counts[name] += 1
            if seconds:
                self._seconds += seconds
                self._durations.add(spent)


COUNTS = ("extractions", "fallbacks", "failures")
FACTS = ("model", "version", "platform", "variant", "backend", "precision", "bytes")
_known: dict[tuple[Any, ...], Shared] = {}


def _shared(wanted: tuple[Any, ...], warm_up: bool) -> Shared:
    """The one of this process, whoever comes first."""
    return _known.setdefault(wanted, Shared(lambda: load(*wanted), warm_up))


def _check_task(model: Model) -> None:
    if model.info.task != TASK:
        raise TaskError(model.info.model, model.info.task, "extract phonemes", [TASK])


def _described(model: Model | None) -> dict[str, Any]:
    if model is None:
        return {"loaded": False, **dict.fromkeys(FACTS), "passed_over": []}
    info = model.info
    passed = [{"variant": one.variant, "backend": one.backend, "reason": one.reason} for one in info.fallbacks]
    return {"loaded": True, **{name: getattr(info, name) for name in FACTS}, "passed_over": passed}
