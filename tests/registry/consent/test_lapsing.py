"""A challenged claim has 14 days by the times of the log; one that lapsed has no effect until it is signed anew."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import UUID

import pytest

from licet import identifiers, times
from registry.accounts import levels
from registry.accounts.levels import Ground
from registry.auditing import derived
from registry.auditing.types import Findings
from registry.consent import conflicts
from registry.consent.conflicts import lapse_due
from tests.registry.catalogue import NO_AI, PAID, Artist, artist, picture, signed
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio
ALMOST, OVER = timedelta(days=13, hours=23), timedelta(days=14, minutes=1)


async def claimed(who: Artist, seed: int) -> str:
    work = (await who.picture(picture(seed))).work
    await who.state([work], PAID)
    return work


async def kinds_told(who: Artist) -> list[str]:
    return [each["kind"] for each in (await who.http.get("/v1/events")).json()["items"] if "chall" in each["kind"]]


async def lower(site: Running, who: Artist, level: int = 0) -> None:
    """Let the office state a level of ``who``, also a lower one."""
    async with site.services.database.transaction() as conn:
        row = await levels.locked(conn, who.uuid)
        await conn.execute("update account_levels set backed = 0 where account = $1", who.uuid)
        await levels.state(site.services, conn, row, Ground("attested", level, "a decision of the office"))


async def test_rule_6_a_challenged_claim_lapses_after_14_days_and_both_are_told(lone: Running) -> None:
    ada, eve = await artist(lone), await artist(lone, "Eve")
    await ada.raise_level(2)
    await claimed(ada, 1)
    work = await claimed(eve, 1)
    shown = (await eve.http.get(f"/v1/works/{work}")).json()["challenge"]
    async with lone.services.database.acquire() as conn:
        entered = await conn.fetchval(
            "select e.at from work_matches m join log_entries e on e.pending = m.challenged_by where m.work = $1",
            identifiers.to_uuid(work),
        )
    assert shown == {"level": 2, "until": times.to_text(entered + timedelta(days=14)), "lapsed": False}
    assert await kinds_told(ada) == await kinds_told(eve) == ["challenge-opened"]
    assert await lapse_due(lone.services, entered + ALMOST) == 0
    assert await lapse_due(lone.services, entered + OVER) == 1
    assert await lapse_due(lone.services, entered + OVER) == 0
    assert await kinds_told(ada) == await kinds_told(eve) == ["challenge-lapsed", "challenge-opened"]
    shown = (await eve.http.get(f"/v1/works/{work}")).json()["challenge"]
    assert shown == {"level": 2, "until": None, "lapsed": True}
    await eve.raise_level(3)  # too late: without effect until she signs anew
    assert (await eve.work(work)).challenged
    assert not (await ada.work((await ada.http.get("/v1/works")).json()["items"][0]["work"])).contested
    await eve.state([work], NO_AI)
    found = await eve.work(work)
    assert (found.challenged, found.contested, found.challenge) == (False, True, None)


async def test_rule_6_a_level_reached_in_time_ends_the_challenge_for_good(lone: Running) -> None:
    ada, eve = await artist(lone), await artist(lone, "Eve")
    await ada.raise_level(2)
    await claimed(ada, 1)
    work = await claimed(eve, 1)
    await eve.raise_level(2)
    assert await lapse_due(lone.services, times.now() + OVER) == 0
    found = await eve.work(work)
    assert (found.challenged, found.contested, found.challenge) == (False, True, None)
    await lower(lone, eve)  # falls again: challenged anew, with 14 days of its own
    again = await eve.work(work)
    assert again.challenged
    assert again.challenge is not None
    assert again.challenge.until is not None or again.challenge.lapsed is False


async def test_a_claim_that_lapsed_and_is_signed_anew_counts_among_the_three(lone: Running) -> None:
    ada, eve = await artist(lone), await artist(lone, "Eve")
    await ada.raise_level(2)
    theirs = [(await ada.picture(picture(n))).work for n in range(4)]
    await ada.state(theirs, NO_AI)
    copies = [(await eve.picture(picture(n))).work for n in range(4)]
    await eve.state(copies[:1], PAID)
    assert await lapse_due(lone.services, times.now() + OVER) == 1
    await eve.state(copies[1:], PAID)  # three open beside one that has lapsed
    drafted = await eve.draft(copies[:1], NO_AI)
    refused = await eve.submit(signed(drafted, eve.account.key), copies[:1])
    assert (refused.status_code, "at most 3 open challenges" in refused.json()["detail"]) == (409, True)
    shown = (await eve.work(copies[0])).challenge
    assert shown is not None
    assert shown.lapsed


async def test_rule_6_withdrawing_and_registering_anew_begins_a_challenge_of_one_work_a_few_times_only(
    lone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, eve = await artist(lone), await artist(lone, "Eve")
    await ada.raise_level(2)
    await claimed(ada, 1)
    await claimed(ada, 2)
    for _ in range(3):
        await eve.withdraw([await claimed(eve, 1)])
    again = (await eve.picture(picture(1))).work
    drafted = await eve.draft([again], PAID)
    refused = await eve.submit(signed(drafted, eve.account.key), [again])
    assert (refused.status_code, "at most 3 works that challenge the same work" in refused.text) == (409, True)
    assert (await kinds_told(ada)).count("challenge-opened") == 3
    await claimed(eve, 2)  # another work
    monkeypatch.setattr(conflicts, "_RECENT", timedelta(0))  # later
    await eve.state([again], PAID)


@pytest.mark.parametrize("seed", range(3))
async def test_rule_6_holds_while_levels_rise_and_fall(lone: Running, seed: int) -> None:
    """Against a model that knows levels, whose challenge is open, and which lapsed; any order of what can happen."""
    draw = random.Random(seed)
    people = [await artist(lone, f"Artist {n}") for n in range(3)]
    works = [await claimed(who, 1) for who in people]
    level, opened, lapsed = [0, 0, 0], set[tuple[int, int]](), set[int]()
    for _ in range(8):
        who = draw.randrange(3)
        step = draw.choice(["rise", "fall", "wait", "sign"])
        if step == "rise" and level[who] < 3:
            level[who] = min(3, level[who] + draw.randint(1, 2))
            await people[who].raise_level(level[who])
        elif step == "fall" and level[who]:
            level[who] = 0
            await lower(lone, people[who])
        elif step == "wait":
            await lapse_due(lone.services, times.now() + OVER)
            lapsed |= {each for each, _ in opened}
            opened.clear()
        elif step == "sign":
            await people[who].state([works[who]], draw.choice([PAID, NO_AI]))
            lapsed.discard(who)
        opened = {
            (later, first)
            for later in range(3)
            for first in range(later)
            if level[first] >= 2 and level[later] < level[first] and later not in lapsed
        }
        lost = {each for each, _ in opened} | lapsed
        for place, (person, work) in enumerate(zip(people, works, strict=True)):
            found = await person.work(work)
            fought = place not in lost and len({0, 1, 2} - lost) > 1
            assert (found.challenged, found.contested) == (place in lost, fought), (seed, step, who, level, place)
        await _counted_again(lone, {UUID(bytes=identifiers.to_uuid(works[each]).bytes) for each in lapsed})


async def _counted_again(site: Running, lapsed: set[UUID]) -> None:
    """Nothing differs but what lapsed before its time: these tests do not wait for it."""
    found = Findings("works")
    async with site.services.database.transaction() as conn:
        await derived.likeness(conn, found)
    early = {identifiers.from_uuid("wrk", each) for each in lapsed}
    wrong = [each for each in found.told if not ("lapsed" in each.message and any(w in each.message for w in early))]
    assert wrong == []
