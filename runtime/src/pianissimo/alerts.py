"""Who is called when a metric goes where it should not, and again when it comes back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

from .errors import SwitchError
from .metrics import LABELS, Key, combined

log = logging.getLogger("pianissimo")


@dataclass(frozen=True)
class Alert:
    """What a callback is told: the rule, the value that moved it, and whether it begins (`active`) or is over."""

    name: str
    metric: str
    value: float
    limit: float
    active: bool
    when: float  # seconds since 1970


Callback = Callable[[Alert], object]


@dataclass(frozen=True)
class Rule:
    """An alert's condition: `metric` over `above` (or under `below`) for so many seconds without a break.

    It is over when the value is back at `clears_at`, by default the limit itself. A metric without a value moves
    nothing.
    """

    name: str
    metric: str
    callback: Callback
    above: float | None = None
    below: float | None = None
    for_seconds: float = 0.0
    clears_at: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.metric not in LABELS:
            raise SwitchError(f"alert {self.name}, metric", self.metric, ", ".join(LABELS))
        unknown = [label for label in self.labels if label not in LABELS[self.metric]]
        if unknown:
            allowed = ", ".join(LABELS[self.metric]) or "no labels"
            raise SwitchError(f"alert {self.name}, label", unknown[0], allowed)
        if (self.above is None) == (self.below is None):
            raise SwitchError(f"alert {self.name}, limit", f"{self.above} and {self.below}", "either above or below")
        if self.clears_at is not None and self._beyond(self.clears_at, self.limit):
            raise SwitchError(f"alert {self.name}, clears_at", self.clears_at, f"the right side of {self.limit:g}")

    @property
    def limit(self) -> float:
        """The limit, whichever side it is on."""
        return self.above if self.above is not None else self.below  # type: ignore[return-value]  # one of them is set

    def wrong(self, value: float, active: bool) -> bool:
        """Whether a value is on the wrong side: of the limit, or once active of where it clears."""
        return self._beyond(value, self.limit if not active or self.clears_at is None else self.clears_at)

    def _beyond(self, value: float, limit: float) -> bool:
        return value > limit if self.above is not None else value < limit


@dataclass
class _State:
    rule: Rule
    since: float | None = None  # when it went wrong, not yet for long enough perhaps
    alert: Alert | None = None


class Alerts:
    """The rules, and which of them are active; safe in threads. Callbacks run in the thread that checks."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}
        self.renew()

    def renew(self) -> None:
        """In a forked child: a lock of its own, and nothing is active; the rules stay."""
        self._lock = Lock()
        self._states = {name: _State(state.rule) for name, state in list(self._states.items())}

    def add(self, name: str, metric: str, callback: Callback, **condition: Any) -> Rule:
        """A rule as `Rule` describes it; one of the same name is replaced. Raises SwitchError, TypeError."""
        rule = Rule(name, metric, callback, **condition)
        with self._lock:
            self._states[name] = _State(rule)
        return rule

    def remove(self, name: str) -> None:
        """Drop a rule; SwitchError when there is none of this name."""
        with self._lock:
            if name not in self._states:
                raise SwitchError("alert", name, ", ".join(self._states) or "none, as there are no rules")
            del self._states[name]

    def active(self) -> list[dict[str, Any]]:
        """Alerts that have begun and are not over, as JSON takes them."""
        with self._lock:
            return [asdict(state.alert) for state in self._states.values() if state.alert is not None]

    def check(self, readings: Mapping[Key, float]) -> list[Alert]:
        """Hold every rule against the readings, call who is to be called, and give what began or was over."""
        moved = []
        with self._lock:
            for state in self._states.values():
                alert = self._moved(state, combined(readings, state.rule.metric, state.rule.labels))
                if alert is not None:
                    moved.append((state.rule.callback, alert))
        for callback, alert in moved:  # outside the lock: a callback may add and remove rules
            log.log(logging.WARNING if alert.active else logging.INFO, "alert %s: %s", alert.name, _worded(alert))
            try:
                callback(alert)
            except Exception:  # told with its trace; one callback's fault is not the next one's
                log.exception("the callback of alert %s failed", alert.name)
        return [alert for _, alert in moved]

    def _moved(self, state: _State, value: float | None) -> Alert | None:
        """The alert that begins or is over with this value, if one does."""
        if value is None:
            return None
        rule, now, active = state.rule, self._clock(), state.alert is not None
        wrong = rule.wrong(value, active)
        state.since = (now if state.since is None else state.since) if wrong else None
        begins = state.since is not None and now - state.since >= rule.for_seconds
        if active == wrong or not (active or begins):
            return None
        alert = Alert(rule.name, rule.metric, value, rule.limit, not active, now)
        state.alert = None if active else alert
        return alert


def _worded(alert: Alert) -> str:
    return f"{alert.metric} is {alert.value:g}, limit {alert.limit:g}" + ("" if alert.active else "; it is over")
