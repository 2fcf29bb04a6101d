"""How long a stage may take, and how many trainings a machine carries at once, whatever flows run on it."""

import asyncio
import fcntl
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import psutil
from prefect import get_run_logger

from frameworks.recipe import STAGES

HOUR = 3600.0
# A stage that takes longer than this hangs: each is several times what the largest model took on two cores.
SECONDS = {
    "corpus": 2 * HOUR, "prepare": HOUR, "train": 8 * HOUR, "distill": 12 * HOUR, "prune": 8 * HOUR, "quantize": 4 * HOUR,
    "convert": HOUR, "validate": 2 * HOUR,
}  # fmt: skip
OTHERS = HOUR / 4  # gate, publish, the wheel
TRAINING = ("train", "distill", "prune", "quantize")
PLACES = "PIANISSIMO_TRAININGS"  # how many trainings at once on this machine (default: its cores)
MEMORY = "PIANISSIMO_TRAINING_MB"  # how much memory has to be free for one to start (default: 2000)
FACTOR = "PIANISSIMO_TIME_FACTOR"  # multiplies every limit of time, for a slower machine
ATTEMPTS = 3  # workers that one errand may lose
SILENCE = 8  # beats without a sign of life, after which a worker counts as lost
UNTAKEN = HOUR / 4  # seconds for a worker to be there at all, and from taking an errand to beginning it
BEAT = "PIANISSIMO_BEAT"  # seconds between two signs of life of a worker (default: 15)


def beat() -> float:
    """Seconds from one sign of life of a worker to the next."""
    return float(os.environ.get(BEAT, "15"))


def seconds(target: str) -> float:
    """The limit of `train@keywords`, say, on this machine."""
    return SECONDS.get(target.partition("@")[0], OTHERS) * float(os.environ.get(FACTOR, "1"))


def seconds_up_to(target: str) -> float:
    """The limit of a model's stage and of all it stands on, its corpus included."""
    stage, _, model = target.partition("@")
    return seconds("corpus") + sum(seconds(f"{one}@{model}") for one in STAGES[: STAGES.index(stage) + 1])


@asynccontextmanager
async def place(target: str, trains: bool = False) -> AsyncIterator[None]:
    """Holds one of this machine's places while a stage trains; stages that do not train need none, unless what they stand on
    `trains` with them.

    A place is a locked file, so that it is free again when its holder dies, however it does.
    """
    if not trains and target.partition("@")[0] not in TRAINING:
        yield
        return
    held = await _waited(target)
    try:
        yield
    finally:
        held.close()


async def _waited(target: str) -> BinaryIO:
    """A place, once there is one and enough memory is free; what it waits for is logged when that changes."""
    told, wanted = "", int(os.environ.get(MEMORY, "2000"))
    while True:
        scarce = psutil.virtual_memory().available < wanted * 10**6
        if not scarce and (held := _free()):
            return held
        why = f"{wanted} MB of free memory ({MEMORY})" if scarce else f"one of {_places()} places to train ({PLACES})"
        if why != told:
            get_run_logger().info(f"{target} waits for {why}")
            told = why
        await asyncio.sleep(1)


def _places() -> int:
    return max(1, int(os.environ.get(PLACES, os.cpu_count() or 1)))


def _free() -> BinaryIO | None:
    """A place nobody holds, locked; None when all are held."""
    folder = Path(tempfile.gettempdir(), f"pianissimo-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    for number in range(_places()):
        stream = (folder / f"training-{number}.lock").open("ab")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return stream
        except BlockingIOError:
            stream.close()
    return None
