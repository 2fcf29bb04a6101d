"""What a library may be told: each switch with its default, its environment variable, and what it allows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .errors import SwitchError

PREFIX = "PIANISSIMO_"
WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
MOST = 1e9  # where nothing else is the limit


def cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Allowed:
    """The range of a switch; `optional` ones may be None, which no environment variable says."""

    least: float
    most: float
    optional: bool = False


def _switch(default: Any, least: float, most: float, optional: bool = False) -> Any:
    return field(default=default, metadata={"allowed": Allowed(least, most, optional)})


@dataclass(frozen=True)
class Switches:
    """The switches of a `Library`; megabytes are of 2**20 bytes, `max_cpu_percent` is of one core."""

    memory_budget: float = _switch(500.0, 1.0, MOST)  # MB the process may grow by, models, backends and all
    model_cache: float = _switch(200.0, 1.0, MOST)  # MB that open models may hold
    idle_timeout: float = _switch(300.0, 0.01, MOST)  # seconds after which an unused model is closed
    prediction_cache: float = _switch(16.0, 0.0, MOST)  # MB of clips and answers; 0 keeps none
    prediction_age: float = _switch(300.0, 0.0, MOST)  # seconds an answer is given again
    workers: int = field(default_factory=cores, metadata={"allowed": Allowed(1, 1024)})  # answers computed at once
    threads: int = _switch(1, 1, 1024)  # of a backend, for one answer
    degraded_at: float = _switch(0.8, 0.01, 1.0)  # share of the memory budget
    recovered_at: float = _switch(0.7, 0.0, 1.0)
    max_cpu_percent: float | None = _switch(None, 0.1, 102_400.0, optional=True)
    verify: bool = True  # golden vectors before a variant's first answer
    sample_seconds: float = _switch(5.0, 0.01, 3600.0)  # between two points of the history
    history_minutes: float = _switch(60.0, 0.01, 10_080.0)

    def __post_init__(self) -> None:
        for each in fields(self):
            allowed = each.metadata.get("allowed")
            value = getattr(self, each.name)
            if allowed is not None and not (allowed.optional and value is None):
                _check_number(each.name, value, allowed, whole=each.type == "int")
        if not isinstance(self.verify, bool):
            raise SwitchError("verify", self.verify, "true or false")
        if self.recovered_at > self.degraded_at:
            raise SwitchError("recovered_at", self.recovered_at, f"at most degraded_at, {self.degraded_at:g}")

    @classmethod
    def read(cls, given: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Switches:
        """What was `given`; then what the environment says in PIANISSIMO_<NAME>; then the defaults.

        A value of None among `given` counts as not given. Raises SwitchError for an unknown name, a wrong type, or a
        value out of range, with what is allowed.
        """
        known = {each.name: str(each.type) for each in fields(cls)}
        for name in given:
            if name not in known:
                raise SwitchError(name, given[name], f"the switches {', '.join(known)}")
        told = os.environ if environment is None else environment
        chosen = {
            name: _parsed(name, told[variable(name)], kind) for name, kind in known.items() if variable(name) in told
        }
        return cls(**chosen | {name: value for name, value in given.items() if value is not None})


def variable(name: str) -> str:
    """The environment variable of a switch: PIANISSIMO_MEMORY_BUDGET for memory_budget."""
    return PREFIX + name.upper()


def _parsed(name: str, text: str, kind: str) -> Any:
    if kind == "bool":
        if text.strip().lower() not in WORDS:
            raise SwitchError(variable(name), text, ", ".join(WORDS))
        return WORDS[text.strip().lower()]
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError:
        raise SwitchError(variable(name), text, "a whole number" if kind == "int" else "a number") from None


def _check_number(name: str, value: object, allowed: Allowed, whole: bool) -> None:
    kinds = int if whole else (int, float)
    right = isinstance(value, kinds) and not isinstance(value, bool)
    if not right or not allowed.least <= value <= allowed.most:  # type: ignore[operator]  # NaN is in no range
        kind = "a whole number" if whole else "a number"
        raise SwitchError(name, value, f"{kind} from {allowed.least:g} to {allowed.most:g}")
