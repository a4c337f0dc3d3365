"""What a team sees of itself: every figure with its lines, both languages, and nothing of anybody else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import get_args

import httpx
import msgspec
import pytest

from licet import identifiers, times
from licet.index import Published
from licet.statements import envelope as envelopes
from licet.statements.kinds import Snapshot
from licet.statements.periods import ACCRUALS
from licet.terms import ATOMS, AUDIENCES, Price, Revocation, preset, price_text
from licet.terms.atoms import ModelScope
from licet.wire.agreements import RequestState
from licet.wire.duties import DutyState, Effect
from licet.wire.register import Status
from licet.wire.settlement import ChargeState, InvoiceKind, InvoiceState
from registry.accounts import operators, tokens
from registry.portal.frame.languages import LANGUAGES, TAGS, Language
from registry.portal.organisations.room import ROOM
from registry.portal.organisations.words import WORDS
from registry.usage.money import Side
from tests.registry import keymaking as make
from tests.registry.agreements.talks import NEGOTIATED, agree, ask, offer, question, reply, send, told
from tests.registry.catalogue import artist
from tests.registry.disputes.parties import charge_of, dispute
from tests.registry.harness import Running
from tests.registry.market import shelf
from tests.registry.portal.people import HTML, Artist, Read, cookie, fields_of, joining
from tests.registry.portal.team import Team, busy, teamed
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio

PAGES = tuple(
    f"/organisation{each}"
    for each in (
        *(
            "",
            "/datasets",
            "/models",
            "/licences",
            "/licences/{licence}",
            "/requests",
            "/requests/{asked}",
            "/requests/new",
            "/duties",
        ),
        *("/invoices", "/invoices/{invoice}", "/charges", "/entries", "/tokens", "/start"),
        *("/runs", "/snapshot", "/members", "/members/{invitation}"),
        *("/keys", "/keys/add", "/keys/delegate"),
    )
)
FILTERED = (
    *(
        "/organisation/licences/{shared}",
        "/organisation/duties?state=done",
        "/organisation/requests?state=refused",
        "/organisation/licences?active=false",
    ),
    *("/organisation/invoices?state=overdue", "/organisation/charges?licence={licence}&currency=USD"),
    *("/organisation/entries?account=receivable&currency=USD", "/organisation/tokens?active=false"),
)
PER_WORK = preset("paid", Price(model="per-work", amount="1", currency="USD"))
MONEY = re.compile(r"(?:US\$|€|¥)")


@pytest.fixture(scope="module")
async def lantern(site: Running) -> Team:
    """A team with one of everything."""
    return await busy(site, "Lantern & <Labs>")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_are_whole_and_every_figure_of_money_leads_to_its_lines(
    site: Running, lantern: Team, language: str
) -> None:
    for path in (*PAGES, *FILTERED):
        page = await held_whole(lantern.browser, f"/{language}{lantern.at(path)}", language)
        assert len(MONEY.findall(page.text)) == len(MONEY.findall(page.linked)), path


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_charge_leads_to_its_dispute_and_then_to_what_became_of_it(site: Running, language: str) -> None:
    team = await teamed(site, "Doubting")
    await team.lab.license((await shelf(site, PER_WORK, 1)).wanted())
    charge = await charge_of(team.lab)
    page = await held_whole(team.browser, f"/{language}/organisation/charges", language)
    new = f"/{language}/disputes/new?about={charge}"
    assert new in page.links()
    assert ("subject", charge) in Read((await team.browser.get(new, headers=HTML)).text).fields
    about = await dispute(team.lab, charge)
    page = await held_whole(team.browser, f"/{language}/organisation/charges", language)
    assert new not in page.links()  # one at a time
    assert f"/{language}/disputes/{about.dispute}" in page.links()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_request_says_what_was_answered_and_what_to_do_next(site: Running, language: Language) -> None:
    team, asks = await teamed(site, "Asking"), await shelf(site, NEGOTIATED, 2, owner=await artist(site, "Ines"))

    async def page() -> Read:
        return await held_whole(team.browser, f"/{language}/organisation/requests/{asked.request}", language)

    asked = await ask(team.lab, asks)
    waits = await page()
    assert "We would like to train on these." in waits.text
    assert f"/{language}/organisation/requests/{asked.request}/offer" not in waits.sent
    assert f"/{language}/work/{asks.works[1]}" in waits.links()
    assert "Ines" in waits.text
    price = Price(model="revenue-share", share_bps=3000, currency="USD", minimum="50")
    answered = await offer(asks.owner, asked, price, message="<b>Gladly.</b>", revocation=Revocation(notice_days=30))
    offered = await page()
    shown = price_text(price, TAGS[language])
    assert shown in offered.linked  # down to the signed file
    assert "<b>Gladly.</b>" in offered.text
    assert f"/{language}/organisation/requests/{asked.request}/offer" in offered.sent
    assert ("after 30 days: No new" if language == "en" else "过 30 天：不得再用") in offered.text
    assert ROOM.speaks(language).moment(answered.offered_until or "") in offered.text
    await reply(asks.owner, asked, None)
    refused = await page()
    assert ("train without these works" if language == "en" else "不要用这些作品") in refused.text
    assert "licet licences" not in refused.text
    await offer(asks.owner, asked)
    licence = await agree(team.lab, asks, asked)
    taken = await page()
    assert f"/{language}/organisation/licences/{licence.licence}" in taken.links()
    assert "licet licences" not in taken.text
    listed = await held_whole(team.browser, f"/{language}/organisation/requests", language)
    assert f"/{language}/organisation/requests/{asked.request}" in listed.links()
    assert "Ines" in listed.text
    assert asks.owner.id not in listed.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_request_that_ran_out_can_be_asked_anew_and_one_to_the_team_is_answered(
    site: Running, language: Language
) -> None:
    team, agency = await teamed(site, "Late"), await artist(site, "Agency", "organisation")
    key = make.passkey(site, "Agency")
    await make.add(site, agency.account, key)
    theirs = await make.signed_in(site, key)
    unanswered = await shelf(site, NEGOTIATED, 1, owner=agency)
    late = told(await send(team.lab, question(team.lab, unanswered))).request
    untaken = await ask(team.lab, await shelf(site, NEGOTIATED, 1, owner=agency))
    page = await held_whole(theirs, f"/{language}/organisation/requests/{untaken.request}", language)
    assert ("Late asks you" if language == "en" else "Late 在问你们") in page.text
    assert f"/{language}/requests/{untaken.request}" in page.links()
    assert not [each for each in page.sent if each.endswith("/offer")]
    await offer(agency, untaken)
    async with site.services.database.transaction() as conn:  # as if so much time had passed
        await conn.execute("set local session_replication_role = replica")
        request, answered = (identifiers.to_uuid(each.request, "ask") for each in (late, untaken))
        await conn.execute("update licence_requests set expires_at = now() where id = $1", request)
        await conn.execute("update licence_answers set offered_until = now() where request = $1", answered)
    for asked, state in ((late, "expired"), (untaken, "lapsed")):
        path = f"/{language}/organisation/requests/{asked.request}"
        page = await held_whole(team.browser, path, language)
        assert ROOM.speaks(language)(f"state_ask_{state}") in page.text
        again = f"/{language}/organisation/requests/new?of={asked.request}"
        assert again in page.links()
        form = fields_of((await team.browser.get(again, headers=HTML)).text)
        assert (form["model"], form["use"]) == (["acme/lantern@1"], ["train-gen"])
        page = await held_whole(theirs, path, language)
        # An offer that ran out can be made again.
        assert (f"/{language}/requests/{asked.request}" in page.links()) == (asked is untaken)


async def test_the_snapshot_page_has_each_file_with_its_size_as_the_manifest_does(site: Running, lantern: Team) -> None:
    answer = (await lantern.browser.get("/snapshots/latest")).content
    manifest = envelopes.read_as(Snapshot, msgspec.json.decode(answer, type=Published).envelope)
    page = await held_whole(lantern.browser, "/en/organisation/snapshot", "en")
    assert {each.tier for each in manifest.segments} == {"exact", "near"}
    for each in manifest.segments:
        assert f"/snapshots/segments/{each.digest}" in page.links()
        content = (await lantern.browser.get(f"/snapshots/segments/{each.digest}")).content
        assert (sha256(content).hexdigest(), len(content)) == (each.digest, each.size)
        assert ROOM.speaks("en").size(each.size) in page.text
    for said in (manifest.state_root, manifest.log_root, f"{manifest.works:,}"):
        assert said in page.text


async def test_a_run_stands_with_its_model_dataset_and_proof(lantern: Team) -> None:
    page = await held_whole(lantern.browser, "/en/organisation/runs", "en")
    assert len([each for each in page.links() if each.startswith("/v1/statements/run_")]) == 2
    assert "acme/lantern-2@" in page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_whoever_has_nothing_yet_is_told_so(site: Running, language: str) -> None:
    fresh = await teamed(site, "Fresh")
    for path in PAGES:
        if "{" not in path:
            page = await held_whole(fresh.browser, f"/{language}{path}", language)
            assert "table" not in {tag for tag, _ in page.elements} or path.endswith(
                ("/tokens", "/keys", "/members", "/snapshot")
            ), path


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_new_team_is_told_what_to_do_first_until_it_has_something(site: Running, language: Language) -> None:
    w = ROOM.speaks(language)
    key = make.passkey(site)
    answer = await site.post("/en/join", await joining(site, key, "Seed Labs", "organisation"))
    assert answer.status_code == 201
    browser = await make.signed_in(site, key)
    home = f"/{language}/organisation"

    async def steps(http: httpx.AsyncClient) -> list[str]:
        page = await held_whole(http, home, language)
        return [each.get("class", "") for tag, each in page.elements if tag == "li" and each.keys() <= {"class"}]

    page = await held_whole(browser, home, language)
    for place in ("models", "start", "members", "requests/new"):
        assert any(f"{home}/{place}" == each.partition("#")[0] for each in page.links()), place
    assert f"/{language}/check" in page.links()
    assert not [each for each in ("owed", "unpaid", "duties", "answered", "begin") if w(each) in page.text]
    assert await steps(browser) == ["", "", "", ""]
    assert (await site.post("/v1/invitations", {}, http=browser, **make.SAME_ORIGIN)).status_code == 201
    assert await steps(browser) == ["", "", "done", ""]
    team = await teamed(site, "Sprout Labs")
    assert await steps(team.browser) == ["done", "", "", ""]
    card = await team.lab.log("/v1/models", team.lab.card())
    assert card.status_code == 201
    assert await steps(team.browser) == ["done", "done", "", ""]
    await team.lab.license((await shelf(site, PER_WORK, 1)).wanted())
    page = await held_whole(team.browser, home, language)
    assert w("first") not in page.text
    assert w("owed") in page.text


async def test_figures_are_those_of_the_ledger(site: Running, lantern: Team) -> None:
    async def text(path: str) -> str:
        return Read((await lantern.browser.get(f"/en{lantern.at(path)}", headers=HTML)).text).text

    (line,) = (await lantern.lab.http.get("/v1/ledger/balance")).json()["lines"]
    assert line["amount"] == "0.05"  # two works at five cents, less the half that was paid
    home = await text("/organisation")
    assert "US$0.05" in home
    assert "No new training runs with these works" in home
    assert "A price is offered" in home
    assert "Refused" in home
    assert "Not answered yet" not in home
    assert "They add up to US$0.05" in await text("/organisation/entries?account=receivable&currency=USD")
    licence = await text("/organisation/licences/{licence}")
    assert "acme/lantern@1" in licence
    assert "Ada" in licence
    assert "US$0.05" in licence
    assert "US$0.10" in licence
    listed = await text("/organisation/licences")
    assert "1 work revoked, held until" in listed
    shared = await text("/organisation/licences/{shared}")
    assert "Share of revenue" in shared
    assert "No fixed amount" in shared  # which is not nothing
    assert "Nothing" not in shared
    invoice = await text("/organisation/invoices/{invoice}")
    assert "US$0.10" in invoice
    assert "Partly paid" in invoice
    assert re.search(rf"\bFrom\s*{re.escape(site.services.keys.origin)}", invoice)
    assert f"{times.now():%B %Y} is not closed" in invoice
    models = (await lantern.browser.get("/en/organisation/models", headers=HTML)).text
    assert models.count("/en/register/models/") == 3  # of the listed one: its name, its versions, its runs


async def test_what_is_a_teams_is_nobody_elses(site: Running, lantern: Team, mei: Artist) -> None:
    rival = await teamed(site, "Rival")
    auditor = await operators.invite(site.services.database, "auditor", name="Aud")
    theirs = [*lantern.ids.values(), "acme/lantern-2", lantern.lab.id]
    for path in PAGES:
        found = f"/en{lantern.at(path)}"
        nobody = await site.http.get(found, headers=HTML)
        assert (nobody.status_code, nobody.headers["location"][:11]) == (303, "/en/sign-in")
        assert (await mei.http.get(found, headers=HTML)).status_code == 404, found
        for token in (mei.site.client(auditor[1].token), lantern.lab.http):  # a token opens no page
            assert (await token.get(found, headers=HTML)).status_code == 403, found
        other = await rival.browser.get(found, headers=HTML)
        assert other.status_code == (404 if "{" in path else 200), found
        assert not [each for each in theirs if each in other.text.replace(found[3:], "")], found
    filtered = await rival.browser.get(f"/en/organisation/charges?licence={lantern.ids['licence']}", headers=HTML)
    assert "There is nothing of that kind." in filtered.text


@pytest.mark.parametrize(
    ("prefix", "values"),
    [
        ("", get_args(InvoiceKind)),
        ("state_", get_args(InvoiceState)),
        ("charge_", get_args(ChargeState)),
        ("state_ask_", get_args(RequestState)),
        ("asks_next_", get_args(RequestState)),
        ("state_duty_", get_args(DutyState)),
        ("duty_", get_args(Effect)),
        ("model_", get_args(Status)),
        ("side_", get_args(Side)),
        ("kind_", sorted(ACCRUALS)),
        ("price_", get_args(Price.model_fields["model"].annotation)),
        ("purpose_", AUDIENCES),
        ("use_", ATOMS),
        ("scope_", get_args(ModelScope)),
        ("scope_of_", tokens.usual("org")),
    ],
)
async def test_whatever_the_service_says_has_words(prefix: str, values: Sequence[str]) -> None:
    assert values
    assert not [each for each in values if f"{prefix}{each}" not in WORDS]


async def test_a_token_is_ended_by_whoever_has_just_used_a_passkey(site: Running, lantern: Team) -> None:
    browser = await make.signed_in(site, lantern.key)
    made = await site.post("/v1/tokens", {"scopes": ["query"], "expires_in_days": 1}, http=browser, **make.SAME_ORIGIN)
    assert made.status_code == 201, made.text
    form = {"form": fields_of((await browser.get("/en/organisation/tokens", headers=HTML)).text)["form"][0]}
    form["token"] = made.json()["id"]
    sent = {**HTML, **make.SAME_ORIGIN}
    async with site.services.database.acquire() as conn:
        await conn.execute("update sessions set stepped_up_at = now() - interval '6 minutes'")
    late = await browser.post("/en/organisation/tokens/end", data=form, headers=sent)
    assert (late.status_code, "Please show your passkey once more" in late.text) == (403, True)
    assert (await make.stepped_up(site, lantern.key, browser)).status_code == 201
    rival = await teamed(site, "Rival")
    other = {
        **form,
        "form": fields_of((await rival.browser.get("/en/organisation/tokens", headers=HTML)).text)["form"][0],
    }
    assert (await rival.browser.post("/en/organisation/tokens/end", data=other, headers=sent)).status_code == 404
    token = site.client(made.json()["token"])
    assert (await token.get("/v1/me")).status_code == 200
    ended = await browser.post("/en/organisation/tokens/end", data=form, headers=sent)
    assert (ended.status_code, ended.headers["location"]) == (303, "/en/organisation/tokens")
    assert (await token.get("/v1/me")).status_code == 401
    page = await browser.get("/en/organisation/tokens?active=false", headers=HTML)
    assert "Ended" in Read(page.text).text


async def test_a_team_joins_with_a_passkey_and_is_led_to_its_own_pages(site: Running) -> None:
    page = await site.http.get("/zh/join?as=team", headers=HTML)
    assert 'data-kind="organisation"' in page.text
    body = await joining(site, make.passkey(site), "Lab", kind="organisation")
    answer = await site.post("/en/join", body)
    assert answer.status_code == 201, answer.text
    browser = site.client()
    browser.headers["Cookie"] = f"__Host-sid={cookie(answer, '__Host-sid')}"
    home = await browser.get("/en/home", headers=HTML)
    assert (home.status_code, home.headers["location"]) == (303, "/en/organisation")
    assert (await browser.get("/en/works", headers=HTML)).status_code == 404
    start = Read((await browser.get("/en/organisation/start", headers=HTML)).text).text
    assert f"LICET_URL={site.services.settings.url}" in start
    assert "this account has passkeys alone" in start
    # Its only member is told why nothing can take it away.
    alone = Read((await browser.get("/en/organisation/members", headers=HTML)).text)
    assert "Cannot be ended: no other may do everything" in alone.text
    assert not [each for each in alone.links() if each.endswith("/end")]
