"""Tells a person how far a long step is: one plain line a step, with the time left."""

import sys
import time


class Progress:
    """Counts the steps of one piece of work. `step("loss 0.3")` prints `train   3/20  loss 0.3  1:05 left`."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self.started = time.monotonic()

    def step(self, facts: str = "") -> None:
        """One step is done; `facts` stand beside the count."""
        self.done += 1
        left = (time.monotonic() - self.started) / self.done * (self.total - self.done)
        clock = f"{int(left // 60)}:{int(left % 60):02d} left"
        sys.stdout.write(f"{self.what:<22} {self.done:>3}/{self.total}  {facts}  {clock}\n")
        sys.stdout.flush()
