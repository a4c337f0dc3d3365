"""Requests that are taken back, offers that are declined or taken back: who may end what, and when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet import identifiers, times
from licet.audit import verify_bundle
from licet.statements import envelope as envelopes
from licet.statements.kinds import LicenceReply
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.wire.agreements import AgreementSubmit, RequestInfo
from registry.accounts import operators
from tests.registry.agreements.talks import NEGOTIATED, agree, ask, offer, reply, says, shown, takes_back, told, word
from tests.registry.catalogue import artist
from tests.registry.harness import Running
from tests.registry.market import TRAIN, Shelf, Trainer, balance, nothing_is_wrong, problem, shelf, trainer

pytestmark = pytest.mark.anyio


async def talk(site: Running) -> tuple[Shelf, Trainer, RequestInfo]:
    mine, lantern = await shelf(site, NEGOTIATED, 1), await trainer(site)
    return mine, lantern, await ask(lantern, mine)


async def events(http: Any, kind: str, asked: RequestInfo) -> list[str]:
    items = (await http.get(f"/v1/events?kind={kind}")).json()["items"]
    return [each["detail"] for each in items if each["subject"] == asked.request]


async def states(http: Any) -> list[str]:
    return [each["state"] for each in (await http.get("/v1/licence-requests")).json()["items"]]


@asynccontextmanager
async def over(site: Running, asked: RequestInfo, table: str, column: str, key: str) -> AsyncIterator[None]:
    """Let the time of a request, or of its offer, be over for a while."""
    number = identifiers.to_uuid(asked.request)

    async def put(value: object) -> None:
        async with site.services.database.transaction() as conn:
            await conn.execute(f"alter table {table} disable trigger {table}_keep")
            await conn.execute(f"update {table} set {column} = $2 where {key} = $1", number, value)
            await conn.execute(f"alter table {table} enable trigger {table}_keep")

    async with site.services.database.acquire() as conn:
        was = await conn.fetchval(f"select {column} from {table} where {key} = $1", number)
    await put(times.now() - timedelta(seconds=1))
    try:
        yield
    finally:
        await put(was)


async def test_a_request_that_is_taken_back_cannot_be_answered_and_the_artist_is_told(site: Running):
    mine, lantern, asked = await talk(site)
    said = await word(lantern, asked, "We found others.")
    done = told(await says(lantern, said))
    assert (done.request.state, done.receipt.kind) == ("withdrawn", "licence-reply")
    (detail,) = await events(mine.owner.http, "licence-request-withdrawn", asked)
    assert lantern.id in detail
    assert (await mine.owner.http.get("/v1/licence-requests?state=open")).json()["items"] == []
    for price in ({}, {"price": None}):
        late = await reply(mine.owner, asked, **price)
        assert problem(late)[0] == 409
        assert "the request was taken back" in problem(late)[2]
    assert problem(await takes_back(mine.owner, asked))[0] == 409
    again = told(await says(lantern, said))  # the same document again has no second effect
    assert (again.statement, again.receipt) == (done.statement, done.receipt)
    other = await says(lantern, await word(lantern, asked))
    assert problem(other)[0] == 409
    assert "the request was taken back" in problem(other)[2]
    quote = await lantern.ask(mine.wanted(), request=asked.request)
    assert problem(quote)[0] == 409
    assert "it was taken back" in problem(quote)[2]
    seen = await shown(mine.owner, asked)
    assert seen.reply is not None
    proven = verify_statement_file(seen.reply, Trust(site.services.keys.origin, site.services.keys.root.public.hex()))
    assert any(lantern.id in check for check in proven.checks)
    assert envelopes.read_as(LicenceReply, seen.reply.envelope) == said
    await nothing_is_wrong(site)


async def test_an_offer_that_is_declined_cannot_be_accepted_and_another_one_can(site: Running):
    mine, lantern, asked = await talk(site)
    await offer(mine.owner, asked)
    quote = await lantern.quote(mine.wanted(), request=asked.request)
    said = await word(lantern, asked, "More than we have.")
    done = told(await says(lantern, said))
    assert (done.request.state, done.request.offered_until) == ("declined", None)
    (detail,) = await events(mine.owner.http, "licence-declined", asked)
    assert lantern.id in detail
    late = await lantern.accept(quote)
    assert problem(late)[0] == 409
    assert "the offer was declined" in problem(late)[2]
    assert told(await says(lantern, said)).statement == done.statement
    twice = await says(lantern, msgspec.structs.replace(said, nonce="another one of 16 or more"))
    assert problem(twice)[0] == 409
    assert problem(twice)[2].endswith("is declined")
    assert (await shown(mine.owner, asked)).reply is not None
    assert (await offer(mine.owner, asked)).state == "offered"
    assert (await shown(mine.owner, asked)).reply is None  # it was to the offer before
    old = await says(lantern, msgspec.structs.replace(said, nonce="yet another of 16 or more"))
    assert problem(old)[0] == 409
    assert problem(old)[2].endswith("read it first")
    await agree(lantern, mine, asked)
    for payload in (said, await word(lantern, asked)):
        over = await says(lantern, msgspec.structs.replace(payload, nonce="one more of 16 or more"))
        assert problem(over)[0] == 409
        assert "was accepted" in problem(over)[2]
    await nothing_is_wrong(site)


async def test_an_offer_that_its_artist_takes_back_leaves_the_request_to_be_answered(site: Running):
    mine, lantern, asked = await talk(site)
    none = await takes_back(mine.owner, asked)
    assert problem(none)[0] == 409
    assert problem(none)[2].endswith("is open")
    await offer(mine.owner, asked)
    quote = await lantern.quote(mine.wanted(), request=asked.request)
    done = told(await takes_back(mine.owner, asked, "I mistyped."))
    assert (done.request.state, done.receipt.kind) == ("retracted", "licence-answer")
    assert len(await events(lantern.http, "licence-offer-withdrawn", asked)) == 1
    late = await lantern.accept(quote)
    assert problem(late)[0] == 409
    assert "took the offer back" in problem(late)[2]
    twice = await takes_back(mine.owner, asked)
    assert problem(twice)[0] == 409
    assert problem(twice)[2].endswith("is retracted")
    declined = await says(lantern, await word(lantern, asked, reply="decline", offer="0" * 64))
    assert problem(declined)[0] == 409
    await offer(mine.owner, asked)
    await agree(lantern, mine, asked)
    assert problem(await takes_back(mine.owner, asked))[0] == 409
    await nothing_is_wrong(site)


async def test_whoever_takes_a_request_back_has_read_the_offer(site: Running):
    mine, lantern, asked = await talk(site)
    said = await word(lantern, asked)
    await offer(mine.owner, asked)
    unread = await says(lantern, said)
    assert problem(unread)[0] == 409
    assert problem(unread)[2].startswith("an offer stands until")
    assert await states(lantern.http) == ["offered"]
    told(await says(lantern, await word(lantern, asked)))
    assert told(await says(lantern, said)).request.state == "withdrawn"
    assert problem(await reply(mine.owner, asked))[0] == 409


async def test_what_ran_out_is_neither_taken_back_nor_declined(site: Running):
    mine, lantern, asked = await talk(site)
    await offer(mine.owner, asked)
    decline = await word(lantern, asked)
    async with over(site, asked, "licence_answers", "offered_until", "request"):
        late = await says(lantern, decline)
        assert problem(late)[0] == 409
        assert problem(late)[2].startswith("the offer ended at")
        assert problem(await takes_back(mine.owner, asked))[2].endswith("is lapsed")
        withdrawal = await word(lantern, asked)
        async with over(site, asked, "licence_requests", "expires_at", "id"):
            late = await says(lantern, withdrawal)
            assert problem(late)[0] == 409
            assert problem(late)[2].startswith("the request ended at")
            assert await states(lantern.http) == ["lapsed"]
        assert told(await says(lantern, withdrawal)).request.state == "withdrawn"


async def test_only_whoever_asked_replies_and_only_to_its_own_request(site: Running):
    mine, lantern, asked = await talk(site)
    other, said = await trainer(site, "Other"), await word(lantern, asked)
    stranger = await says(other, said, asked)
    assert stranger.status_code == 404
    forged = msgspec.structs.replace(said, organisation=other.id, genesis=other.account.genesis)
    assert (await says(other, forged, asked)).status_code == 404
    agency = await artist(site, "Agency", "organisation")
    works = await shelf(site, NEGOTIATED, 1, owner=agency)
    of_agency = await ask(lantern, works)
    envelope = envelopes.seal(await word(lantern, of_agency), lantern.account.key)
    path = f"/v1/licence-requests/{of_agency.request}/replies"
    assert (await site.post(path, AgreementSubmit(envelope), http=agency.http)).status_code == 403  # it is asked
    elsewhere = f"/v1/licence-requests/{asked.request}/replies"
    sent = await site.post(elsewhere, AgreementSubmit(envelope), http=lantern.http)
    assert problem(sent)[0] == 400
    assert "request: expected the request in the path" in problem(sent)[2]
    assert (await site.post(path, AgreementSubmit(envelope), http=mine.owner.http)).status_code == 403  # an artist
    operator = await operators.invite(site.services.database, "operator", name="Opa")
    assert (await site.post(path, AgreementSubmit(envelope), http=site.client(operator[1].token))).status_code == 403
    assert await states(mine.owner.http) == ["open"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"document": "0" * 64}, "document: expected"),
        ({"request": identifiers.new_id("ask")}, "request: expected"),
        ({"nonce": "short"}, "nonce: expected 16"),
        ({"issued_at": "2999-01-01T00:00:00.000Z"}, "issued_at: expected a time that is not to come"),
        ({"genesis": "0" * 64}, "payload.genesis: expected"),
    ],
)
async def test_a_reply_says_what_a_rule_can_read(site: Running, changes: dict[str, Any], said: str):
    _, lantern, asked = await talk(site)
    refused = await says(lantern, await word(lantern, asked, **changes), asked)
    assert problem(refused)[0] == 400, refused.text
    assert said in problem(refused)[2]


async def test_evidence_shows_what_was_taken_back_and_declined(site: Running, tmp_path: Path):
    mine, lantern, asked = await talk(site)
    await offer(mine.owner, asked)
    told(await says(lantern, await word(lantern, asked)))
    await offer(mine.owner, asked)
    told(await takes_back(mine.owner, asked))
    await offer(mine.owner, asked)
    await agree(lantern, mine, asked)
    mistaken = await ask(lantern, mine, msgspec.structs.replace(TRAIN, version="2"))
    told(await says(lantern, await word(lantern, mistaken)))
    _, auditor = await operators.invite(site.services.database, "auditor", name="Aud")
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    for who, replies in ((lantern.http, 1), (mine.owner.http, 1), (site.client(auditor.token), 2)):
        evidence = await who.get("/v1/audit/bundle", params={"period": times.to_text(times.now())[:7]})
        assert evidence.status_code == 200, evidence.text
        (tmp_path / "bundle.zip").write_bytes(evidence.content)
        report = verify_bundle(tmp_path / "bundle.zip", trust)
        assert report.counts["licence-reply"] >= replies
        assert "requests" in {check.name for check in report.checks}
    assert await balance(lantern.http) == {("receivable", "USD"): "2"}
