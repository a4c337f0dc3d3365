"""Reporters at once, who try again after every lost answer: what is acknowledged is stored, each event once."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from licet import identifiers, money
from licet.terms import Price, preset
from registry import translog
from registry.errors import Unavailable
from registry.licensing import accrual
from tests.registry.harness import Running
from tests.registry.market import Trainer, balance, nothing_is_wrong, shelf, trainer

pytestmark = [pytest.mark.anyio, pytest.mark.fault]
MICRO = 333_333
PER_RUN = preset("paid", Price(model="per-training-run", amount=money.to_decimal(MICRO), currency="USD"))
REPORTERS, BATCHES, RUNS = 4, 5, 7


class Lossy:
    """Cuts answers off after they are committed, and work before it is: the first, and others by ``chance``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, chance: random.Random) -> None:
        self.lost = self.undone = 0
        honest_wait, honest_enter = translog.wait, accrual.enter

        async def wait(*given: Any) -> Any:
            receipt = await honest_wait(*given)
            if not self.lost or chance.random() < 0.3:
                self.lost += 1
                raise Unavailable("the answer is lost")
            return receipt

        async def enter(*given: Any, **named: Any) -> None:
            await honest_enter(*given, **named)
            if not self.undone or chance.random() < 0.3:
                self.undone += 1
                raise Unavailable("the transaction is lost")

        monkeypatch.setattr(translog, "wait", wait)
        monkeypatch.setattr(accrual, "enter", enter)


async def reporter(lantern: Trainer, licence: Any, chance: random.Random) -> tuple[dict[str, Any], set[str]]:
    """Report runs that others report too; return the acknowledged batches, and the ids of what was attempted."""
    acknowledged: dict[str, Any] = {}
    attempted: set[str] = set()
    for _ in range(BATCHES):
        events = lantern.events(licence, str(chance.randrange(2, 2 + RUNS)))
        attempted |= {event.id for event in events}
        batch = lantern.batch(events, licence.lines)
        for _ in range(50):
            answer = await lantern.send(batch)
            if answer.status_code == 201:
                acknowledged[answer.json()["batch"]] = (answer.json(), {event.id for event in events})
                break
            assert answer.status_code == 503, answer.text
    return acknowledged, attempted


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
async def test_what_is_acknowledged_is_stored_once(site: Running, monkeypatch: pytest.MonkeyPatch, seed: int):
    works = await shelf(site, PER_RUN, 3)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    chance = random.Random(seed)
    with monkeypatch.context() as patched:
        lossy = Lossy(patched, chance)
        histories = await asyncio.gather(*(reporter(lantern, licence, chance) for _ in range(REPORTERS)))
    assert lossy.lost
    assert lossy.undone
    acknowledged = {name: kept for history, _ in histories for name, kept in history.items()}
    assert len(acknowledged) == REPORTERS * BATCHES
    attempted = set().union(*(each for _, each in histories))
    async with site.services.database.acquire() as conn:
        rows = await conn.fetch(
            "select id, amount from usage_events where organisation = $1 and batch is not null",
            identifiers.to_uuid(lantern.id),
        )
    stored = {row["id"].hex() for row in rows}
    assert set().union(*(ids for _, ids in acknowledged.values())) <= stored <= attempted
    assert len(stored) == len(rows) == sum(answer["new"] for answer, _ in acknowledged.values())
    owed = (len(rows) + len(works.works)) * MICRO  # with what accepting the licence owed
    assert await balance(lantern.http) == {("receivable", "USD"): money.to_decimal(owed)}
    await nothing_is_wrong(site)
