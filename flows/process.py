"""A command of a run: its output is logged as it comes, and it ends when the run does, in whatever way."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from prefect import get_run_logger

from flows.environment import environment

GUARD = str(Path(__file__).with_name("guard.py"))
TAIL = 12  # lines of output that a failure repeats


async def run(command: list[str], seconds: float | None = None) -> tuple[int, list[str]]:
    """(exit status, output) of a command. Raises TimeoutError, and ends the command, when it takes longer than `seconds`."""
    log = get_run_logger()
    pipe, joined = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(
        sys.executable, GUARD, *command, env=environment(), stdin=pipe, stdout=pipe, stderr=joined
    )  # fmt: skip
    lines: list[str] = []
    assert process.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            async for raw in process.stdout:
                lines.append(raw.decode(errors="replace").rstrip())
                if lines[-1]:
                    log.info(lines[-1])
            return await process.wait(), lines
    finally:
        if process.returncode is None:
            await asyncio.shield(_ended(process))


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Lets the guard end the command: its pipe closes."""
    assert process.stdin is not None
    with suppress(ProcessLookupError, ConnectionError):
        process.stdin.close()
    await process.wait()


def tail(lines: list[str]) -> str:
    """The last lines of an output, which say what went wrong."""
    return "\n".join(lines[-TAIL:])
