"""No licence gets a log index after a tighten that it ignored, however the two fall together (semantics 22, 23)."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.registry.catalogue import NO_AI, PAID, signed
from tests.registry.harness import Running
from tests.registry.market import granted, nothing_is_wrong, problem, shelf, trainer

pytestmark = pytest.mark.anyio
ROUNDS = 16


async def test_tighten_and_accept_at_once_are_always_in_an_order_that_both_knew(site: Running):
    lantern = await trainer(site)
    chance = random.Random(7)
    outcomes = []
    owner = (await shelf(site, PAID, 1)).owner
    others = await shelf(site, PAID, 1)
    for number in range(ROUNDS):
        one = await shelf(site, PAID, 1, owner=owner)
        quote = await lantern.quote([*one.wanted(), *(others.wanted() if number == 0 else [])])
        envelope = signed(await owner.draft(one.works, NO_AI), owner.account.key)

        async def tighten(envelope=envelope, one=one):
            await asyncio.sleep(chance.random() * 0.02)
            return await owner.submit(envelope, one.works)

        async def accept(quote=quote):
            await asyncio.sleep(chance.random() * 0.02)
            return await lantern.accept(quote)

        tightened, accepted = await asyncio.gather(tighten(), accept())
        assert tightened.status_code == 201, tightened.text
        if accepted.status_code == 201:
            licence, statement = granted(accepted).receipt.log_index, tightened.json()["log_index"]
            assert licence < statement
            outcomes.append("licence first")
        else:
            assert problem(accepted)[:2] == (409, "works-changed")
            outcomes.append("tighten first")
        after = await lantern.quote(one.wanted())
        assert after.lines == []
    assert set(outcomes) == {"licence first", "tighten first"}
    await nothing_is_wrong(site)
