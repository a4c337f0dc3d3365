"""Works that are chosen together: what a draft says of all of them is what it would say of each of them by name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from licet import identifiers
from licet.statements.works import works_root
from licet.terms import preset
from registry.consent.queries import states
from registry.consent.together import Together, named, root_of, summed, waiting_on
from tests.registry.catalogue import NO_AI, RESEARCH, Artist, artist, picture
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio
ALL, UNSIGNED = Together("all"), Together("unsigned")


async def pictures_of(who: Artist, first: int, count: int) -> list[str]:
    return [(await who.picture(picture(seed))).work for seed in range(first, first + count)]


async def hold(who: Artist, together: Together | None, works: Sequence[str], said: set[str], most: int = 100) -> None:
    """What is summed up over ``together`` is what ``works`` are one by one, under terms with hashes ``said``."""
    assert together is not None
    numbers = sorted(identifiers.to_uuid(each) for each in works)
    async with who.site.services.database.acquire() as conn:
        assert await named(conn, who.uuid, together, most) == (numbers, 0)
        found = await summed(conn, who.uuid, together, most)
        rows = await conn.fetch(states.DRAFTED, who.uuid, numbers)
    assert (found.works, found.lost, found.met) == (len(numbers), 0, 0)
    assert found.digests == b"".join(row["digest"] for row in rows)
    assert {each.hex() for each in found.said} == said == {row["own"].hex() for row in rows if row["own"]}
    assert root_of(found.digests) == works_root(row["digest"] for row in rows) == root_of(found.digests)


async def test_what_is_said_of_all_is_what_is_said_of_each(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    await hold(ada, ALL, [], set())
    works = await pictures_of(ada, 71_000, 5)
    await eve.state([work := (await eve.picture(picture(71_100))).work], NO_AI)
    await hold(ada, ALL, works, set())
    await hold(ada, UNSIGNED, works, set())
    await ada.state(works[:2], NO_AI)
    await ada.state(works[2:3], RESEARCH)
    await hold(ada, ALL, works, {NO_AI.hash, RESEARCH.hash})
    await hold(ada, UNSIGNED, works[3:], set())
    await ada.withdraw(works[:1])
    await hold(ada, ALL, works[1:], {NO_AI.hash, RESEARCH.hash})
    await hold(ada, ALL, works[1:3], {NO_AI.hash, RESEARCH.hash}, most=2)  # the first that were registered
    await hold(eve, ALL, [work], {NO_AI.hash})


async def test_what_waits_is_taken_back_in_groups_of_the_same_terms(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    works = await pictures_of(ada, 72_000, 3)
    strictest = preset("no-ai")
    await ada.state(works[:2], strictest)
    open_to_all = await ada.state(works[:2], RESEARCH)
    number = identifiers.to_uuid(open_to_all.statement)
    async with site.services.database.acquire() as conn:
        waiting = await waiting_on(conn, ada.uuid, number)
        assert await waiting_on(conn, eve.uuid, number) is None  # nobody takes back what somebody else signed
        assert waiting is not None
        assert (await summed(conn, eve.uuid, waiting, 100)).works == 0
    await hold(ada, waiting, works[:2], {strictest.hash})
    await ada.state(works[:2], strictest)
    async with site.services.database.acquire() as conn:
        assert await waiting_on(conn, ada.uuid, number) is None


async def test_the_last_statement_is_known_where_it_is_of_these_works_and_no_others(site: Running) -> None:
    ada = await artist(site)
    works = await pictures_of(ada, 73_000, 3)

    async def last() -> str | None:
        async with site.services.database.acquire() as conn:
            signed = (await summed(conn, ada.uuid, ALL, 100)).signed
        return None if signed is None else identifiers.from_uuid("stm", signed.statement)

    assert await last() is None
    await ada.state(works[:2], NO_AI)
    assert await last() is None
    whole = await ada.state(works, NO_AI)
    assert await last() == whole.statement
    later = await ada.state(works, RESEARCH)  # it waits, and is what was said last all the same
    assert await last() == later.statement
    await ada.picture(picture(73_100))
    assert await last() is None


async def test_what_meets_works_of_others_and_what_was_lost_is_counted_apart(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    theirs = (await ada.picture(picture(74_000))).work
    await ada.state([theirs], NO_AI)
    works = [(await eve.picture(picture(74_000))).work, *await pictures_of(eve, 74_100, 2)]
    async with site.services.database.acquire() as conn:
        before = await summed(conn, eve.uuid, ALL, 100)
    assert (before.works, before.met) == (3, 1)  # it will be held once it is signed for
    await eve.state(works, NO_AI)
    async with site.services.database.transaction() as conn:
        held = await summed(conn, eve.uuid, ALL, 100)
        assert (held.works, held.met, held.lost) == (3, 1, 0)
        # as a dispute that was decided for Ada leaves it
        lost = identifiers.to_uuid(works[0])
        await conn.execute("update work_states set lost_to = $2 where work = $1", lost, ada.uuid)
        left = await summed(conn, eve.uuid, ALL, 100)
        assert (left.works, left.met, left.lost) == (2, 0, 1)
        assert (await named(conn, eve.uuid, ALL, 100))[1] == 1
        await conn.execute("update work_states set lost_to = null where work = $1", lost)
