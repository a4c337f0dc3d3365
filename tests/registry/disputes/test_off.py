"""Nobody loses an appeal, or an answer, to a service that was off: days in which the log took nothing do not count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from licet import identifiers, times
from licet.statements.disputes import APPEALED_WITHIN
from licet.terms import preset
from licet.wire.disputes import DisputeInfo
from registry import translog
from registry.disputes import deciding, ending
from registry.disputes.service import waiting_for_office
from registry.errors import Conflict
from registry.running.settling import disputing
from tests.registry.catalogue import Artist, artist, picture, registry
from tests.registry.closing.conftest import Clock
from tests.registry.disputes.parties import dispute, operator, shown, step, told
from tests.registry.disputes.test_proven import decided, wrong
from tests.registry.harness import Running
from tests.registry.servers import Server

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of everything in this process but the database."""
    made = Clock()
    monkeypatch.setattr(times, "now", made.now)
    return made


@pytest.fixture
async def site(server: Server, migrated_template: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Running]:
    """A service of its own, under that clock."""
    async with server.fresh(migrated_template, "off") as dsn, registry(dsn, tmp_path) as running:
        yield running


async def goes_on(site: Running, clock: Clock, days: int) -> None:
    """The service runs for so many days: each puts something into the log."""
    for _ in range(days):
        clock.set(clock.now() + DAY - timedelta(minutes=1))
        await artist(site)


async def open_until(who: Artist, about: DisputeInfo) -> timedelta:
    """Return for how long ``who`` can still appeal."""
    until = (await shown(who, about)).dispute.appeal_until
    assert until is not None
    return times.from_text(until) - times.now()


async def test_whoever_lost_has_the_rest_of_14_days_once_the_service_is_back(site: Running, clock: Clock):
    mei, tom, about, _ = await decided(site)
    await goes_on(site, clock, 4)
    clock.set(clock.now() + 40 * DAY)  # off
    assert await ending.end_due(site.services, times.now()) == 0
    assert timedelta(days=9, hours=23) < await open_until(tom, about) < timedelta(days=10, hours=1)
    said = [each["detail"] for each in (await tom.http.get("/v1/events")).json()["items"]]
    assert len([each for each in said if "the service was off meanwhile: whoever lost can appeal until" in each]) == 1
    assert await wrong(site) == []
    await goes_on(site, clock, 9)
    assert await ending.end_due(site.services, times.now()) == 0
    told(await step(tom, about, "appeal"))
    assert (await shown(mei, about)).dispute.state == "appealed"
    assert await wrong(site) == []


async def test_who_appeals_before_the_loop_has_looked_is_in_time_and_who_does_not_has_lost(site: Running, clock: Clock):
    _, tom, about, _ = await decided(site)
    _, _, other, _ = await decided(site)
    clock.set(clock.now() + 30 * DAY)  # off
    told(await step(tom, about, "appeal"))
    assert await ending.end_due(site.services, times.now()) == 0
    await goes_on(site, clock, 16)
    assert await ending.end_due(site.services, times.now()) == 1
    (last,) = [each for each in (await shown_by_office(site, other)) if each[0] == "end"]
    async with site.services.database.acquire() as conn:
        await translog.wait(site.services.database, last[1])
        assert await conn.fetchval("select appealed_at is null from disputes where outcome = 'upheld'")
    assert await wrong(site) == []


async def shown_by_office(site: Running, about: DisputeInfo) -> list[tuple[str, int]]:
    """Return the steps of a dispute with their pending ids."""
    async with site.services.database.acquire() as conn:
        number = identifiers.to_uuid(about.dispute, "dsp")
        rows = await conn.fetch("select step, pending from dispute_steps where dispute = $1", number)
    return [(row["step"], row["pending"]) for row in rows]


async def stated(who: Artist, number: int) -> str:
    """Return a work of ``who`` with terms in force."""
    work = (await who.picture(picture(number))).work
    await who.state([work], preset("research"))
    return work


async def test_nothing_is_decided_without_an_answer_that_nobody_could_give(site: Running, clock: Clock):
    mei, tom = await artist(site, "Mei"), await artist(site, "Tom")
    about = await dispute(mei, await stated(tom, 7))
    clock.set(clock.now() + 20 * DAY)  # off
    by = await operator(site)
    with pytest.raises(Conflict, match="the other party can answer until"):
        await deciding.decide(site.services, about.dispute, by, "upheld", "as the drafts show")
    await artist(site)  # the log goes on
    until = times.from_text((await shown(tom, about)).dispute.decided_after)
    assert timedelta(days=13) < until - times.now() < timedelta(days=15)
    assert (await listed(mei))[0]["decided_after"] == times.to_text(until)
    await goes_on(site, clock, 10)
    assert not await told_to_decide(site)
    await dispute(await artist(site, "Ann"), await stated(await artist(site, "Bo"), 8))
    await goes_on(site, clock, 6)
    assert await told_to_decide(site) == 1  # and not what was opened since
    await deciding.decide(site.services, about.dispute, by, "upheld", "as the drafts show")
    assert not await told_to_decide(site)
    assert await wrong(site) == []


async def listed(who: Artist) -> list[dict[str, Any]]:
    """Return the disputes of ``who`` as they are listed."""
    items: list[dict[str, Any]] = (await who.http.get("/v1/disputes")).json()["items"]
    return items


async def told_to_decide(site: Running) -> int:
    """Return how many disputes operators read that they can decide."""
    async with site.services.database.acquire() as conn:
        found = await waiting_for_office(conn, identifiers.new_uuid(), times.now())
    assert found.review == 0
    return found.decide


async def test_an_end_before_the_rest_of_the_time_is_found_out(
    site: Running, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    _, _, about, _ = await decided(site)
    clock.set(clock.now() + APPEALED_WITHIN + DAY)  # off
    with monkeypatch.context() as lying:
        lying.setattr(translog, "silences", nothing)
        assert await ending.end_due(site.services, times.now()) == 1
    ((_, pending),) = [each for each in await shown_by_office(site, about) if each[0] == "end"]
    await translog.wait(site.services.database, pending)
    assert any(f"dispute {about.dispute}: expected a time to appeal" in each for each in await wrong(site))


async def nothing(*asked: object) -> list[object]:
    """Say that the service was never off."""
    return []


async def test_a_review_that_is_late_is_told_and_decides_nothing(site: Running, clock: Clock):
    _, tom, about, _ = await decided(site)
    told(await step(tom, about, "appeal"))
    for late in (False, True):
        check = (await site.http.get("/health/ready")).json()["checks"]["disputes"]
        assert check["ok"]
        assert ("1 appeal not reviewed within 14 days" in check.get("found", "")) == late
        assert f"licet_reviews_late {late:d}" in (await site.http.get("/metrics")).text
        info = (await shown(tom, about)).dispute
        assert (info.state, info.holds) == ("appealed", True)
        assert f"review {'late since' if late else 'due by'} " in disputing._line(info)
        clock.set(clock.now() + 15 * DAY)
    assert await ending.end_due(site.services, times.now()) == 0
    await deciding.review(site.services, about.dispute, await operator(site), "dismissed", "seen again")
    assert (await site.http.get("/health/ready")).json()["checks"]["disputes"] == {"ok": True}
