"""The variants of a platform, one open at a time: when it fails the next takes over, unless it does not verify."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from . import forks, golden, metrics, pool
from .backends import Session
from .engine import Engine
from .errors import BackendFailedError, BackendMissingError, VerificationError
from .frontend import FrontEnd
from .info import Fallback
from .manifest import File, Manifest, Variant

Float32 = NDArray[np.float32]
Passed = tuple[tuple[Variant, "Fault"], ...]
Fault = BackendMissingError | BackendFailedError | VerificationError
FAULTS = (BackendMissingError, BackendFailedError, VerificationError)
REASONS: dict[type[Fault], str] = {
    BackendMissingError: "missing",
    BackendFailedError: "failed",
    VerificationError: "unverified",
}
log = logging.getLogger("pianissimo")


class Variants:
    """The variant that answers and those after it, in order of preference; safe in threads and in forked workers.

    With `verify` each variant replays the golden vectors, where the manifest has any, before its first answer. `told`
    holds what the log has been told; whoever opens a model again and again hands in the same set.
    """

    def __init__(
        self,
        manifest: Manifest,
        platform: str,
        variants: Sequence[Variant],
        front: FrontEnd,
        locate: Callable[[File], Path],
        open_session: Callable[[Variant], Session],
        verify: bool = False,
        told: set[str] | None = None,
    ) -> None:
        self.manifest, self.front = manifest, front
        self._platform, self._variants = platform, tuple(variants)
        self._locate, self._open_session, self._verify = locate, open_session, verify
        self._told = set() if told is None else told
        self._passed: Passed = ()
        self._closed = False
        self._lock = RLock()
        self._engine: Engine | None = None
        self.last = self._next()  # what `info` tells of, after `close` too
        forks.watch(self)

    def renew(self) -> None:
        """In a forked child: the same variant is opened afresh at its first question."""
        self._lock = RLock()
        forks.leave_behind(self._engine)
        self._engine = None

    @property
    def moves(self) -> int:
        """How many variants were passed over so far."""
        return len(self._passed)

    def current(self) -> Engine:
        """The variant that answers now. Raises BackendFailedError when closed, or the faults when none is left."""
        engine = self._engine
        if engine is not None:
            return engine
        with self._lock:
            if self._closed:
                raise self._was_closed()
            return self._engine or self._next()

    def run(self, features: Float32) -> tuple[Float32, Engine]:
        """Checked outputs (n, ...) of features (n, ...), and the variant they are of."""
        engine = self._engine or self.current()
        try:
            return engine.run(features), engine
        except BackendFailedError as fault:
            return self._elsewhere(engine, features, fault)

    def verify(self) -> golden.Verification:
        """Replay the golden vectors on the variant that answers; one that fails answers no more.

        Neither does a later one before it has verified. Raises VerificationError, IntegrityError.
        """
        engine = self.current()
        if self.manifest.golden is None:
            return engine.verify()  # which says that there is nothing to replay
        try:
            return engine.verify()
        except VerificationError as fault:
            with self._lock:
                self._verify = True
                if self._engine is engine:
                    self._pass_over((engine.variant, fault))
                    self._engine = None
                    engine.session.close()
            raise

    def limit_sessions(self, size: int) -> None:
        """At most this many sessions of the variant that answers."""
        engine = self._engine
        if engine is not None:
            pool.limit(engine.session, size)

    def close(self) -> None:
        """Let the network's memory go. Closing twice is allowed."""
        with self._lock:
            self._closed, engine = True, self._engine
            self._engine = None
        if engine is not None:
            engine.session.close()

    def _elsewhere(self, failed: Engine, features: Float32, fault: BackendFailedError) -> tuple[Float32, Engine]:
        """Ask the variants after it; the model moves to the one that answers.

        Where all of them fail the input is to blame, and the model stays where it is.
        """
        with self._lock:
            if self._closed:
                raise self._was_closed() from fault
            if self._engine is not failed:
                return self.run(features)  # it was moved meanwhile
            passed: Passed = ((failed.variant, fault),)
            for variant in self._left()[1:]:
                try:
                    engine, outputs = self._tried(variant, passed, features)
                except FAULTS as other:
                    passed += ((variant, other),)
                    continue
                self._pass_over(*passed)
                self._take(engine)
                failed.session.close()
                return outputs, engine
            raise fault

    def _tried(self, variant: Variant, passed: Passed, features: Float32) -> tuple[Engine, Float32]:
        engine = self._open(variant, passed)
        try:
            return engine, engine.run(features)
        except BackendFailedError:
            engine.session.close()
            raise

    def _next(self) -> Engine:
        """The first variant left that opens, and verifies where that is asked."""
        for variant in self._left():
            try:
                return self._take(self._open(variant))
            except FAULTS as fault:
                self._pass_over((variant, fault))
        raise _none_left(self.manifest.model, self._platform, [fault for _, fault in self._passed])

    def _open(self, variant: Variant, passed: Passed = ()) -> Engine:
        session = self._open_session(variant)
        before = (*self._passed, *passed)
        fallbacks = tuple(Fallback(other.name, other.backend, str(fault)) for other, fault in before)
        engine = Engine(self.manifest, self._platform, variant, self.front, session, self._locate, fallbacks)
        if self._verify and self.manifest.golden is not None:
            try:
                engine.verify()
            except BaseException:
                session.close()
                raise
        return engine

    def _left(self) -> tuple[Variant, ...]:
        return self._variants[len(self._passed) :]

    def _take(self, engine: Engine) -> Engine:
        self.last = self._engine = engine
        reason = REASONS[type(self._passed[-1][1])] if self._passed else "preferred"
        metrics.PROCESS.count("ml_backend_selected", (engine.variant.backend, reason))
        return engine

    def _pass_over(self, *passed: tuple[Variant, Fault]) -> None:
        self._passed += passed
        for variant, fault in passed:
            words = f"{self.manifest.model} {self._platform}: variant {variant.name} passed over: {fault}"
            if words not in self._told:
                self._told.add(words)
                log.warning(words)

    def _was_closed(self) -> BackendFailedError:
        variant = self.last.variant
        return BackendFailedError(variant.backend, variant.model_file.name, "the model was closed")


def _none_left(model: str, platform: str, faults: Sequence[Fault]) -> Fault:
    """The one fault, or all in one: missing when installing something would help with every variant."""
    reasons = "; ".join(dict.fromkeys(map(str, faults)))
    if reasons == str(faults[0]):
        return faults[0]
    if any(isinstance(fault, VerificationError) for fault in faults):
        return VerificationError(model, f"no variant of {platform} is left: {reasons}")
    backends = " and ".join(
        dict.fromkeys(fault.backend for fault in faults if not isinstance(fault, VerificationError))
    )
    if all(isinstance(fault, BackendMissingError) for fault in faults):
        return BackendMissingError(backends, reasons)
    return BackendFailedError(backends, f"{model} {platform}", reasons)
