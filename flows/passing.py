"""Which failures get better by themselves: a held lock, a network that falters. No other is ever tried again."""

from pathlib import Path
from typing import Any

from prefect import State

from flows.environment import BUSY, LOCKED

TORN = "JSON structure is corrupted"  # of its list of readers and writers: a DVC command was killed as it wrote it
RWLOCK = Path(".dvc/tmp/rwlock")
# What S3 clients, pip and Python's sockets say of a network or a server that falters.
NETWORK = (
    "Could not connect to the endpoint URL", "Connect timeout on endpoint URL", "Read timeout on endpoint URL",
    "Connection was closed before we received a valid response", "Connection reset by peer", "Connection refused",
    "Temporary failure in name resolution", "the server is still busy", "(SlowDown)", "(ServiceUnavailable)",
    "(RequestTimeout)", "(InternalError)",
)  # fmt: skip


SIGNS = (LOCKED, BUSY, TORN, *NETWORK)


class PassingError(RuntimeError):
    """A failure that waiting mends."""


def found(lines: list[str], project: Path = Path()) -> str | None:
    """What in a failed command's output says that its failure will pass; None when nothing does."""
    sign = next((sign for sign in SIGNS if any(sign in line for line in lines)), None)
    if sign == TORN:
        (project / RWLOCK).unlink(missing_ok=True)  # DVC never mends it; whoever is in it was killed
    return sign


def is_passing(_task: object, _run: object, state: State[Any]) -> bool:
    """Prefect's question whether to try a task again."""
    return PassingError.__name__ in str(state.message) or isinstance(state.data, PassingError)
