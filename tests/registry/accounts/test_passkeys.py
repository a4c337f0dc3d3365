"""Passkey ceremonies and sessions as the service sees them; in a real browser: tests/whole/test_passkeys.py."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.canonical import from_base64
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.webauthn import EDDSA, ES256, from_base64url, to_base64url
from licet.wire.accounts import AccountCreated, EventInfo, KeyInfo, PasskeyCreated, PasskeyDrafted
from licet.wire.common import Page
from registry.accounts import challenges, passkeys
from registry.errors import Invalid
from tests.registry import keymaking as make
from tests.registry.harness import Account, Running
from tests.sdk.statements.passkey import AT, UP, Authenticator

pytestmark = pytest.mark.anyio


async def joined(site: Running, key: Authenticator) -> Account:
    """Open an account with nothing but ``key``."""
    answer = await make.made(site, key, "Mei")
    assert answer.status_code == 200, answer.text
    drafted = msgspec.json.decode(answer.content, type=PasskeyDrafted)
    assert drafted.keyid == key.keyid
    payload = msgspec.json.decode(from_base64(drafted.payload), type=kinds.KeyRegister)
    envelope = make.signed(site, payload, key)
    assert to_base64url(envelopes_challenge(envelope)) == drafted.challenge
    answer = await site.post("/v1/accounts", {"name": "Mei", "envelope": msgspec.to_builtins(envelope)})
    assert answer.status_code == 201, answer.text
    created = msgspec.json.decode(answer.content, type=AccountCreated)
    assert created.account == drafted.account
    token = created.token.token
    return Account(created.account, created.genesis, SigningKey.generate(), token, site.client(token))


def envelopes_challenge(envelope: Envelope) -> bytes:
    return sha256(envelopes.pae(envelope.payload_type, envelope.body)).digest()


async def challenge(site: Running, path: str, http: httpx.AsyncClient | None = None, **body: Any) -> str:
    """Ask for the options of a ceremony, and return their challenge."""
    answer = await (http or site.http).post(path, json=body or None, headers=make.SAME_ORIGIN)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["publicKey"]["challenge"])


@pytest.mark.parametrize("cose", [ES256, EDDSA])
async def test_a_passkey_opens_an_account_and_its_sessions(site: Running, cose: int) -> None:
    hers = make.passkey(site, cose=cose)
    account = await joined(site, hers)
    browser = await make.signed_in(site, hers)
    me = (await browser.get("/v1/me")).json()
    assert (me["account"], me["keys"][0]["alg"]) == (account.id, "webauthn")
    keys = msgspec.json.decode((await browser.get("/v1/keys")).content, type=Page[KeyInfo])
    assert [key.keyid for key in keys.items] == [hers.keyid]
    events = msgspec.json.decode((await browser.get("/v1/events")).content, type=Page[EventInfo])
    assert [event.kind for event in events.items] == ["signed-in"]
    assert (await browser.delete("/v1/sessions/current", headers=make.SAME_ORIGIN)).status_code == 204
    assert (await browser.get("/v1/me")).status_code == 401


async def test_es256_is_asked_for_first_and_the_user_must_be_known(site: Running) -> None:
    options = (await site.http.post("/v1/passkeys/options", json={"name": "Mei"})).json()["publicKey"]
    assert [each["alg"] for each in options["pubKeyCredParams"]] == [ES256, EDDSA]
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    assert options["rp"]["id"] == site.services.settings.site.rp_id
    assert len(from_base64url(options["challenge"], "challenge")) == 32


@pytest.mark.parametrize(
    ("lies", "message"),
    [
        ({"flags": UP | AT}, "user"),
        ({"origin": "https://e.example"}, "origin"),
        ({"type": "webauthn.get"}, "type"),
    ],
)
async def test_what_was_not_made_here_by_a_known_user_is_no_passkey(site: Running, lies: Any, message: str) -> None:
    hers = make.passkey(site)
    asked = await challenge(site, "/v1/passkeys/options", name="Mei")
    origin = lies.pop("origin", site.services.settings.site.origins[0])
    created = hers.create(from_base64url(asked, "challenge"), origin, **lies)
    refused = await site.http.post("/v1/passkeys", json=created)
    assert refused.status_code == 400
    assert message in refused.json()["detail"].lower()


async def test_a_challenge_is_for_one_purpose_once_and_for_five_minutes(site: Running) -> None:
    hers = make.passkey(site)
    await joined(site, hers)
    asked = await challenge(site, "/v1/sessions/options")
    assert (await site.post("/v1/sessions", make.answered(site, hers, asked))).status_code == 201
    assert (await site.post("/v1/sessions", make.answered(site, hers, asked))).status_code == 403
    for other in (await challenge(site, "/v1/passkeys/options", name="Mei"), to_base64url(bytes(32))):
        assert (await site.post("/v1/sessions", make.answered(site, hers, other))).status_code == 403
    asked = await challenge(site, "/v1/sessions/options")
    async with site.services.database.acquire() as conn:
        await conn.execute("update challenges set expires_at = now() - interval '1 second'")
    assert (await site.post("/v1/sessions", make.answered(site, hers, asked))).status_code == 403
    asked = await challenge(site, "/v1/sessions/options")
    wrong = make.answered(site, hers, asked, flags=UP)
    assert (await site.post("/v1/sessions", wrong)).status_code == 403
    # What was answered wrongly is used up too.
    assert (await site.post("/v1/sessions", make.answered(site, hers, asked))).status_code == 403
    async with site.services.database.acquire() as conn:
        await challenges.issue(conn, "sign-in")
        assert await conn.fetchval("select count(*) from challenges where expires_at < now()") == 0


async def test_only_a_live_passkey_of_an_account_signs_in(site: Running) -> None:
    hers = make.passkey(site)
    account = await joined(site, hers)
    asked = await challenge(site, "/v1/sessions/options")
    stranger = await site.post("/v1/sessions", make.answered(site, make.passkey(site, "stranger"), asked))
    assert stranger.status_code == 403
    asked = await challenge(site, "/v1/sessions/options")
    forged = {**make.answered(site, hers, asked), "signature": "AAAA"}
    assert (await site.post("/v1/sessions", forged)).status_code == 403
    agency = make.passkey(site, "agency")
    added = make.registration(site, account, agency, "delegate")
    make.kept(await make.send(site, account, "/v1/keys", added, agency, hers))
    asked = await challenge(site, "/v1/sessions/options")
    assert (await site.post("/v1/sessions", make.answered(site, agency, asked))).status_code == 403
    browser = await make.signed_in(site, hers)
    ended = make.revocation(site, account, hers.keyid)
    # Nobody could sign for the account any more.
    last = await make.send(site, account, f"/v1/keys/{hers.keyid}/revoke", ended, hers)
    assert last.status_code == 409
    assert "the last key that may do everything" in last.json()["detail"]
    spare = make.passkey(site, "spare")
    make.kept(await make.send(site, account, "/v1/keys", make.registration(site, account, spare), spare, hers))
    make.kept(await make.send(site, account, f"/v1/keys/{hers.keyid}/revoke", ended, hers))
    assert (await browser.get("/v1/me")).status_code == 401
    asked = await challenge(site, "/v1/sessions/options")
    assert (await site.post("/v1/sessions", make.answered(site, hers, asked))).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "OURS"}, 403),
        ({"Origin": "OURS"}, 200),
        ({"Origin": "https://e.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_a_session_changes_nothing_for_pages_of_others(
    site: Running, headers: dict[str, str], status: int
) -> None:
    hers = make.passkey(site)
    await joined(site, hers)
    browser = await make.signed_in(site, hers)
    sent = {name: value.replace("OURS", site.services.settings.site.origins[0]) for name, value in headers.items()}
    answer = await browser.post("/v1/sessions/step-up/options", headers=sent)
    assert answer.status_code == status
    assert (await browser.get("/v1/me", headers=sent)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "OURS"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "OURS"}, 201),
        ({"Origin": "https://e.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 201),
    ],
)
async def test_no_page_of_others_opens_a_session(site: Running, headers: dict[str, str], status: int) -> None:
    hers = make.passkey(site)
    await joined(site, hers)
    asked = await challenge(site, "/v1/sessions/options")
    sent: dict[str, Any] = {
        name: value.replace("OURS", site.services.settings.site.origins[0]) for name, value in headers.items()
    }
    answer = await site.post("/v1/sessions", make.answered(site, hers, asked), **sent)
    assert (answer.status_code, "set-cookie" in answer.headers) == (status, status == 201)


async def test_keys_and_tokens_need_a_passkey_that_was_used_just_now(site: Running) -> None:
    hers = make.passkey(site)
    account = await joined(site, hers)
    browser = await make.signed_in(site, hers)
    async with site.services.database.acquire() as conn:
        await conn.execute("update sessions set stepped_up_at = now() - interval '6 minutes'")

    async def wants_token() -> httpx.Response:
        return await site.post("/v1/tokens", {"scopes": ["query"]}, http=browser, **make.SAME_ORIGIN)

    refused = await wants_token()
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("/step-up-required")
    adding = make.signed(site, make.registration(site, account, second := make.passkey(site)), second, hers)
    body = {"envelope": msgspec.to_builtins(adding)}
    assert (await site.post("/v1/keys", body, http=browser, **make.SAME_ORIGIN)).status_code == 403
    assert (await browser.get("/v1/keys")).status_code == 200
    other = make.passkey(site, "other")
    await joined(site, other)
    assert (await make.stepped_up(site, other, browser)).status_code == 403
    assert (await wants_token()).status_code == 403
    assert (await make.stepped_up(site, hers, browser)).status_code == 201
    assert (await wants_token()).status_code == 201
    assert (await site.post("/v1/keys", body, http=browser, **make.SAME_ORIGIN)).status_code == 201
    by_token = make.answered(site, hers, await challenge(site, "/v1/sessions/step-up/options", account.http))
    assert (await site.post("/v1/sessions/step-up", by_token, http=account.http)).status_code == 403


async def test_a_cookie_that_is_none_stands_for_nobody(site: Running) -> None:
    for cookie in ("", "x", "é", "x" * 5000, to_base64url(bytes(32))):
        headers = {b"Cookie": f"__Host-sid={cookie}".encode()}
        assert (await site.http.get("/v1/me", headers=headers)).status_code == 401
        assert (await site.http.get("/v1/registry", headers=headers)).status_code == 200


async def test_a_passkey_made_for_one_account_is_not_drafted_for_another(site: Running) -> None:
    first, second = await site.account(), await site.account(name="Eve")
    hers = make.passkey(site)
    asked = await challenge(site, "/v1/passkeys/options", first.http, name="Ada")
    created = hers.create(from_base64url(asked, "challenge"), site.services.settings.site.origins[0])
    assert (await second.http.post("/v1/passkeys", json=created)).status_code == 403


def created_here(site: Running) -> PasskeyCreated:
    """What a browser gives on a page of the service."""
    origin = site.services.settings.site.origins[0]
    return msgspec.convert(make.passkey(site).create(bytes(32), origin), PasskeyCreated)


@settings(max_examples=200)
@given(st.data())
def test_a_bent_attestation_object_is_invalid_or_another_passkey(site: Running, data: st.DataObject) -> None:
    created = created_here(site)
    raw = bytearray(from_base64url(created.attestation_object, "x"))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    bent = msgspec.structs.replace(created, attestation_object=to_base64url(bytes(raw[: cut or None])))
    try:
        passkey = passkeys.verified(site.services, bytes(32), bent)
    except Invalid:
        return
    assert passkey.rp_id == site.services.settings.site.rp_id


@given(st.binary(max_size=300), st.sampled_from(["credential", "attestation_object", "client_data"]))
def test_any_bytes_at_all_are_an_invalid_passkey(site: Running, raw: bytes, field: str) -> None:
    bent = msgspec.structs.replace(created_here(site), **{field: to_base64url(raw)})
    with pytest.raises(Invalid):
        passkeys.verified(site.services, bytes(32), bent)
