"""What co-owners say meets everything else at any moment: licences, erasure, updates, contests, catalogues."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import pytest

from licet import identifiers, times
from licet.terms import merge
from registry.auditing import verify
from registry.consent import owners
from registry.consent.maturing import mature_due
from registry.consent.owners import end_due
from registry.database import Connection
from registry.erasure import service as erasing
from registry.erasure.service import NOTHING
from registry.erasure.weighing import Weight
from registry.restoring import queries as restoring
from registry.snapshots import publisher
from tests.registry.catalogue import NO_AI, PAID, PAID_MORE, RESEARCH, artist, new_pictures, picture, reader_of
from tests.registry.erasure.leaving import erased
from tests.registry.harness import Running
from tests.registry.market import problem, trainer
from tests.registry.market import shelf as sold
from tests.registry.splits.owners import agreed, answer, propose, told
from tests.registry.splits.test_restricting import HALVES, LATER, in_force, shelf, state

pytestmark = pytest.mark.anyio
WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


@pytest.fixture(autouse=True)
def pictures(request: pytest.FixtureRequest) -> None:
    new_pictures(request.node.nodeid)


async def until_it_waits(site: Running, task: asyncio.Task[object]) -> None:
    """Return once ``task`` waits for a lock that another transaction holds, or is done."""
    async with site.services.database.acquire() as conn:
        while not task.done() and not await conn.fetchval(WAITING):
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("catalogue", [False, True])
async def test_rule_22_no_licence_comes_behind_a_co_owners_restriction_that_it_ignored(
    site: Running, monkeypatch: pytest.MonkeyPatch, catalogue: bool
):
    ada, ben = await artist(site), await artist(site, "Ben")
    goods = await sold(site, PAID, 1, owner=ada)
    await agreed(ada, goods.works, list(zip((ada, ben), HALVES, strict=True)))
    lantern = await trainer(site)
    quote = await lantern.quote(goods.wanted())
    restrict, drawn, go_on = owners.restrict, asyncio.Event(), asyncio.Event()

    async def held_up(conn: Connection, works: Sequence[UUID], changed: int) -> None:
        await restrict(conn, works, changed)
        drawn.set()  # its place in the log is taken, and nobody knows yet
        await go_on.wait()

    monkeypatch.setattr(owners, "restrict", held_up)
    stating = asyncio.create_task(ben.state(None if catalogue else goods.works, NO_AI))
    await drawn.wait()
    accepting = asyncio.create_task(lantern.accept(quote))
    await until_it_waits(site, accepting)
    go_on.set()
    assert (await stating).pending_until is None
    assert problem(await accepting)[:2] == (409, "works-changed")
    assert (await lantern.quote(goods.wanted())).lines == []


@pytest.mark.parametrize("deny", [True, False])
@pytest.mark.parametrize("spoken", [True, False])
async def test_of_an_erased_co_owners_catalogue_a_deny_is_left_where_it_had_restricted(
    lone: Running, deny: bool, spoken: bool
):
    ada, ben = await artist(lone), await artist(lone, "Ben")
    one, two = await shelf(ada, 2, PAID if spoken else None)
    await ben.state(None, RESEARCH)
    await agreed(ada, [one], list(zip((ada, ben), HALVES, strict=True)))
    assert await in_force(lone, one) == [merge([PAID, RESEARCH] if spoken else [RESEARCH]).encoded]
    assert (await erased(lone, ben.account, deny=deny)).denied == int(deny)
    untouched = PAID.encoded if spoken else None
    await publisher.publish(lone.services)
    assert await said(lone, one) == (NOTHING.encoded if deny else untouched)
    assert await said(lone, two) == untouched
    assert await verify(lone.services) == []


async def test_a_work_of_which_only_an_erased_co_owner_had_spoken_is_spoken_of_again(lone: Running):
    """Before the next snapshot too, which would otherwise leave it out and state it at once; and more than once."""
    ada, ben, cay = [await artist(lone, name) for name in ("Ada", "Ben", "Cay")]
    (work,) = await shelf(ada, 1, None)
    await agreed(ada, [work], [(ada, 4000), (ben, 3000), (cay, 3000)])
    await ben.state([work], NO_AI)
    await publisher.publish(lone.services)
    await erased(lone, ben.account, deny=False)
    await cay.state([work], RESEARCH)
    await publisher.publish(lone.services)
    assert await said(lone, work) == RESEARCH.encoded
    await erased(lone, cay.account, deny=False)
    await publisher.publish(lone.services)
    assert await said(lone, work) is None
    await ada.state([work], PAID)
    await publisher.publish(lone.services)
    assert await said(lone, work) == PAID.encoded
    assert await verify(lone.services) == []


async def said(site: Running, work: str) -> bytes | None:
    """Return the terms in force of ``work``, None where nobody speaks for it."""
    index, _, _ = await reader_of(site.services).current()
    found = index.work(identifiers.to_uuid(work).bytes)
    return None if found is None else found.terms


async def test_an_erasure_holds_the_works_that_its_account_came_to_restrict_while_it_waited(
    lone: Running, monkeypatch: pytest.MonkeyPatch
):
    """Otherwise a licence over them could come behind the deny that it leaves."""
    ada, ben, cay = [await artist(lone, name) for name in ("Ada", "Ben", "Cay")]
    (work,) = await shelf(ada, 1)
    await ben.state(None, RESEARCH)
    cleaned, go_on, bare = asyncio.Event(), asyncio.Event(), erasing._Erasure._bare

    async def held_up(erasure: erasing._Erasure, weight: Weight, now: datetime) -> None:
        await bare(erasure, weight, now)
        cleaned.set()
        await go_on.wait()

    monkeypatch.setattr(erasing._Erasure, "_bare", held_up)
    split = await propose(ada, [work], [(ada, 4000), (ben, 3000), (cay, 3000)])
    told(await answer(ben, split))
    joined, agree = asyncio.Event(), owners.agreed

    async def late(*args: object) -> None:
        await agree(*args)  # type: ignore[arg-type]
        joined.set()
        await until_it_waits(lone, leaving[0])

    monkeypatch.setattr(owners, "agreed", late)
    leaving: list[asyncio.Task[object]] = []

    async def begin() -> object:
        await joined.wait()
        return await erased(lone, ben.account)

    leaving.append(asyncio.create_task(begin()))
    told(await answer(cay, split))
    await cleaned.wait()
    async with lone.services.database.transaction() as conn:
        with pytest.raises(asyncpg.LockNotAvailableError):
            await conn.fetch("select from consent_heads where account = $1 for share nowait", ada.uuid)
    go_on.set()
    await leaving[0]
    assert await in_force(lone, work) == [NOTHING.encoded]
    assert await verify(lone.services) == []


async def test_rule_11_an_update_of_the_work_cancels_what_a_co_owner_waits_for(site: Running):
    ada, ben = await artist(site), await artist(site, "Ben")
    work = (await ada.picture(picture(1))).work
    await ada.state([work], PAID)
    await agreed(ada, [work], list(zip((ada, ben), HALVES, strict=True)))
    await ben.state([work], NO_AI)
    await ben.state([work], PAID_MORE)
    await ada.add(await ada.changed(work, picture(2)))
    assert await mature_due(site.services, times.now() + LATER) == 0
    assert await in_force(site, work) == [NO_AI.encoded]
    assert (await ben.state([work], PAID_MORE)).effect == "loosen"  # over what the work is now
    while await mature_due(site.services, times.now() + LATER):
        pass
    assert await in_force(site, work) == [PAID_MORE.encoded]
    assert await verify(site.services) == []


async def test_a_contest_delays_the_end_of_what_one_who_left_had_said(site: Running):
    ada, ben, cay, eve = [await artist(site, name) for name in ("Ada", "Ben", "Cay", "Eve")]
    work = (await ada.picture(picture(1))).work
    await ada.state([work], PAID)
    first = await agreed(ada, [work], [(ada, 4000), (ben, 3000), (cay, 3000)])
    await ben.state([work], NO_AI)
    split = await propose(ada, [work], [(ada, 5000), (cay, 5000)], first.document)
    for who in (ben, cay):
        told(await answer(who, split))
    rival = (await eve.picture(picture(1))).work
    await eve.state([rival], NO_AI)
    assert (await state(site, work)).contested
    assert await end_due(site.services, times.now() + LATER) == 0
    assert await in_force(site, work) == [NO_AI.encoded]
    await eve.withdraw([rival])
    assert await end_due(site.services, times.now() + LATER) == 1
    assert await in_force(site, work) == [PAID.encoded]
    assert await verify(site.services) == []


async def test_what_one_who_left_had_said_ends_where_another_co_owner_alone_speaks(site: Running):
    ada, ben, cay = [await artist(site, name) for name in ("Ada", "Ben", "Cay")]
    one, two = await shelf(ada, 2, None)
    first = await agreed(ada, [one, two], [(ada, 4000), (ben, 3000), (cay, 3000)])
    await ben.state([one, two], NO_AI)
    spoken = await cay.state([one], RESEARCH)
    split = await propose(ada, [one, two], [(ada, 5000), (cay, 5000)], first.document)
    for who in (ben, cay):
        told(await answer(who, split))
    assert await end_due(site.services, times.now() + LATER) == 1
    assert await in_force(site, one, two) == [RESEARCH.encoded, NO_AI.encoded]  # nobody else speaks for the second
    speaks = UUID(bytes=(await state(site, one)).statement)
    assert identifiers.from_uuid("stm", speaks) == spoken.statement
    assert await verify(site.services) == []


async def test_a_looser_catalogue_that_waits_when_its_account_comes_back_matures_on_what_it_shares(site: Running):
    ada, ben, cay = [await artist(site, name) for name in ("Ada", "Ben", "Cay")]
    (work,) = await shelf(ada, 1)
    thirds = [(ada, 4000), (ben, 3000), (cay, 3000)]
    first = await agreed(ada, [work], thirds)
    await ben.state(None, NO_AI)
    second = await propose(ada, [work], [(ada, 5000), (cay, 5000)], first.document)
    for who in (ben, cay):
        told(await answer(who, second))
    await ben.state(None, PAID_MORE)  # looser: it waits, for what he shares and for what he will
    third = await propose(ada, [work], thirds, second.document)
    for who in (ben, cay):
        told(await answer(who, third))
    assert await in_force(site, work) == [NO_AI.encoded]
    while await mature_due(site.services, times.now() + LATER):
        pass
    assert await in_force(site, work) == [PAID_MORE.encoded]
    assert await verify(site.services) == []


async def test_after_a_loss_a_shared_work_denies_until_each_of_its_owners_has_spoken_again(lone: Running):
    """What was lost may have been a co-owner's word: its account alone does not loosen it."""
    ada, ben, cay = [await artist(lone, name) for name in ("Ada", "Ben", "Cay")]
    one, two, three, alone = await shelf(ada, 4)
    thirds = [(ada, 4000), (ben, 3000), (cay, 3000)]
    first = await agreed(ada, [one], thirds)
    second = await agreed(ada, [two], thirds)
    await agreed(ada, [three], list(zip((ada, cay), HALVES, strict=True)))
    await ben.state([one], PAID_MORE)
    async with lone.services.database.transaction() as conn:
        await conn.execute(restoring.AWAIT_OWNERS)
        await conn.execute(restoring.FREEZE, 1000)

    async def frozen() -> list[str]:
        return [work for work in (one, two, three, alone) if (await state(lone, work)).pending]

    async def told_frozen() -> list[int]:
        return [(await who.http.get("/v1/me")).json()["frozen"] for who in (ada, ben, cay)]

    assert await frozen() == [one, two, three, alone]
    assert await told_frozen() == [4, 2, 3]
    await ada.state([one, two, three, alone], PAID)
    assert await frozen() == [one, two, three]
    assert await told_frozen() == [0, 2, 3]
    await ben.state([one], PAID_MORE)
    await cay.state([one], PAID)
    assert await frozen() == [two, three]
    assert await in_force(lone, one) == [PAID_MORE.encoded]
    await cay.state(None, NO_AI)  # restricts all, and is not a word on what was said of these two
    assert await frozen() == [two, three]
    split = await propose(ada, [two], [(ada, 7000), (cay, 3000)], second.document)
    for who in (ben, cay):
        told(await answer(who, split))  # he leaves, and is not waited for
    assert await told_frozen() == [0, 0, 2]
    await cay.state([two], PAID)
    assert await frozen() == [three]
    await erased(lone, cay.account)
    assert await frozen() == []
    assert first.state == "in-force"
    assert await verify(lone.services) == []


async def test_what_a_co_owner_said_of_its_catalogue_before_releases_let_it_count_counts_from_their_first_start(
    lone: Running,
):
    ada, ben = await artist(lone), await artist(lone, "Ben")
    one, two, three = await shelf(ada, 3)
    await ben.state(None, RESEARCH)
    await agreed(ada, [one, two], list(zip((ada, ben), HALVES, strict=True)))
    async with lone.services.database.acquire() as conn:
        await conn.execute("delete from co_owner_states")
        await conn.execute(
            "update work_states set shared = null, co_owned = false, terms = own, version = (select version from"
            " consent_version)"
        )
    assert {each.message.partition(":")[0] for each in await verify(lone.services)} == {one, two}
    assert await owners.join_standing(lone.services) == 2
    assert await in_force(lone, one, two, three) == [merge([PAID, RESEARCH]).encoded] * 2 + [PAID.encoded]
    assert await owners.join_standing(lone.services) == 0
    assert await verify(lone.services) == []
