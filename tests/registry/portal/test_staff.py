"""Auditors and operators come in by passkey: by invitation alone, once, and to what is theirs and nothing else."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from licet import identifiers
from licet.statements.keys import SigningKey
from licet.statements.webauthn import from_base64url
from licet.terms import Price, preset
from registry import translog
from registry.accounts import staff
from registry.errors import NotFound
from registry.portal.frame.languages import LANGUAGES, Language
from registry.portal.operators.room import ROOM
from registry.portal.operators.words import WORDS
from registry.translog import renewal
from registry.translog.keyfiles import PURPOSES, SIGNING
from tests.registry import keymaking as make
from tests.registry.disputes.parties import charge_of, dispute, step, told
from tests.registry.harness import Running, running
from tests.registry.market import shelf, trainer
from tests.registry.portal.people import HTML, Read, joined
from tests.registry.portal.staff import comes_in, employed
from tests.registry.portal.whole import held_whole
from tests.registry.servers import Server

pytestmark = pytest.mark.anyio

PAGES = ("/operator", "/operator/keys", "/operator/staff", "/operator/disputes")
STAFF = "/en/operator/staff"
PER_RUN = preset("paid", Price(model="per-training-run", amount="1", currency="USD"))


async def test_an_invitation_is_used_once_and_its_passkey_signs_in_again(site: Running) -> None:
    ada = await employed(site, "auditor", "Ada Okafor")
    me = (await ada.http.get("/v1/me")).json()
    assert (me["account"], me["scopes"], me["keys"]) == (ada.id, ["audit", "query"], [])
    again = await comes_in(site, ada.secret, make.passkey(site, "thief"))
    assert again.status_code == 403
    assert "was not used" in again.json()["detail"]
    browser = await make.signed_in(site, ada.key)
    led = await browser.get("/zh/home", headers=HTML)
    assert (led.status_code, led.headers["location"]) == (303, "/zh/auditor")
    assert (await make.stepped_up(site, ada.key, browser)).status_code == 201
    assert (await browser.get("/en/account", headers=HTML)).status_code == 404
    # Nothing that a key of the log could do.
    assert (await browser.get("/v1/keys")).status_code == 403
    out = await ada.sends("/en/auditor", "/en/sign-out")
    assert out.status_code == 303
    assert (await ada.http.get("/v1/me")).status_code == 401
    async with site.services.database.acquire() as conn:
        assert (
            await conn.fetchval("select count(*) from account_keys where account = $1", identifiers.to_uuid(ada.id))
            == 0
        )


async def test_the_figures_of_the_registrys_health_are_no_links(site: Running) -> None:
    boss = await employed(site, "operator", "Boss")
    page = Read((await boss.http.get("/en/operator", headers=HTML)).text)
    assert "/health/ready" not in page.links()
    assert [tag for tag, each in page.elements if each.get("class") == "num"] == ["span"] * 3


async def test_two_at_once_make_one_passkey_of_an_invitation(site: Running) -> None:
    ada = await employed(site, "auditor", "Twice")
    number = identifiers.to_uuid(ada.id)
    secret = await staff.invited(site.services.database, number)
    answers = await asyncio.gather(*(comes_in(site, secret, make.passkey(site, f"n{each}")) for each in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 403, 403, 403]
    async with site.services.database.acquire() as conn:
        live = "select count(*) from staff_passkeys where account = $1 and ended_at is null"
        assert await conn.fetchval(live, number) == 1


async def test_a_new_invitation_is_the_way_back_and_ends_what_was_before(site: Running) -> None:
    ada = await employed(site, "auditor", "Ada")
    number = identifiers.to_uuid(ada.id)
    first = await staff.invited(site.services.database, number)
    second = await staff.invited(site.services.database, number)
    assert (await comes_in(site, first, make.passkey(site, "late"))).status_code == 403
    assert (await ada.http.get("/v1/me")).status_code == 200  # an invitation alone ends nothing
    fresh = make.passkey(site, "fresh")
    assert (await comes_in(site, second, fresh)).status_code == 201
    assert (await ada.http.get("/v1/me")).status_code == 401
    options = (await site.http.post("/v1/sessions/options")).json()["publicKey"]
    lost = await site.post("/v1/sessions", make.answered(site, ada.key, options["challenge"]))
    assert lost.status_code == 403
    await make.signed_in(site, fresh)


async def test_what_opens_nothing(site: Running) -> None:
    ada = await employed(site, "auditor", "Ada")
    number = identifiers.to_uuid(ada.id)
    mei = await joined(site, "Mei")
    for secret in ("", "x" * 43, "y" * 5000, "\u0000", "\u5141"):
        assert (await comes_in(site, secret, make.passkey(site, "x"))).status_code in (400, 403), secret
    with pytest.raises(NotFound):
        await staff.invited(site.services.database, identifiers.to_uuid(mei.id))
    secret = await staff.invited(site.services.database, number)
    async with site.services.database.acquire() as conn:
        await conn.execute("update staff_invitations set expires_at = now() where account = $1", number)
    assert (await comes_in(site, secret, make.passkey(site, "old"))).status_code == 403
    # A passkey that is an account's already, or one made for the account's challenge of somebody else.
    secret = await staff.invited(site.services.database, number)
    assert (await comes_in(site, secret, mei.key)).status_code == 409
    assert (await comes_in(site, secret, make.passkey(site, "right"))).status_code == 201
    # No page of others makes one, and no key-register comes of the challenge.
    secret = await staff.invited(site.services.database, number)
    asked = (await site.post("/en/invited/options", {"secret": secret})).json()["publicKey"]
    key = make.passkey(site, "led")
    created = key.create(from_base64url(asked["challenge"], "challenge"), site.services.settings.site.origins[0])
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (await site.post("/en/invited", {"secret": secret, **created}, http=site.http, **foreign)).status_code == 403
    assert (await site.post("/v1/passkeys", created)).status_code == 403


async def test_who_is_dismissed_is_out_at_once(site: Running) -> None:
    boss, ada = await employed(site, "operator", "Boss"), await employed(site, "auditor", "Ada")
    gone = await boss.sends(STAFF, f"{STAFF}/dismiss", account=ada.id)
    assert gone.status_code == 303
    assert (await ada.http.get("/v1/me")).status_code == 401
    own = await boss.sends(STAFF, f"{STAFF}/dismiss", account=boss.id)
    assert own.status_code == 400
    assert (await boss.http.get("/v1/me")).status_code == 200
    eve = await employed(site, "auditor", "Eve")
    assert (await eve.http.post(f"{STAFF}/dismiss", data={}, headers={**HTML, **make.SAME_ORIGIN})).status_code == 404
    async with site.services.database.acquire() as conn:
        await conn.execute("update sessions set stepped_up_at = now() - interval '6 minutes'")
    for path in ("invite", "dismiss"):
        assert (await boss.sends(STAFF, f"{STAFF}/{path}", account=eve.id)).status_code == 403


@pytest.mark.parametrize("language", LANGUAGES)
async def test_operators_pages_are_whole_and_theirs_alone(site: Running, language: str) -> None:
    boss, ada = await employed(site, "operator", "Boss"), await employed(site, "auditor", "Ada")
    mei = await joined(site, "Mei")
    for path in PAGES:
        page = await held_whole(boss.http, f"/{language}{path}", language)
        assert path.endswith(("/disputes", "/keys")) or "Boss" in page.text
        for stranger in (ada.http, mei.http):
            assert (await stranger.get(f"/{language}{path}", headers=HTML)).status_code == 404
        assert (await site.http.get(f"/{language}{path}", headers=HTML)).status_code == 303


async def test_a_decision_adds_to_the_log_and_the_ledger_and_rewrites_neither(site: Running) -> None:
    boss, other = await employed(site, "operator", "Boss"), await employed(site, "operator", "Other")
    works, lab = await shelf(site, PER_RUN, 1), await trainer(site)
    await lab.license(works.wanted())
    about = await dispute(lab, await charge_of(lab))
    await step(works.owner, about)
    path = f"/en/operator/disputes/{about.dispute}"
    assert path in Read((await boss.http.get("/en/operator/disputes?state=answered", headers=HTML)).text).links()
    tables = (
        "select transfer, account, currency, amount from entries",
        "select id, key, kind, at, source, memo from transfers",
        "select id, envelope from log_pending",
    )
    async with site.services.database.acquire() as conn:
        before = [set(await conn.fetch(each)) for each in tables]
    decided = await boss.sends(path, path, step="decide", outcome="upheld", text="It was charged twice.")
    assert decided.status_code == 303
    async with site.services.database.acquire() as conn:
        entries, _, pending = [set(await conn.fetch(each)) for each in tables]
    assert entries == before[0]  # nothing moves before whoever lost could appeal
    assert before[2] < pending
    told(await step(works.owner, about, "appeal"))
    own = await boss.sends("/en/operator/staff", path, step="review", outcome="upheld", text="As I said.")
    assert (own.status_code, "expected another operator" in own.text) == (403, True)
    reviewed = await other.sends(path, path, step="review", outcome="upheld", text="Twice, indeed.")
    assert reviewed.status_code == 303
    async with site.services.database.acquire() as conn:
        after = [set(await conn.fetch(each)) for each in tables]
    assert all(were < are for were, are in zip(before, after, strict=True))
    page = (await boss.http.get(path, headers=HTML)).text
    assert boss.id in page  # in their own names
    assert other.id in page
    again = await boss.sends("/en/operator/staff", path, step="decide", outcome="dismissed", text="Or not.")
    assert (again.status_code, "the dispute has ended: upheld" in again.text) == (400, True)
    for state, listed in (("answered", False), ("upheld", True)):
        queue = Read((await boss.http.get(f"/en/operator/disputes?state={state}", headers=HTML)).text)
        assert (path in queue.links()) is listed


async def test_an_operator_invites_by_a_link_that_is_shown_once(site: Running) -> None:
    boss, lab = await employed(site, "operator", "Boss"), await site.account("organisation", "Lab")
    shown = await boss.sends(STAFF, f"{STAFF}/invite", role="auditor", name="Ada", scope=f"{lab.id} 2026-01..2026-12")
    assert shown.status_code == 200
    (link,) = [each for each in Read(shown.text).text.split() if "/invited#" in each]
    assert link.startswith(f"{site.services.settings.url}/en/invited#")
    assert (await comes_in(site, link.partition("#")[2], make.passkey(site, "Ada"))).status_code == 201
    page = Read((await boss.http.get(STAFF, headers=HTML)).text)
    assert "Ada" in page.text
    for wrong in (
        {"role": "artist", "name": "A", "scope": ""},
        {"role": "auditor", "name": "", "scope": ""},
        {"role": "auditor", "name": "A", "scope": "everything"},
        {"role": "auditor", "name": "A", "scope": "2026-13"},
        {"role": "operator", "name": "A", "scope": lab.id},
        {"role": "auditor", "name": "A", "scope": identifiers.new_id("org")},
        {"account": lab.id},
        {"account": "aud_nobody"},
    ):
        answer = await boss.sends(STAFF, f"{STAFF}/invite", **wrong)
        assert answer.status_code == 400, wrong
        assert "That could not be done" in answer.text
        assert "/invited#" not in answer.text


@pytest.mark.parametrize("role", ["auditor", "operator"])
async def test_pages_about_keys_and_the_end_of_an_account_are_not_for_staff(site: Running, role: str) -> None:
    somebody = await employed(site, role, "Keyless")
    for path in ("/account/keys", f"/account/keys/{somebody.key.keyid}/end", "/account/leave"):
        assert (await somebody.http.get(f"/en{path}", headers=HTML)).status_code == 404, path


async def test_every_part_of_the_registry_has_a_name_in_both_languages(site: Running) -> None:
    state = await site.app.state.readiness.look()
    assert {"checkpoint", "guard"} < set(state.checks)
    assert {f"part_{each}" for each in state.checks} <= set(WORDS)


async def test_of_two_operators_who_dismiss_each_other_at_once_one_stays(site: Running) -> None:
    for turn in range(6):
        pair = [await employed(site, "operator", f"{name}{turn}") for name in ("Ann", "Bob")]
        one, other = (identifiers.to_uuid(each.id) for each in pair)
        outcomes = await asyncio.gather(
            staff.dismiss(site.services.database, other, by=one),
            staff.dismiss(site.services.database, one, by=other),
            return_exceptions=True,
        )
        assert sorted(type(each).__name__ for each in outcomes) == ["NoneType", "NotAllowed"]
        assert sorted([(await each.http.get("/v1/me")).status_code for each in pair]) == [200, 401]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_registrys_keys_are_shown_and_nothing_there_changes_one(site: Running, language: Language) -> None:
    boss, w = await employed(site, "operator", "Keeper"), ROOM.speaks(language)
    page = await held_whole(boss.http, f"/{language}/operator/keys", language)
    keys = site.services.keys
    for shown in (
        keys.root.public.hex(),
        keys.root.keyid,
        keys.log_keys.vkey,
        w("root_here"),
        "licet-registry key list",
    ):
        assert shown in page.text
    for purpose in PURPOSES:
        assert w(f"purpose_{purpose}") in page.text
    for key in (keys.log, keys.snapshot, keys.licence, keys.office):
        assert key.keyid[:16] in page.text
    assert page.text.count(w("signs_now")) == len(PURPOSES) if keys.cosigners(1 << 20) else len(SIGNING)
    assert "form" not in {tag for tag, each in page.elements if tag == "form" and "sign-out" not in each["action"]}
    # Nothing secret: no private half stands on the page.
    for key in (keys.log, keys.snapshot, keys.licence, keys.office):
        assert key.seed.hex() not in page.text


async def test_a_key_that_ended_and_one_that_is_not_here_are_told(
    server: Server, migrated_template: str, tmp_path: Path
) -> None:
    async with server.fresh(migrated_template, "keyspage") as dsn, running(dsn, tmp_path) as site:
        boss, w = await employed(site, "operator", "Boss"), ROOM.speaks("en")
        services, old = site.services, site.services.keys.log.keyid
        root = SigningKey.load(tmp_path / "keys" / "root.pem")
        asked, new = renewal.introduction(services.keys, "log")
        async with services.database.transaction() as conn:
            (pending,) = await renewal.install(conn, services.keys, renewal.signed_by(root, asked))
        await translog.wait(services.database, pending)
        async with services.database.transaction() as conn:
            ending = await renewal.ending(conn, services.keys, old, "compromised")
            (pending,) = await renewal.install(conn, services.keys, renewal.signed_by(root, ending))
        await translog.wait(services.database, pending)
        page = Read((await boss.http.get("/en/operator/keys", headers=HTML)).text)
        assert w("key_state_compromised") in page.text
        assert {old[:16], new[:16]} <= set(re.findall(r"[0-9a-f]{16}(?=…)", page.text))
        assert w("half_away") not in page.text
        (tmp_path / "keys" / "root.pem").rename(tmp_path / "root.pem")
        (tmp_path / "keys" / f"log-{new[:16]}.pem").rename(tmp_path / "log.pem")
        away = Read((await boss.http.get("/en/operator/keys", headers=HTML)).text)
        assert w("root_away") in away.text
        assert w("half_away") in away.text
        assert w("not_here") in away.text
