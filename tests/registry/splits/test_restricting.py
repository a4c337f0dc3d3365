"""What a co-owner states restricts the works that are shared with it, and nothing looser than anybody's word holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from licet import identifiers, times
from licet.audit import verify_bundle
from licet.index import WorkState
from licet.statements.trust import Trust
from licet.terms import Terms, merge
from registry.auditing import verify
from registry.consent.maturing import mature_due
from registry.consent.owners import end_due
from tests.registry.catalogue import (
    NO_AI,
    PAID,
    PAID_LESS,
    PAID_MORE,
    RESEARCH,
    Artist,
    artist,
    fingerprinted,
    new_pictures,
    reader_of,
    signed,
)
from tests.registry.erasure.leaving import erased
from tests.registry.harness import Running
from tests.registry.market import balance, trainer
from tests.registry.market import shelf as sold
from tests.registry.splits.owners import agreed, answer, propose, told
from tests.registry.splits.test_bundles import pulled

pytestmark = pytest.mark.anyio
HALVES = (5000, 5000)
LATER = timedelta(hours=25)


@pytest.fixture(autouse=True)
def pictures(request: pytest.FixtureRequest) -> None:
    new_pictures(request.node.nodeid)


async def shelf(who: Artist, count: int, terms: Terms | None = PAID) -> list[str]:
    """Return works of ``who`` under ``terms``."""
    works = sorted(outcome.work for outcome in await who.register(*(fingerprinted(n) for n in range(count))))
    if terms is not None:
        await who.state(works, terms)
    return works


async def state(site: Running, work: str) -> WorkState:
    index, _, _ = await reader_of(site.services).current()
    found = index.work(work)
    assert found is not None
    return found


async def in_force(site: Running, *works: str) -> list[bytes]:
    return [(await state(site, work)).terms for work in works]


async def test_rule_08_a_co_owner_restricts_what_it_shares_and_nothing_else(site: Running):
    ada, ben = await artist(site), await artist(site, "Ben")
    one, two = await shelf(ada, 2)
    await agreed(ada, [one], list(zip((ada, ben), HALVES, strict=True)))
    assert await in_force(site, one, two) == [PAID.encoded] * 2
    stated = await ben.state([one], NO_AI)
    assert (stated.effect, stated.pending_until, stated.works) == ("initial", None, 1)
    found = await state(site, one)
    assert (found.terms, found.log_index) == (NO_AI.encoded, stated.log_index)
    assert await in_force(site, two) == [PAID.encoded]
    assert (await ada.work(one)).stated == PAID.hash
    assert (await ada.work(one)).terms_hash == NO_AI.hash
    await ada.state([one], PAID_MORE)  # her own terms change, and his restriction stands beside them
    assert await in_force(site, one) == [NO_AI.encoded]
    assert await verify(site.services) == []


async def test_rule_08_prices_of_both_are_the_dearer_one(site: Running):
    ada, ben = await artist(site), await artist(site, "Ben")
    (work,) = await shelf(ada, 1)
    await agreed(ada, [work], list(zip((ada, ben), HALVES, strict=True)))
    await ben.state([work], PAID_MORE)
    assert await in_force(site, work) == [PAID_MORE.encoded]
    await ben.state([work], PAID_LESS)  # looser than what he had said: it waits
    assert await in_force(site, work) == [PAID_MORE.encoded]
    while await mature_due(site.services, times.now() + LATER):
        pass
    assert await in_force(site, work) == [PAID.encoded]  # hers
    assert await verify(site.services) == []


async def test_rule_11_what_a_co_owner_loosens_waits_and_any_later_word_of_its_own_cancels_it(site: Running):
    ada, ben = await artist(site), await artist(site, "Ben")
    (work,) = await shelf(ada, 1)
    await agreed(ada, [work], list(zip((ada, ben), HALVES, strict=True)))
    await ben.state([work], NO_AI)
    loosened = await ben.state([work], PAID)
    assert (loosened.effect, loosened.pending_until is None) == ("loosen", False)
    assert await in_force(site, work) == [NO_AI.encoded]
    await ben.state([work], NO_AI)
    assert await mature_due(site.services, times.now() + LATER) == 0
    assert await in_force(site, work) == [NO_AI.encoded]
    await ben.state([work], PAID)
    await ada.state([work], PAID_MORE)  # a word of hers does not speak for him
    while await mature_due(site.services, times.now() + LATER):
        pass
    assert await in_force(site, work) == [PAID_MORE.encoded]
    assert await verify(site.services) == []


@pytest.mark.parametrize("before", [True, False])
async def test_rule_08_a_co_owners_catalogue_restricts_what_it_shares(site: Running, before: bool):
    ada, ben = await artist(site), await artist(site, "Ben")
    (work,) = await shelf(ada, 1)
    if before:
        await ben.state(None, RESEARCH)
        assert await in_force(site, work) == [PAID.encoded]
    await agreed(ada, [work], list(zip((ada, ben), HALVES, strict=True)))
    if not before:
        assert (await ben.state(None, RESEARCH)).works == 1
    assert await in_force(site, work) == [merge([PAID, RESEARCH]).encoded]
    assert await verify(site.services) == []


async def test_a_co_owner_alone_lets_a_work_deny_that_its_account_has_not_spoken_of(site: Running):
    ada, ben = await artist(site), await artist(site, "Ben")
    (work,) = await shelf(ada, 1, None)
    await agreed(ada, [work], list(zip((ada, ben), HALVES, strict=True)))
    await ben.state([work], NO_AI)
    assert await in_force(site, work) == [NO_AI.encoded]
    stated = await ada.state([work], PAID)
    found = await state(site, work)
    assert (found.terms, UUID(bytes=found.statement)) == (NO_AI.encoded, identifiers.to_uuid(stated.statement))
    assert await verify(site.services) == []


async def test_nobody_else_speaks_for_a_work_and_a_proposal_gives_no_say(site: Running):
    ada, ben, cay = [await artist(site, name) for name in ("Ada", "Ben", "Cay")]
    one, two = await shelf(ada, 2)
    await agreed(ada, [one], list(zip((ada, ben), HALVES, strict=True)))
    await propose(ada, [two], list(zip((ada, cay), HALVES, strict=True)))
    drafted = await ben.draft([one], NO_AI)
    for who, works in ((cay, [one]), (cay, [two]), (ben, [two]), (ben, [one, two])):
        changes = {"account": who.id, "genesis": who.account.genesis, "seq": 1, "prev": None}
        reply = await who.submit(signed(drafted, who.account.key, **changes), works)
        assert reply.status_code == 400, reply.text
        assert "a share" in reply.text
    own = await shelf(ben, 1)
    reply = await ben.submit(signed(await ben.draft(own, NO_AI), ben.account.key), [*own, one])
    assert reply.status_code == 400
    assert "got both" in reply.text
    await ada.withdraw([one])
    reply = await ben.submit(signed(drafted, ben.account.key, seq=2), [one])
    assert reply.status_code == 400
    assert await in_force(site, two) == [PAID.encoded]
    assert await verify(site.services) == []


async def test_the_restriction_of_one_who_leaves_ends_a_day_after_everybody_agreed(site: Running):
    ada, ben, cay = [await artist(site, name) for name in ("Ada", "Ben", "Cay")]
    (work,) = await shelf(ada, 1)
    thirds = [(ada, 4000), (ben, 3000), (cay, 3000)]
    first = await agreed(ada, [work], thirds)
    stated = await ben.state([work], NO_AI)
    split = await propose(ada, [work], [(ada, 5000), (cay, 5000)], first.document)
    for who in (ben, cay):
        told(await answer(who, split))
    assert await in_force(site, work) == [NO_AI.encoded]
    assert await end_due(site.services, times.now()) == 0
    assert await verify(site.services) == []
    assert await end_due(site.services, times.now() + LATER) == 1
    found = await state(site, work)
    assert found.terms == PAID.encoded
    assert found.log_index >= stated.log_index  # what he was promised stays true of every later snapshot
    assert await end_due(site.services, times.now() + LATER) == 0
    assert await verify(site.services) == []
    again = await propose(ada, [work], thirds, split.document)
    for who in (ben, cay):
        told(await answer(who, again))
    assert await in_force(site, work) == [NO_AI.encoded]  # his word stands, and he is asked to sign nothing twice
    assert (await ben.state([work], NO_AI)).effect == "tighten"
    assert await verify(site.services) == []


@pytest.mark.parametrize("deny", [True, False])
async def test_a_co_owner_that_is_erased_leaves_a_deny_where_it_had_restricted(lone: Running, deny: bool):
    ada, ben = await artist(lone), await artist(lone, "Ben")
    one, two, three = await shelf(ada, 3)
    await agreed(ada, [one, two], list(zip((ada, ben), HALVES, strict=True)))
    await ben.state([one], PAID_MORE)
    gone = await erased(lone, ben.account, deny=deny)
    assert gone.denied == int(deny)
    effective = await in_force(lone, one, two, three)
    assert Terms.decode(effective[0]).rules["search"].permission == "deny" if deny else effective[0] == PAID.encoded
    assert effective[1:] == [PAID.encoded] * 2
    assert await verify(lone.services) == []


async def test_a_licence_under_a_co_owners_dearer_price_is_verified_by_everybody(site: Running, tmp_path: Path):
    ada, ben = await artist(site), await artist(site, "Ben")
    for who in (ada, ben):
        await who.raise_level(2)
    mine = await sold(site, PAID, 2, owner=ada)
    split = await agreed(ada, mine.works[:1], list(zip((ada, ben), HALVES, strict=True)))
    await ben.state(mine.works[:1], PAID_MORE)
    await ben.state(None, merge([PAID, PAID_LESS]))
    lantern = await trainer(site)
    await lantern.license(mine.wanted())
    assert await balance(ben.http) == {("payable", "USD"): "0.0405"}  # half of what is left of the dearer price
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    for name, http in (("ada", ada.http), ("ben", ben.http), ("lab", lantern.http)):
        report = verify_bundle(await pulled(http, tmp_path / f"{name}.zip"), trust)
        assert "prices-consented" in {check.name for check in report.checks}
    assert split.state == "in-force"
    assert await verify(site.services) == []
