"""A command that is stopped says so, whatever its end runs into."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from flows.stopping import StoppedError, run


async def stopped(by: signal.Signals) -> None:
    """A flow that is asked to stop, and cannot tell its server."""
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), by)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        raise ConnectionError("the server is gone") from None


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_an_error_on_the_way_out_does_not_hide_why(by: signal.Signals) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # as if Prefect had answered it where nobody waits
    try:
        with pytest.raises(StoppedError, match=f"stopped by {by.name}") as told:
            run(stopped(by))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told.value.status == 128 + by


def test_an_error_of_a_run_that_nobody_stopped_comes_out() -> None:
    async def broken() -> None:
        raise ConnectionError("the server is gone")

    with pytest.raises(ConnectionError, match="the server is gone"):
        run(broken())
