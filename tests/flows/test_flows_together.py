"""Work side by side: all of it has ended when the whole has, however that came."""

from __future__ import annotations

import asyncio

import pytest

from flows.together import together


class Work:
    """Four pieces of work that take a while to stop; `ended` are those that did."""

    def __init__(self, failing: int | None = None) -> None:
        self.failing, self.begun = failing, 0
        self.ended: list[int] = []

    async def piece(self, number: int) -> int:
        self.begun += 1
        try:
            await asyncio.sleep(0 if number == self.failing else 60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01 * number)  # a state is told to a server
            raise
        finally:
            self.ended.append(number)
        raise RuntimeError(f"number {number} broke")

    async def whole(self) -> list[int]:
        return await together(self.piece(number) for number in range(4))


def test_answers_come_in_order() -> None:
    async def later(number: int) -> int:
        await asyncio.sleep(0.02 / (number + 1))
        return number

    async def whole() -> list[int]:
        return await together(later(number) for number in range(4))

    assert asyncio.run(whole()) == [0, 1, 2, 3]


def test_cancelled_it_waits_until_all_have_stopped() -> None:
    work = Work()

    async def cancelled() -> None:
        running = asyncio.ensure_future(work.whole())
        while work.begun < 4:
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert sorted(work.ended) == [0, 1, 2, 3], "before the loop that they need is closed"

    asyncio.run(cancelled())


def test_what_one_raises_comes_out_when_the_others_have_stopped() -> None:
    work = Work(failing=2)

    async def failed() -> None:
        with pytest.raises(RuntimeError, match="number 2 broke"):
            await work.whole()
        assert sorted(work.ended) == [0, 1, 2, 3]

    asyncio.run(failed())
