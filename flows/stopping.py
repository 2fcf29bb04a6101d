"""A run that is asked to end does end, whatever it is doing at that moment.

Prefect answers SIGTERM with an exception, raised wherever the main thread happens to be. Where the event loop waits, that ends
the run. In a callback of the loop, or a task nobody waits for, asyncio notes it in the log and goes on, and the run with it.
The interpreter also writes each signal's number to a file descriptor, where none gets lost: that is read here, and the run is
cancelled, which is how asyncio answers Ctrl-C.
"""

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class StoppedError(Exception):
    """A command was stopped from outside; `status` is what a shell makes of it, 128 and the signal's number."""

    def __init__(self, by: signal.Signals) -> None:
        super().__init__(f"stopped by {by.name}: what was made so far stays, and the same command goes on from there")
        self.status = 128 + by


def run(flow: Coroutine[Any, Any, Answer]) -> Answer:
    """What `asyncio.run` answers. Raises StoppedError when Ctrl-C or SIGTERM ended it."""
    from prefect.exceptions import TerminationSignal  # takes seconds to import

    async def whole() -> Answer:
        async with heard():
            try:
                return await flow
            except Exception as error:
                if (task := asyncio.current_task()) and task.cancelling():
                    raise asyncio.CancelledError from error  # it could not tell a server that was stopped with it
                raise

    try:
        return asyncio.run(whole())
    except KeyboardInterrupt:
        raise StoppedError(signal.SIGINT) from None
    except (asyncio.CancelledError, TerminationSignal):
        raise StoppedError(signal.SIGTERM) from None


@asynccontextmanager
async def heard() -> AsyncIterator[None]:
    """Within it SIGTERM cancels the task that entered it, unless the exception has reached that task before."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals go to the main thread alone
        return
    loop, flow = asyncio.get_running_loop(), asyncio.current_task()
    assert flow is not None
    ours, theirs = socket.socketpair()

    def listen() -> None:
        if signal.SIGTERM in ours.recv(256) and not flow.cancelling():
            flow.cancel()

    ours.setblocking(False)
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    loop.add_reader(ours, listen)
    try:
        yield
    finally:
        loop.remove_reader(ours)
        signal.set_wakeup_fd(before)
        ours.close()
        theirs.close()
