"""One question for many: each answer was asked for after it was wanted, and no failure outlives its question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from registry.snapshots.reader import Shared

pytestmark = pytest.mark.anyio


class Asked:
    """Questions as they are asked; each waits until it is answered here."""

    def __init__(self) -> None:
        self.open: list[asyncio.Future[int]] = []

    async def __call__(self) -> int:
        self.open.append(asyncio.get_running_loop().create_future())
        return await self.open[-1]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0)


async def test_whoever_comes_while_it_is_asked_gets_an_answer_to_the_next_question() -> None:
    asked = Asked()
    shared = Shared(asked)
    first = [asyncio.create_task(shared()) for _ in range(3)]
    await until(lambda: len(asked.open) == 1)
    later = [asyncio.create_task(shared()) for _ in range(2)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(asked.open) == 1  # one at a time
    first[0].cancel()  # it has gone; the others are answered all the same
    asked.open[0].set_result(1)
    await until(lambda: len(asked.open) == 2)
    asked.open[1].set_result(2)
    assert await asyncio.gather(*first[1:], *later) == [1, 1, 2, 2]
    again = asyncio.create_task(shared())
    await until(lambda: len(asked.open) == 3)
    asked.open[2].set_result(3)
    assert await again == 3


async def test_a_failure_is_told_to_those_who_asked_and_the_next_question_is_asked() -> None:
    asked = Asked()
    shared = Shared(asked)
    first = asyncio.create_task(shared())
    await until(lambda: len(asked.open) == 1)
    later = asyncio.create_task(shared())
    await asyncio.sleep(0)
    asked.open[0].set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await first
    await until(lambda: len(asked.open) == 2)
    asked.open[1].set_result(2)
    assert await later == 2


async def test_nobody_waits_for_another_question_where_one_took_too_long() -> None:
    asked = Asked()
    shared = Shared(asked)
    waiting = [asyncio.create_task(shared())]
    await until(lambda: len(asked.open) == 1)
    waiting.append(asyncio.create_task(shared()))
    await asyncio.sleep(0)
    asked.open[0].set_exception(TimeoutError())
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in found] == [TimeoutError, TimeoutError]
    assert len(asked.open) == 1
