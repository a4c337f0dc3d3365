"""From a quote to a licence: what is offered, what is taken, what is posted; again has no second effect."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from licet import times
from licet.canonical import to_base64
from licet.statements import envelope as envelopes
from licet.statements.keys import KeySet
from licet.statements.kinds import Licence
from licet.statements.licences import licence_lines_root
from licet.terms import Price, preset
from licet.wire.common import Page
from licet.wire.licensing import LicenceGranted, LicenceInfo, Posted
from tests.registry.catalogue import PAID, PAID_MORE
from tests.registry.harness import Running
from tests.registry.market import TRAIN, balance, granted, nothing_is_wrong, problem, shelf, trainer

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="0.333333", currency="USD"))
EUROS = preset("paid", Price(model="per-work", amount="2", currency="EUR"))


async def test_a_licence_carries_two_signatures_and_what_it_owes_is_posted(site: Running):
    hers = await shelf(site, PAID, 2)
    his = await shelf(site, PER_RUN, 3, level=0)
    lantern = await trainer(site)
    quote = await lantern.quote([*hers.wanted(), *his.wanted("near")])
    assert [(each.currency, each.amount, each.works) for each in quote.totals] == [("USD", 1_099_999, 5)]
    licence = granted(await lantern.accept(quote))

    registry = site.services.keys
    signers = [lantern.account.key.keyid, registry.licence.keyid]
    keys = KeySet([lantern.account.key.public, registry.licence.public])
    payload = envelopes.open_as(Licence, licence.envelope, signers, keys)
    assert payload.root == licence_lines_root(licence.lines)
    assert licence.lines == quote.lines
    assert licence.receipt.kind == "licence"
    assert licence.receipt.id == licence.licence
    assert licence.posted == [
        Posted(hers.owner.id, "USD", "0.1", "0.01", 2, False),
        Posted(his.owner.id, "USD", "0.999999", "0.099999", 3, True),
    ]
    assert await balance(lantern.http) == {("receivable", "USD"): "1.099999"}
    assert await balance(hers.owner.http) == {("payable", "USD"): "0.09"}
    assert await balance(his.owner.http) == {("escrow", "USD"): "0.9"}
    await nothing_is_wrong(site)


async def test_an_acceptance_sent_again_after_a_lost_answer_has_one_effect(site: Running):
    works = await shelf(site, PAID, 2)
    lantern = await trainer(site)
    quote = await lantern.quote(works.wanted())
    first = granted(await lantern.accept(quote))
    again = granted(await lantern.accept(quote))  # another Idempotency-Key, the same bytes
    assert again.licence == first.licence
    assert again.receipt.log_index == first.receipt.log_index
    assert again.posted == first.posted
    assert await balance(lantern.http) == {("receivable", "USD"): "0.1"}
    other = await lantern.accept(quote, nonce="0" * 64)
    assert problem(other)[:2] == (409, "conflict")
    await nothing_is_wrong(site)


async def test_works_that_are_held_come_back_as_licensed_and_cost_nothing(site: Running):
    works = await shelf(site, PAID, 2)
    lantern = await trainer(site)
    held = await lantern.license(works.wanted()[:1])
    quote = await lantern.quote(works.wanted())
    assert [line.work for line in quote.lines] == works.works[1:]
    assert [(each.work, each.reason) for each in quote.left_out] == [(works.works[0], f"licensed:{held.licence}")]
    all_held = await lantern.quote(works.wanted()[:1])
    assert (all_held.lines, all_held.totals) == ([], [])
    assert problem(await lantern.accept(all_held))[0] == 400
    # another version of the model, purpose, use or territory: not held
    for use in (
        msgspec.structs.replace(TRAIN, version="2"),
        msgspec.structs.replace(TRAIN, purpose=["non-commercial"]),
        msgspec.structs.replace(TRAIN, atoms=["train-nongen"]),
        msgspec.structs.replace(TRAIN, territory=["DE"]),
    ):
        assert len((await lantern.quote(works.wanted()[:1], use=use)).lines) == 1
    other = await trainer(site, "Other Labs")
    assert len((await other.quote(works.wanted()[:1])).lines) == 1


async def test_a_family_licence_covers_every_version_of_the_model(site: Running):
    works = await shelf(site, PAID, 1)
    lantern = await trainer(site)
    family = msgspec.structs.replace(TRAIN, model_scope="family")
    held = await lantern.license(works.wanted(), use=family)
    for use in (family, TRAIN, msgspec.structs.replace(TRAIN, version="7")):
        quote = await lantern.quote(works.wanted(), use=use)
        assert [each.reason for each in quote.left_out] == [f"licensed:{held.licence}"]
    another = msgspec.structs.replace(TRAIN, model="acme/candle")
    assert len((await lantern.quote(works.wanted(), use=another)).lines) == 1


async def test_two_acceptances_of_the_same_works_at_once_sell_them_once(site: Running):
    works = await shelf(site, PAID, 2)
    lantern = await trainer(site)
    quotes = [await lantern.quote(works.wanted()) for _ in range(4)]
    answers = await asyncio.gather(*(lantern.accept(quote) for quote in quotes))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    (licence,) = (granted(answer).licence for answer in answers if answer.status_code == 201)
    for answer in answers:
        if answer.status_code == 409:
            assert problem(answer)[1] == "works-changed"
            assert {each["got"] for each in answer.json()["errors"]} == {f"licensed:{licence}"}
    assert await balance(lantern.http) == {("receivable", "USD"): "0.1"}


async def test_a_work_that_changed_since_the_quote_stops_the_acceptance_and_is_named(site: Running):
    works = await shelf(site, PAID, 2)
    lantern = await trainer(site)
    quote = await lantern.quote(works.wanted())
    await works.owner.state(works.works[:1], PAID_MORE)
    status, slug, _ = problem(answer := await lantern.accept(quote))
    assert (status, slug) == (409, "works-changed")
    assert [(each["pointer"], each["got"]) for each in answer.json()["errors"]] == [
        (f"/lines/{works.works[0]}", "changed")
    ]
    assert await balance(lantern.http) == {}
    again = await lantern.quote(works.wanted())
    assert [(each.work, each.reason) for each in again.left_out] == [(works.works[0], "changed")]


@pytest.mark.parametrize(
    "changes",
    [
        {"fee_bps": 0},
        {"run": "2"},
        {"totals": []},
        {"root": "00" * 32},
        {"valid_until": "2099-01-01T00:00:00.000Z"},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_a_payload_that_does_not_follow_from_the_quote_is_refused(site: Running, changes):
    works = await shelf(site, PAID, 1)
    lantern = await trainer(site)
    answer = await lantern.accept(await lantern.quote(works.wanted()), **changes)
    assert problem(answer)[0] == 400
    assert "follows from the quote" in answer.text
    assert await balance(lantern.http) == {}


async def test_a_signature_by_anybody_else_is_refused(site: Running):
    works = await shelf(site, PAID, 1)
    lantern, other = await trainer(site), await trainer(site, "Other Labs")
    quote = await lantern.quote(works.wanted())
    accept = lantern.acceptance(quote)
    payload = envelopes.read_as(Licence, accept.envelope)
    for key in (other.account.key, works.owner.account.key, site.services.keys.licence):
        forged = msgspec.structs.replace(accept, envelope=envelopes.seal(payload, key))
        answer = await site.post("/v1/licences", forged, http=lantern.http)
        assert problem(answer)[0] == 400, answer.text
        assert "live root key" in answer.text
    twice = msgspec.structs.replace(accept, envelope=envelopes.countersign(accept.envelope, site.services.keys.licence))
    assert problem(await site.post("/v1/licences", twice, http=lantern.http))[0] == 400
    broken = envelopes.Envelope(
        accept.envelope.payload,
        accept.envelope.payload_type,
        [msgspec.structs.replace(accept.envelope.signatures[0], sig=to_base64(bytes(64)))],
    )
    answer = await site.post("/v1/licences", msgspec.structs.replace(accept, envelope=broken), http=lantern.http)
    assert problem(answer)[0] == 400
    assert "does not hold" in answer.text


async def test_nobody_sees_or_uses_what_belongs_to_another_tenant(site: Running):
    hers, his = await shelf(site, PAID, 1), await shelf(site, PAID, 2)
    third = await shelf(site, PAID, 1)
    lantern, other = await trainer(site), await trainer(site, "Other Labs")
    quote = await lantern.quote([*hers.wanted(), *his.wanted()])
    assert problem(await site.post("/v1/licences", lantern.acceptance(quote), http=other.http))[0] == 404
    licence = granted(await lantern.accept(quote))
    assert (await other.http.get(f"/v1/licences/{licence.licence}")).status_code == 404
    assert (await other.http.get("/v1/licences")).json()["items"] == []
    assert (await third.owner.http.get(f"/v1/licences/{licence.licence}")).status_code == 404
    assert (await site.http.get(f"/v1/licences/{licence.licence}")).status_code == 401

    mine = await lantern.http.get(f"/v1/licences/{licence.licence}")
    assert msgspec.json.decode(mine.content, type=LicenceGranted) == licence
    (listed,) = msgspec.json.decode((await lantern.http.get("/v1/licences")).content, type=Page[LicenceInfo]).items
    assert (listed.licence, listed.works, listed.totals) == (licence.licence, 3, quote.totals)

    shown = await his.owner.http.get(f"/v1/licences/{licence.licence}")
    seen = msgspec.json.decode(shown.content, type=LicenceGranted)
    assert {line.account for line in seen.lines} == {his.owner.id}
    assert [(each.account, each.works) for each in seen.posted] == [(his.owner.id, 2)]
    (listed,) = msgspec.json.decode((await his.owner.http.get("/v1/licences")).content, type=Page[LicenceInfo]).items
    assert (listed.works, [total.amount for total in listed.totals]) == (2, [100_000])


async def test_use_of_single_works_is_shown_from_claim_level_2_on(site: Running):
    works = await shelf(site, PAID, 1, level=1)
    licence = await (await trainer(site)).license(works.wanted())
    assert (await works.owner.http.get("/v1/licences")).json()["items"] == []
    shown = problem(await works.owner.http.get(f"/v1/licences/{licence.licence}"))
    assert (shown[0], "from claim level 2 on; yours is 1" in shown[2]) == (403, True), shown
    stranger = await shelf(site, PAID, 1, level=0)
    assert (await stranger.owner.http.get(f"/v1/licences/{licence.licence}")).status_code == 404
    await works.owner.raise_level(2)
    (item,) = (await works.owner.http.get("/v1/licences")).json()["items"]
    assert item["licence"] == licence.licence


async def test_licences_are_paged_and_filtered_by_model(site: Running):
    works = await shelf(site, PAID, 1)
    lantern = await trainer(site)
    made = [
        (await lantern.license(works.wanted(), use=msgspec.structs.replace(TRAIN, version=str(version)))).licence
        for version in range(3)
    ]
    candle = await lantern.license(works.wanted(), use=msgspec.structs.replace(TRAIN, model="acme/candle"))
    seen: list[str] = []
    url = "/v1/licences?limit=2&model=acme%2Flantern"
    while url:
        answer = await lantern.http.get(url)
        page = msgspec.json.decode(answer.content, type=Page[LicenceInfo])
        seen += [item.licence for item in page.items]
        url = answer.headers.get("link", "").partition(">")[0].lstrip("<")
    assert seen == made[::-1]
    assert candle.licence not in seen


async def test_only_organisations_with_the_scope_may_license(site: Running):
    works = await shelf(site, PAID, 1)
    lantern = await trainer(site)
    quote = await lantern.quote(works.wanted())
    body = lantern.acceptance(quote)
    assert problem(await site.post("/v1/licences", body, http=works.owner.http))[0] == 403
    assert problem(await site.post("/v1/licences", body))[0] == 401
    token = await site.post("/v1/tokens", {"scopes": ["query", "usage"]}, http=lantern.http)
    narrow = site.client(token.json()["token"])
    assert problem(await site.post("/v1/licences", body, http=narrow))[0] == 403


async def test_a_licence_ends_when_the_shortest_grant_term_does(site: Running):
    lasting = preset("paid", Price(model="per-work", amount="1", currency="USD"))
    rules = {atom: rule.to_json() for atom, rule in lasting.rules.items()}
    rules["train-gen"]["grant_term"] = "P1M"
    month = await shelf(site, type(lasting).parse(rules), 1)
    always = await shelf(site, lasting, 1)
    lantern = await trainer(site)
    quote = await lantern.quote([*month.wanted(), *always.wanted()])
    assert quote.valid_until is not None
    days = (times.from_text(quote.valid_until) - times.from_text(quote.issued_at)).days
    assert 28 <= days <= 31
    licence = granted(await lantern.accept(quote))
    assert envelopes.read_as(Licence, licence.envelope).valid_until == quote.valid_until
    assert (await lantern.quote(always.wanted())).left_out[0].reason == f"licensed:{licence.licence}"


async def test_a_token_that_neither_licenses_nor_sees_money_sees_no_licences(site: Running):
    works = await shelf(site, PAID, 1)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    for scopes, expected in ((["query", "register"], 403), (["license"], 200), (["usage"], 200)):
        answer = await site.post("/v1/tokens", {"scopes": scopes}, http=lantern.http)
        http = site.client(answer.json()["token"])
        for path in ("/v1/licences", f"/v1/licences/{licence.licence}"):
            assert (await http.get(path)).status_code == expected, (scopes, path)
