"""Requests and answers: who may ask and answer, what stands of it, and the licence that accepts an offer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from licet import identifiers, times
from licet.audit import verify_bundle
from licet.statements import envelope as envelopes
from licet.statements.kinds import Licence
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.terms import Price, Revocation, preset
from licet.wire.agreements import RequestInfo
from licet.wire.common import Page
from licet.wire.licensing import LicenceInfo
from tests.registry.agreements.talks import NEGOTIATED, OFFERED, agree, ask, offer, question, reply, send, shown, told
from tests.registry.catalogue import NO_AI, artist
from tests.registry.harness import Running
from tests.registry.market import TRAIN, balance, granted, nothing_is_wrong, problem, shelf, trainer

pytestmark = pytest.mark.anyio


def later(days: int) -> str:
    return times.to_text(times.now() + timedelta(days=days))


async def requests(http, query="") -> list[RequestInfo]:
    answer = await http.get(f"/v1/licence-requests{query}")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Page[RequestInfo]).items


async def test_an_offer_that_is_accepted_is_a_licence_at_its_price_which_both_have_signed(
    site: Running, tmp_path: Path
):
    mine, lantern = await shelf(site, NEGOTIATED), await trainer(site)
    assert {each.reason for each in (await lantern.quote(mine.wanted())).left_out} == {"needs-agreement"}
    asked = await ask(lantern, mine)
    assert [each.request for each in await requests(mine.owner.http, "?state=open")] == [asked.request]
    offered = await offer(mine.owner, asked, grant_until=later(90), revocation=Revocation(notice_days=7))
    assert (offered.state, offered.licence) == ("offered", None)
    licence = await agree(lantern, mine, asked)
    documents = await shown(mine.owner, asked)
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    for file, signer in ((documents.asked, lantern.id), (documents.answer, mine.owner.id)):
        assert file is not None
        assert any(signer in check for check in verify_statement_file(file, trust).checks)
    payload = envelopes.read_as(Licence, licence.envelope)
    assert len(licence.envelope.signatures) == 2
    assert payload.agreement is not msgspec.UNSET
    assert payload.agreement.request == asked.document
    assert [(line.model, line.amount) for line in licence.lines] == [("per-work", 2_000_000)] * 2
    assert [line.agreed.notice_days for line in licence.lines if line.agreed is not msgspec.UNSET] == [7, 7]
    assert payload.valid_until is not None
    assert await balance(lantern.http) == {("receivable", "USD"): "4"}
    (seen,) = await requests(lantern.http)
    assert (seen.state, seen.licence) == ("accepted", licence.licence)
    held = (await lantern.quote(mine.wanted())).left_out
    assert {each.reason for each in held} == {f"licensed:{licence.licence}"}
    listed = msgspec.json.decode((await lantern.http.get("/v1/licences")).content, type=Page[LicenceInfo]).items
    assert [(each.licence, each.agreement) for each in listed] == [(licence.licence, True)]
    for who in (lantern.http, mine.owner.http):
        evidence = await who.get("/v1/audit/bundle", params={"period": later(0)[:7]})
        (tmp_path / "bundle.zip").write_bytes(evidence.content)
        told_of = {check.name: check.detail for check in verify_bundle(tmp_path / "bundle.zip", trust).checks}
        assert told_of["prices-agreed"].startswith("2 lines at the price of an artist's signed answer")
    late = await reply(mine.owner, asked, None)
    assert problem(late)[0] == 409
    assert "was accepted" in problem(late)[2]
    await nothing_is_wrong(site)


async def test_terms_that_state_a_price_nobody_can_fix_are_accepted_without_asking_and_uses_count_alone(site: Running):
    monthly = preset("paid", Price(model="subscription", amount="10", currency="USD", period="P1M"))
    bounded = preset("paid", Price(model="per-output", amount="0.1", currency="EUR", minimum="5"))
    shared = preset("paid", Price(model="revenue-share", share_bps=3000, currency="EUR", minimum="5"))
    mine, lantern = await shelf(site, monthly, 1), await trainer(site)
    oddly = preset("paid", Price(model="pool", currency="EUR", share_bps=3000, period="P10D"))
    theirs, ours, never = await shelf(site, bounded, 1), await shelf(site, shared, 1), await shelf(site, oddly, 1)
    wanted = [*mine.wanted(), *theirs.wanted(), *ours.wanted()]
    assert (await lantern.quote(wanted)).lines == []
    quote = await lantern.quote([*wanted, *never.wanted()], None, agreement=True)
    assert [(each.work, each.reason) for each in quote.left_out] == [(never.works[0], "needs-agreement")]
    assert [(line.model, line.amount) for line in sorted(quote.lines, key=lambda each: each.model)] == [
        ("per-output", 100_000),
        ("revenue-share", 0),
        ("subscription", 10_000_000),
    ]
    assert not quote.over_budget
    licence = granted(await lantern.accept(quote))
    assert await balance(lantern.http) == {}
    report = await lantern.report(licence, "2", outputs=3)
    assert (report.new, report.memorandum) == (3, 0)
    assert await balance(lantern.http) == {}
    assert (await lantern.quote(wanted, None, agreement=True)).lines == []
    other = msgspec.structs.replace(TRAIN, version="2")
    assert len((await lantern.quote(wanted, None, agreement=True, use=other)).lines) == 3
    await nothing_is_wrong(site)


async def test_the_last_answer_counts_until_somebody_has_accepted(site: Running):
    mine, lantern = await shelf(site, NEGOTIATED, 1), await trainer(site)
    asked = await ask(lantern, mine)
    none = await lantern.ask(mine.wanted(), request=asked.request)
    assert problem(none)[0] == 409
    assert "nobody has answered" in problem(none)[2]
    await offer(mine.owner, asked)
    quote = await lantern.quote(mine.wanted(), request=asked.request)
    assert (await offer(mine.owner, asked, Price(model="per-work", amount="3", currency="USD"))).state == "offered"
    assert problem(await lantern.accept(quote))[:2] == (409, "works-changed")
    again = await lantern.quote(mine.wanted(), request=asked.request)
    assert told(await reply(mine.owner, asked, None)).request.state == "refused"
    assert problem(await lantern.accept(again))[0] == 409
    assert await balance(lantern.http) == {}


async def test_an_offer_is_for_one_organisation_one_use_and_the_works_that_were_asked_for(site: Running):
    mine, lantern, other = await shelf(site, NEGOTIATED), await trainer(site), await trainer(site, "Other")
    asked = told(await send(lantern, question(lantern, mine, works=mine.works[:1]))).request
    await offer(mine.owner, asked)
    assert problem(await other.ask(mine.wanted(), request=asked.request))[0] == 404
    assert "works[1].work" in problem(await lantern.ask(mine.wanted(), request=asked.request))[2]
    retrained = msgspec.structs.replace(TRAIN, version="2")
    wrong = await lantern.ask(mine.wanted()[:1], request=asked.request, use=retrained)
    assert problem(wrong)[0] == 400
    assert problem(wrong)[2].startswith("use")
    assert (await other.http.get(f"/v1/licence-requests/{asked.request}")).status_code == 404
    assert await requests(other.http) == []
    assert [each.title for each in (await shown(lantern, asked)).works] == [None]


async def test_whoever_said_no_is_not_asked(site: Running):
    denied, lantern = await shelf(site, NO_AI, 1), await trainer(site)
    refused = await send(lantern, question(lantern, denied))
    assert problem(refused)[0] == 409
    assert problem(refused)[2].endswith("got deny")


async def test_a_tightening_after_the_offer_leaves_nothing_to_accept(site: Running):
    mine, lantern = await shelf(site, NEGOTIATED, 1), await trainer(site)
    asked = await ask(lantern, mine)
    await offer(mine.owner, asked)
    quote = await lantern.quote(mine.wanted(), request=asked.request)
    await mine.owner.state(mine.works, NO_AI)
    assert problem(await lantern.accept(quote))[:2] == (409, "works-changed")


async def test_a_request_comes_as_a_person_and_a_rule_can_read_it(site: Running):
    mine, lantern = await shelf(site, NEGOTIATED, 1), await trainer(site)
    for changes, said in (
        ({"works": [identifiers.new_id("wrk")]}, "works[0]: expected a work that"),
        ({"account": lantern.id}, "account: expected somebody else"),
        ({"account": identifiers.new_id("art")}, "account: expected an artist"),
        ({"expires_at": later(-1)}, "expires_at: expected a time to come"),
        ({"expires_at": later(400)}, "expires_at: expected a time to come"),
        ({"issued_at": later(1)}, "issued_at: expected a time that is not to come"),
        ({"nonce": "short"}, "nonce: expected 16"),
        ({"genesis": "0" * 64}, "payload.genesis: expected"),
        ({"use": msgspec.structs.replace(TRAIN, atoms=["train-gen", "mine"])}, "use: expected its one spelling"),
    ):
        answer = await send(lantern, question(lantern, mine, **changes))
        assert answer.status_code == 400, answer.text
        assert said in problem(answer)[2]
    lin = await artist(site)
    body = question(lantern, mine)
    sent = await site.post(
        "/v1/licence-requests",
        {"envelope": msgspec.to_builtins(envelopes.seal(body, lantern.account.key))},
        http=lin.http,
    )
    assert sent.status_code == 403


async def test_an_answer_says_what_can_be_accepted_and_is_the_owners(site: Running):
    mine, lantern = await shelf(site, NEGOTIATED, 1), await trainer(site)
    asked = await ask(lantern, mine)
    for changes, said in (
        ({"document": "0" * 64}, "document: expected"),
        ({"request": identifiers.new_id("ask")}, "request: expected"),
        ({"offered_until": later(-1)}, "offered_until: expected"),
        ({"grant_until": later(1)}, "grant_until: expected a time after"),
        (
            {"price": {"model": "per-output", "amount": "1", "cap": "9", "currency": "USD", "period": "P10D"}},
            "price.period: expected whole months",
        ),
    ):
        answer = await reply(mine.owner, asked, changes=changes)
        assert answer.status_code == 400, answer.text
        assert said in problem(answer)[2]
    own = await reply_as_asker(lantern, asked, mine)
    assert own.status_code == 403
    weak = await shelf(site, NEGOTIATED, 1, level=0)
    free = await reply(weak.owner, await ask(lantern, weak), Price(model="free"))
    assert problem(free)[0] == 409
    assert told(await reply(mine.owner, asked, OFFERED)).request.state == "offered"


async def reply_as_asker(lab, asked, mine):
    """The organisation answers its own request, by a document that names the artist."""
    from licet.statements.kinds import LicenceRequest
    from licet.statements.requests import draft_refusal
    from licet.wire.agreements import AgreementSubmit

    found = await shown(lab, asked)
    assert found.asked is not None
    document = envelopes.read_as(LicenceRequest, found.asked.envelope)
    payload = draft_refusal(document, asked.document, genesis=mine.owner.account.genesis)
    body = AgreementSubmit(envelopes.seal(payload, lab.account.key))
    return await lab.site.post(f"/v1/licence-requests/{asked.request}/answers", body, http=lab.http)
