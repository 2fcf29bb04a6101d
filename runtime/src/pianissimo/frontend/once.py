"""A property that is computed once an instance, without a lock.

Until Python 3.12 `functools.cached_property` holds one lock for all instances while any of them computes: others wait for a
stranger's table, and a process forked at that moment waits for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class once(Generic[Value]):  # noqa: N801  # read as the decorator it is
    """Two threads that ask at once may both compute; they get equal values, and one of them stays."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> once[Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> once[Value] | Value:
        """The value; it lies in the instance from then on, where it is found before this is asked."""
        if instance is None:
            return self
        return instance.__dict__.setdefault(self.compute.__name__, self.compute(instance))  # type: ignore[no-any-return]
