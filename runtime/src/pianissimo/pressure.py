"""Degraded mode: entered when memory is short, left only when there is clearly room again."""

from __future__ import annotations


class Pressure:
    """On from `enter` of the budget upwards, off again below `leave`; between the two it stays as it is.

    Without the distance between them a library at the edge would throw its cache away and fill it again by turns.
    """

    def __init__(self, enter: float, leave: float) -> None:
        self._enter, self._leave = enter, leave
        self.on = False

    def update(self, share: float) -> bool:
        """Note the share of the budget in use; True when the mode changed."""
        before = self.on
        self.on = share >= self._leave if before else share >= self._enter
        return self.on != before
