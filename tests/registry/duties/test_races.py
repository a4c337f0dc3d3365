"""What falls together is in an order that both knew, whichever it is (semantics 22, 23): each pair in both orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from licet import identifiers, times
from licet.wire.common import Page
from licet.wire.usage import Logged, RunInfo
from registry.snapshots.publisher import publish
from tests.registry.agreements.talks import NEGOTIATED, ask, offer, reply, says, takes_back, word
from tests.registry.catalogue import NO_AI, PAID, signed
from tests.registry.duties.talks import listed, revocable_terms, revocation, send, told
from tests.registry.harness import Running
from tests.registry.market import balance, granted, nothing_is_wrong, problem, shelf, trainer
from tests.registry.turns import HEAD, ORGANISATION, in_turn

pytestmark = pytest.mark.anyio
both_orders = pytest.mark.parametrize("swapped", [False, True])


async def raced(
    site: Running, row: str, account: UUID, one: Any, other: Any, swapped: bool
) -> tuple[httpx.Response, httpx.Response]:
    """Return the answers of ``one`` and ``other``; ``other`` has the row first where they are ``swapped``."""
    if swapped:
        second, first = await in_turn(site, row, account, other, one)
        return first, second
    return await in_turn(site, row, account, one, other)


def index(answer: httpx.Response) -> int:
    assert answer.status_code == 201, answer.text
    body = answer.json()
    return int(body["log_index"] if "log_index" in body else body["receipt"]["log_index"])


@both_orders
async def test_accept_and_tighten(site: Running, swapped: bool):
    mine, lantern = await shelf(site, PAID, 1), await trainer(site)
    quote = await lantern.quote(mine.wanted())
    tighter = signed(await mine.owner.draft(mine.works, NO_AI), mine.owner.account.key)
    accepted, tightened = await raced(
        site,
        HEAD,
        mine.owner.uuid,
        lambda: lantern.accept(quote),
        lambda: mine.owner.submit(tighter, mine.works),
        swapped,
    )
    if swapped:
        assert problem(accepted)[:2] == (409, "works-changed")
    else:
        assert index(accepted) < index(tightened)
    assert (await lantern.quote(mine.wanted())).lines == []
    await nothing_is_wrong(site)


@both_orders
async def test_revoke_and_run_report(site: Running, swapped: bool):
    """A run that comes after the revocation, and after its notice, is flagged; one that comes before it is covered."""
    mine, lantern = await shelf(site, revocable_terms(0), 1), await trainer(site)
    licence = await lantern.license(mine.wanted())
    await publish(site.services)
    async with site.services.database.acquire() as conn:
        snapshot = (await conn.fetchval("select digest from snapshots order by sequence desc limit 1")).hex()
    manifest = lantern.manifest(snapshot, licences=[licence.licence])
    dataset = msgspec.json.decode((await lantern.log("/v1/datasets", manifest)).content, type=Logged).id
    # Its clock is a minute ahead of ours, which is allowed: so by its own words the run begins after the notice.
    at = times.to_text(times.now() + timedelta(minutes=1))
    run = lantern.run(dataset, manifest.payload_digest, snapshot, licences=[licence.licence], issued_at=at)
    revoking = revocation(mine.owner, licence, mine.works)
    reported, revoked = await raced(
        site,
        ORGANISATION,
        identifiers.to_uuid(lantern.id),
        lambda: lantern.log("/v1/runs", run),
        lambda: send(mine.owner, revoking),
        swapped,
    )
    assert (index(reported) > index(revoked)) is swapped
    (info,) = msgspec.json.decode((await lantern.http.get("/v1/runs")).content, type=Page[RunInfo]).items
    assert [each.reason for each in info.outside] == (["revoked"] if swapped else [])
    await nothing_is_wrong(site)


async def test_revoke_and_revoke(site: Running):
    mine, lantern = await shelf(site, revocable_terms(), 2), await trainer(site)
    licence = await lantern.license(mine.wanted())
    works = sorted(mine.works)
    first, second = await in_turn(
        site,
        ORGANISATION,
        identifiers.to_uuid(lantern.id),
        lambda: send(mine.owner, revocation(mine.owner, licence, works)),
        lambda: send(mine.owner, revocation(mine.owner, licence, works[1:])),
    )
    duty = told(first).duty
    status, _, detail = problem(second)
    assert (status, duty.duty in detail) == (409, True)
    assert [each.duty for each in await listed(lantern.http)] == [duty.duty]
    await nothing_is_wrong(site)


async def test_two_acceptances_of_the_same_works_within_one_budget(site: Running):
    mine, lantern = await shelf(site, PAID, 2), await trainer(site)
    quotes = [await lantern.quote(mine.wanted(), "0.10USD") for _ in range(2)]
    first, second = await in_turn(
        site,
        ORGANISATION,
        identifiers.to_uuid(lantern.id),
        lambda: lantern.accept(quotes[0]),
        lambda: lantern.accept(quotes[1]),
    )
    licence = granted(first).licence
    status, slug, _ = problem(second)
    assert (status, slug) == (409, "works-changed")
    left = {each["reason"] for each in second.json()["left_out"]} if "left_out" in second.json() else set()
    assert left <= {f"licensed:{licence}"}
    assert await balance(lantern.http) == {("receivable", "USD"): "0.1"}
    await nothing_is_wrong(site)


@both_orders
@pytest.mark.parametrize("how", ["refuse", "withdraw"])
async def test_accepting_an_offer_and_taking_it_back(site: Running, how: str, swapped: bool):
    mine, lantern = await shelf(site, NEGOTIATED, 1), await trainer(site)
    asked = await ask(lantern, mine)
    await offer(mine.owner, asked)
    quote = await lantern.quote(mine.wanted(), request=asked.request)
    accepted, refused = await raced(
        site,
        HEAD,
        mine.owner.uuid,
        lambda: lantern.accept(quote),
        lambda: reply(mine.owner, asked, None) if how == "refuse" else takes_back(mine.owner, asked),
        swapped,
    )
    answers = (accepted, refused)
    assert sorted(each.status_code for each in answers) == [201, 409]  # never both, never neither
    assert answers[swapped].status_code == 201
    await nothing_is_wrong(site)


@both_orders
async def test_accepting_an_offer_and_declining_it(site: Running, swapped: bool):
    """Two people of one team: whoever is first, the other is told what stands."""
    mine, lantern = await shelf(site, NEGOTIATED, 1), await trainer(site)
    asked = await ask(lantern, mine)
    await offer(mine.owner, asked)
    quote, said = await lantern.quote(mine.wanted(), request=asked.request), await word(lantern, asked)
    answers = await raced(
        site,
        ORGANISATION,
        identifiers.to_uuid(lantern.id),
        lambda: lantern.accept(quote),
        lambda: says(lantern, said),
        swapped,
    )
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert answers[swapped].status_code == 201
    await nothing_is_wrong(site)


@both_orders
async def test_offering_and_taking_the_request_back(site: Running, swapped: bool):
    mine, lantern = await shelf(site, NEGOTIATED, 1), await trainer(site)
    asked = await ask(lantern, mine)
    said = await word(lantern, asked)
    answers = await raced(
        site, HEAD, mine.owner.uuid, lambda: reply(mine.owner, asked), lambda: says(lantern, said), swapped
    )
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert answers[swapped].status_code == 201
    await nothing_is_wrong(site)


@both_orders
async def test_accepting_an_offer_and_withdrawing_the_work(site: Running, swapped: bool):
    mine, lantern = await shelf(site, NEGOTIATED, 1), await trainer(site)
    asked = await ask(lantern, mine)
    await offer(mine.owner, asked)
    quote = await lantern.quote(mine.wanted(), request=asked.request)
    leaving = await mine.owner.withdrawal(mine.works)
    accepted, withdrawn = await raced(
        site,
        HEAD,
        mine.owner.uuid,
        lambda: lantern.accept(quote),
        lambda: mine.owner.submit(leaving, mine.works),
        swapped,
    )
    if swapped:
        assert problem(accepted)[0] == 409
        index(withdrawn)
    else:
        assert index(accepted) < index(withdrawn)
    await nothing_is_wrong(site)
