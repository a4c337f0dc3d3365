"""What a dispute held it holds until its end: nobody takes a work's money out of it by rising in claim level."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest

from licet import identifiers, times
from licet.terms import Price, preset
from registry import consent
from registry.database.migrator import migrations_folder
from registry.disputes import deciding, verification
from registry.settlement import escrow
from tests.registry.catalogue import artist, registry
from tests.registry.disputes.parties import all_holds, dispute, operator, shown, step, told
from tests.registry.harness import Running
from tests.registry.market import balance, shelf, trainer
from tests.registry.servers import Server

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="1", currency="USD"))
Outcome = Literal["upheld", "dismissed"]
PAYABLE, ESCROW = ("payable", "USD"), ("escrow", "USD")


@pytest.fixture
async def alone(server: Server, migrated_template: str, tmp_path: Path) -> AsyncIterator[Running]:
    """A service of its own, whose rows can be made wrong."""
    async with server.fresh(migrated_template, "held") as dsn, registry(dsn, tmp_path) as running:
        yield running


async def denies(site: Running, work: str) -> bool:
    """Return whether a work is seen as one in dispute."""
    number = identifiers.to_uuid(work, "wrk")
    async with site.services.database.acquire() as conn:
        return (await consent.current(conn, [number]))[number].pending


@pytest.mark.parametrize("when", ["open", "answered", "decided", "appealed"])
@pytest.mark.parametrize(("owner", "opener"), [(0, 0), (0, 1), (1, 1), (2, 2)])
async def test_rule_6_whoever_is_about_to_lose_a_work_takes_nothing_out_by_rising(
    site: Running, owner: int, opener: int, when: str
):
    works, lab, mei = await shelf(site, PER_RUN, 2, level=owner), await trainer(site), await artist(site, "Mei")
    if opener:
        await mei.raise_level(opener)
    licence = await lab.license(works.wanted())
    about = await dispute(mei, works.works[0])
    await lab.report(licence, "2")
    # What a verified claimant earned before the dispute is hers. Of a lower level all of it waits, and charges for the
    # disputed work go on to wait, as a whole.
    lost, rest = ("1.8", "1.8") if owner < 2 else ("0.9", "2.7")
    waits = {ESCROW: "3.6"} if owner < 2 else {PAYABLE: rest, ESCROW: lost}

    async def rises(now: str) -> None:
        if now != when:
            return
        await works.owner.raise_level(max(owner + 1, 2))
        await all_holds(site)
        assert await balance(works.owner.http) == waits
        assert (await shown(mei, about)).dispute.holds
        assert await denies(site, works.works[0])
        assert not await denies(site, works.works[1])

    await rises("open")
    told(await step(works.owner, about))
    await rises("answered")
    await deciding.decide(site.services, about.dispute, await operator(site), "upheld", "as the drafts show")
    await rises("decided")
    told(await step(works.owner, about, "appeal"))
    await rises("appealed")
    await deciding.review(site.services, about.dispute, await operator(site), "upheld", "seen again")
    if opener < 2:
        await mei.raise_level(2)
    await all_holds(site)
    assert await balance(works.owner.http) == {PAYABLE: rest}
    assert await balance(mei.http) == {PAYABLE: lost}


@pytest.mark.parametrize("reviewed", ["upheld", "dismissed"])
async def test_rule_6_what_is_decided_for_a_lower_level_waits_from_the_decision_on(site: Running, reviewed: Outcome):
    works, lab, mei = await shelf(site, PER_RUN, 1), await trainer(site), await artist(site, "Mei")
    licence = await lab.license(works.wanted())
    about = await dispute(mei, works.works[0])
    told(await step(works.owner, about))
    assert not (await shown(mei, about)).dispute.holds
    assert not await denies(site, works.works[0])
    await deciding.decide(site.services, about.dispute, await operator(site), "upheld", "as the drafts show")
    assert (await shown(mei, about)).dispute.holds
    assert await denies(site, works.works[0])
    told(await step(works.owner, about, "appeal"))
    await lab.report(licence, "2")
    await works.owner.raise_level(3)
    await all_holds(site)
    assert await balance(works.owner.http) == {PAYABLE: "0.9", ESCROW: "0.9"}
    await deciding.review(site.services, about.dispute, await operator(site), reviewed, "seen again")
    await mei.raise_level(2)
    await all_holds(site)
    upheld = reviewed == "upheld"
    assert await balance(works.owner.http) == {PAYABLE: "0.9" if upheld else "1.8"}
    assert await balance(mei.http) == ({PAYABLE: "0.9"} if upheld else {})
    assert await denies(site, works.works[0]) == upheld


async def test_what_is_dismissed_for_a_lower_level_goes_on_to_hold_nothing(site: Running):
    works, mei = await shelf(site, PER_RUN, 1), await artist(site, "Mei")
    about = await dispute(mei, works.works[0])
    told(await step(works.owner, about))
    await deciding.decide(site.services, about.dispute, await operator(site), "dismissed", "as the drafts show")
    await all_holds(site)
    assert not (await shown(mei, about)).dispute.holds
    assert not await denies(site, works.works[0])


async def test_a_dispute_that_holds_since_its_opener_rose_holds_whoever_rises_then(site: Running):
    works, mei = await shelf(site, PER_RUN, 1), await artist(site, "Mei")
    about = await dispute(mei, works.works[0])
    await mei.raise_level(2)
    assert (await shown(mei, about)).dispute.holds
    await works.owner.raise_level(4)
    await all_holds(site)
    assert (await shown(mei, about)).dispute.holds
    assert await denies(site, works.works[0])
    told(await step(mei, about, "withdraw"))
    await all_holds(site)
    assert not await denies(site, works.works[0])


async def test_what_is_not_kept_as_held_is_found_out(alone: Running):
    works, mei = await shelf(alone, PER_RUN, 1), await artist(alone, "Mei")
    await mei.raise_level(2)
    about = await dispute(mei, works.works[0])
    await all_holds(alone)
    async with alone.services.database.transaction() as conn:
        await conn.execute("update disputes set held = false")
        assert any(about.dispute in each for each in await verification.rebuild(conn))


async def test_what_rose_out_of_a_dispute_before_this_release_waits_again(alone: Running):
    works, lab, mei = await shelf(alone, PER_RUN, 3, level=1), await trainer(alone), await artist(alone, "Mei")
    low, late = await artist(alone, "Ada"), await artist(alone, "Lin")
    await mei.raise_level(1)
    await lab.license(works.wanted())
    risen = await dispute(mei, works.works[0])
    await works.owner.raise_level(2)
    upheld, nothing = await dispute(low, works.works[1]), await dispute(late, works.works[2])
    told(await step(works.owner, upheld))
    await deciding.decide(alone.services, upheld.dispute, await operator(alone), "upheld", "as the drafts show")
    async with alone.services.database.transaction() as conn:  # as the release before kept them
        await conn.execute("alter table disputes drop column held")
        await conn.execute("update work_states set disputed = false, contested = false")
        version = await conn.fetchval("select version from consent_version")
        await conn.execute((migrations_folder() / "0061_disputes_held.sql").read_text())
        seen = await conn.fetchval("select count(*) from work_states where version > $1", version)
    assert seen == 2
    await escrow.settle(alone.services, times.now())
    await all_holds(alone)
    assert [(await shown(works.owner, each)).dispute.holds for each in (risen, upheld, nothing)] == [True, True, False]
    assert [await denies(alone, each) for each in works.works] == [True, True, False]
