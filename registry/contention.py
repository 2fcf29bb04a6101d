"""Many writers of one document: who lost waits a while, so that they do not undo one another's work again and again."""

import random
import time

LONGEST = 2.0  # seconds


def pause(lost: int) -> None:
    """Waits before the next try, after `lost` of them: at random, up to twice as long each time (exponential back-off)."""
    time.sleep(random.uniform(0, min(LONGEST, 0.05 * 2**lost)))
