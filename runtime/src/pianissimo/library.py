"""Many models under one budget: `pp.Library().predict("keywords", audio, 16_000, platform="edge")`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from threading import Lock
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from . import asked, forks, memory, metrics
from .alerts import Alerts
from .cache import PredictionCache
from .decode import Prediction
from .diagnostics import diagnostics
from .history import History
from .keeper import Keeper
from .loader import load
from .metrics import Key
from .model import Model
from .residents import Resident
from .seats import Seats
from .shelf import MEGABYTE, Name, Shelf
from .switches import Switches
from .throttle import Throttle

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor


class Library:
    """Models by name, opened at their first question and closed when idle or when memory is short.

    `registry` is as `load` has it, and `platform` what is asked for where a call names none. The other keywords are the
    switches (`pianissimo.switches` lists them with their ranges); one that is not given comes from the environment,
    PIANISSIMO_MEMORY_BUDGET for memory_budget, and else has its default. Raises SwitchError.

    For threads, asyncio (`predict_async`) and forked workers, each of which opens its own sessions. `history` and
    `alerts` are fed every `sample_seconds` by a thread of its own; with `keep=False` call `sweep` yourself.
    """

    def __init__(
        self,
        registry: str | os.PathLike[str] | None = None,
        platform: str | None = None,
        *,
        keep: bool = True,
        clock: Callable[[], float] = time.monotonic,
        resident: Callable[[], int] = memory.resident,
        **switches: float | bool | None,
    ) -> None:
        self.switches = Switches.read(switches)
        self._registry, self._keep, self._clock = registry, keep, clock
        self._platform, self._channel = asked.text("platform", platform), asked.text("channel", None) or "stable"
        self._told: set[str] = set()
        self._shelf = Shelf(self.switches, self._open, self._forget, self._degrade, clock, resident)
        self.alerts = Alerts()
        self._start()
        forks.watch(self)
        metrics.PROCESS.watch(self)

    def predict(
        self,
        name: str,
        audio: ArrayLike,
        sample_rate: int,
        platform: str | None = None,
        channel: str | None = None,
        version: int | None = None,
    ) -> Prediction:
        """As `Model.predict`; the very same clip is answered from the cache. Raises as that and as `load`."""
        started = perf_counter()
        with self._borrowed(name, platform, channel, version) as held:
            key = self._key(held, audio, sample_rate)
            if key is not None:
                answer = self._cache.get(key, started)
                metrics.PROCESS.count("ml_prediction_cache_total", ("miss" if answer is None else "hit",))
                if answer is not None:
                    return answer
            with self._turn():
                answer = held.value.predict(audio, sample_rate)
            if key is not None and not self._shelf.pressure.on:
                self._cache.put(key, answer, len(key[-1]))
            return answer

    def predict_batch(
        self,
        name: str,
        clips: Sequence[ArrayLike],
        sample_rate: int,
        platform: str | None = None,
        channel: str | None = None,
        version: int | None = None,
    ) -> list[Prediction]:
        """As `Model.predict_batch`; past the cache. Raises as that and as `load`."""
        with self._borrowed(name, platform, channel, version) as held, self._turn():
            return held.value.predict_batch(clips, sample_rate)

    async def predict_async(self, name: str, audio: ArrayLike, sample_rate: int, **asked: Any) -> Prediction:
        """`predict` in a thread of the library, so that the event loop goes on; any number at once wait their turn."""
        from asyncio import get_running_loop

        call = partial(self.predict, name, audio, sample_rate, **asked)
        return await get_running_loop().run_in_executor(self._threads(), call)

    @contextmanager
    def use(
        self, name: str, platform: str | None = None, channel: str | None = None, version: int | None = None
    ) -> Iterator[Model]:
        """The model itself, not closed before the block ends: for streams, enrolment and whatever else it can do."""
        with self._borrowed(name, platform, channel, version) as held:
            yield held.value

    def unload(self, name: str | None = None) -> int:
        """Close a model, or all, and give how many; the next question opens what its channel then names."""
        return self._shelf.unload(name)

    def sweep(self) -> None:
        """What is due now: close models, drop old answers, note the metrics, look at the alerts."""
        self._shelf.relieve()
        self._cache.expire()
        readings = metrics.PROCESS.readings()
        self.history.sample(readings)
        self.alerts.check(readings)

    def gauges(self) -> dict[Key, float]:
        """What this library holds now, for the metrics."""
        held = self._shelf.held()
        return {
            ("ml_models_loaded", ()): len(held),
            ("ml_memory_bytes", ("models",)): sum(each.bytes for each in held),
            ("ml_memory_bytes", ("prediction_cache",)): self._cache.bytes,
            ("ml_degraded", ()): float(self._shelf.pressure.on),
            ("ml_throttled_seconds_total", ()): self._throttle.waited if self._throttle else 0.0,
        }

    def report(self) -> dict[str, Any]:
        """Everything there is to know, as JSON takes it: models, memory, metrics, alerts, switches, diagnostics."""
        budget = self.switches.memory_budget * MEGABYTE
        return {
            "models": self._shelf.report(),
            "memory": {"used_bytes": self._shelf.used, "budget_bytes": budget, "degraded": self._shelf.pressure.on},
            "prediction_cache": {"entries": len(self._cache), "bytes": self._cache.bytes},
            "metrics": metrics.PROCESS.report(),
            "alerts": self.alerts.active(),
            "switches": vars(self.switches).copy(),
            "diagnostics": diagnostics(),
        }

    def renew(self) -> None:
        """In a forked child: locks, threads, cache and history of its own; the rules of the alerts stay."""
        self._shelf.renew()
        self.alerts.renew()
        self._start()

    def close(self) -> None:
        """Close every model, those in use with their last user; the library answers no more. Twice is allowed."""
        self._shelf.close()
        if self._keeper is not None:
            self._keeper.stop()
        if self._executor is not None:
            self._executor.shutdown(wait=False)

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        """What does not outlive a fork."""
        chosen = self.switches
        self._lock = Lock()
        self._seats = Seats(chosen.workers)
        self._throttle = Throttle(chosen.max_cpu_percent, chosen.threads) if chosen.max_cpu_percent else None
        self._cache = PredictionCache(int(chosen.prediction_cache * MEGABYTE), chosen.prediction_age, self._clock)
        self.history = History(chosen.history_minutes)
        self._keeper: Keeper | None = None
        self._executor: ThreadPoolExecutor | None = None

    @contextmanager
    def _borrowed(
        self, name: str, platform: str | None, channel: str | None, version: int | None
    ) -> Iterator[Resident[Name, Model]]:
        if self._keep and self._keeper is None:
            self._keep_watch()
        held = self._shelf.take(Name(name, platform or self._platform, channel or self._channel, version))
        try:
            yield held
        finally:
            self._shelf.give_back(held)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """A seat among those who compute, and the processor time for it."""
        with self._seats, self._throttle.turn() if self._throttle else nullcontext():
            yield

    def _key(self, held: Resident[Name, Model], audio: ArrayLike, sample_rate: int) -> tuple[Any, ...] | None:
        """The clip's key in the cache: another opening or another variant has its own answers."""
        if not self._cache.limit or self._shelf.pressure.on:
            return None
        return self._cache.key((held.serial, held.value.moves), audio, sample_rate)

    def _open(self, name: Name) -> Model:
        chosen = self.switches
        return load(
            *name,
            registry=self._registry,
            threads=chosen.threads,
            sessions=chosen.workers,
            verify=chosen.verify,
            told=self._told,
        )

    def _forget(self, held: Resident[Name, Model]) -> None:
        self._cache.forget(lambda key: key[0][0] == held.serial)

    def _degrade(self, on: bool) -> None:
        if on:
            self._cache.forget()

    def _keep_watch(self) -> None:
        with self._lock:
            if self._keeper is None:
                self._keeper = Keeper(self, min(self.switches.sample_seconds, self.switches.idle_timeout / 4))

    def _threads(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor

        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self.switches.workers, "pianissimo")
            return self._executor
