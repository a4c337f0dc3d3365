"""Quotas hold for all processes together, ask the table rarely, and lose nothing to a process that dies."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from registry.database import Database
from registry.quotas import Exceeded, Quota, Quotas
from registry.settings import Rate, rate_of

pytestmark = pytest.mark.anyio

HOUR = 3_600


class Counting:
    """A database that counts how often it was asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.asked = 0

    def acquire(self) -> Any:
        self.asked += 1
        return self._database.acquire()


async def demand(quotas: Quotas, quota: Quota, amounts: list[int], who: str = "account:a") -> int:
    spent = 0
    for amount in amounts:
        try:
            await quotas.spend(who, quota, amount)
        except Exceeded:
            continue
        spent += amount
    return spent


@pytest.mark.parametrize("seed", range(8))
async def test_processes_together_never_spend_more_than_the_quota(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    most = chance.choice((1, 7, 100, 5_000, 100_000))
    quota = Quota("keys", Rate(most, HOUR))
    processes = [Quotas(database) for _ in range(chance.randint(1, 6))]
    largest = max(1, most // chance.choice((1, 3, 50)))
    wanted = [[chance.randint(1, largest) for _ in range(chance.randint(1, 60))] for _ in processes]
    # Several callers of one process at once, too.
    spent = await asyncio.gather(
        *(
            demand(process, quota, part)
            for process, amounts in zip(processes, wanted, strict=True)
            for part in (amounts[::2], amounts[1::2])
        )
    )
    assert sum(spent) <= most
    if sum(map(sum, wanted)) <= most // 4:
        assert sum(spent) == sum(map(sum, wanted)), "far from the quota nothing is refused"


async def test_a_single_process_can_spend_all_of_it(database: Database) -> None:
    quota = Quota("default", Rate(1_000, HOUR))
    assert await demand(Quotas(database), quota, [1] * 1_100) == 1_000


async def test_the_table_is_asked_a_few_times_for_thousands_of_requests(database: Database) -> None:
    counting = Counting(database)
    quotas = Quotas(counting)  # type: ignore[arg-type]
    quota = Quota("default", Rate(30_000, 60))
    assert await demand(quotas, quota, [1] * 5_000) == 5_000
    assert counting.asked <= 15
    for _ in range(2):
        assert await demand(quotas, quota, [1] * 40_000) <= 25_000
    assert counting.asked <= 120, "a quota that is used up is known, not asked for"


async def test_what_a_dead_process_borrowed_comes_back_with_the_next_window(database: Database) -> None:
    now = 0.0
    quota = Quota("keys", Rate(64, HOUR))
    await Quotas(database).spend("account:a", quota, 40)  # then it dies
    other = Quotas(database, clock=lambda: now)
    with pytest.raises(Exceeded) as caught:
        await other.spend("account:a", quota, 40)
    assert HOUR - 60 < caught.value.standing.seconds <= HOUR
    assert caught.value.headers["Retry-After"] == str(caught.value.standing.seconds)
    async with database.acquire() as conn:
        await conn.execute("update quotas set until = now() - interval '1 second'")
    now = HOUR + 1.0
    standing = await other.spend("account:a", quota, 40)
    assert standing.left == 24


async def test_a_loan_ends_with_its_window(database: Database) -> None:
    now = 0.0
    quotas = Quotas(database, clock=lambda: now)
    quota = Quota("keys", Rate(160, HOUR))
    await quotas.spend("account:a", quota, 1)
    async with database.acquire() as conn:
        await conn.execute("update quotas set until = now() - interval '1 second'")
    now = HOUR + 1.0
    standing = await quotas.spend("account:a", quota, 100)
    assert standing.left == 60


async def test_counts_that_the_server_lost_in_a_crash_begin_anew(database: Database) -> None:
    quota = Quota("keys", Rate(160, HOUR))
    quotas = Quotas(database)
    await quotas.spend("account:a", quota, 100)
    async with database.acquire() as conn:
        await conn.execute("truncate quotas")
    assert await demand(quotas, quota, [10] * 20) <= 160


async def test_callers_and_quotas_are_counted_apart(database: Database) -> None:
    quotas = Quotas(database)
    for who in ("account:a", "account:b", "address:127.0.0.1"):
        for name in ("keys", "default"):
            assert await demand(quotas, Quota(name, Rate(10, HOUR)), [1] * 12, who) == 10


async def test_more_than_there_ever_is_takes_nothing(database: Database) -> None:
    quotas, quota = Quotas(database), Quota("keys", Rate(10, HOUR))
    with pytest.raises(Exceeded):
        await quotas.spend("account:a", quota, 11)
    assert await demand(quotas, quota, [10]) == 10


def test_rates_read_what_they_write() -> None:
    for text in ("6000/1m", "1/1s", "20/90s", "500/2h", "5/1d", "off"):
        assert str(rate_of(text)) == text
    assert str(rate_of("5/60s")) == "5/1m"
    for wrong in ("", "6000", "6000/m", "0/1m", "5/0s", "-1/1m", "5/1w", 5, None):
        with pytest.raises(ValueError, match="expected a rate such as 6000/1m, or off"):
            rate_of(wrong)
