"""Work side by side that ends together."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


async def together(work: Iterable[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """What `asyncio.gather` answers, in order.

    When it is cancelled, or one of them raises, the others are cancelled and have ended before this does: `gather` by itself
    goes on at the first that ended, and the rest would tell a server that is no longer there.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
