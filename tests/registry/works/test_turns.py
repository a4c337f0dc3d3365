"""Turns: everybody who waits is served in turn, nobody twice, and no place is lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import Unavailable
from registry.works.turns import Turns

pytestmark = pytest.mark.anyio


async def served(line: list[str], away: frozenset[int] = frozenset(), places: int = 1) -> list[str]:
    """Who had a turn, in order, where all of ``line`` ask at once and those numbered ``away`` go before theirs."""
    turns, had = Turns(places), []
    for _ in range(places):
        await turns.take("first")

    async def one(who: str) -> None:
        await turns.take(who)
        had.append(who)
        turns.give()

    tasks = [asyncio.create_task(one(who)) for who in line]
    await asyncio.sleep(0)
    for number in away:
        tasks[number].cancel()
    for _ in range(places):
        turns.give()
    await asyncio.gather(*tasks, return_exceptions=True)
    for _ in range(places):
        async with asyncio.timeout(5):
            await turns.take("last")
    return had


async def test_accounts_take_turns() -> None:
    assert await served(["eve"] * 5 + ["ada"] * 2 + ["bob"]) == ["eve", "ada", "bob", "eve", "ada", *["eve"] * 3]


@given(st.lists(st.sampled_from("abc"), max_size=12), st.data())
def test_who_stays_has_one_turn_each_and_places_come_back(line: list[str], data: st.DataObject) -> None:
    away = data.draw(st.frozensets(st.integers(0, len(line) - 1))) if line else frozenset()
    had = asyncio.run(served(line, away, data.draw(st.integers(1, 3))))
    assert sorted(had) == sorted(who for number, who in enumerate(line) if number not in away)


async def test_who_goes_away_in_the_moment_of_its_turn_leaves_it_to_the_next() -> None:
    turns = Turns(1)
    await turns.take("ada")
    waiting = asyncio.create_task(turns.take("eve"))
    await asyncio.sleep(0)
    turns.give()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5):
        await turns.take("bob")


async def test_of_each_only_so_many_wait_and_who_went_away_does_not_count() -> None:
    turns = Turns(1, most_waiting=3)
    await turns.take("ada")
    waiting = [asyncio.create_task(turns.take("eve")) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="3 pictures of yours wait already"):
        await turns.take("eve")
    bob = asyncio.create_task(turns.take("bob"))
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.sleep(0)
    waiting.append(asyncio.create_task(turns.take("eve")))
    await asyncio.sleep(0)
    assert not waiting[-1].done()
    for _ in range(4):
        turns.give()
        await asyncio.sleep(0)
    assert bob.done()
    assert [each.cancelled() for each in waiting] == [False, True, False, False]
    assert all(each.done() for each in waiting)
