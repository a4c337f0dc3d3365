"""What cannot be taken back asks for a passkey that was just used, or for a token that a root key has signed for."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from licet.statements.keys import SigningKey
from licet.wire.accounts import KeyInfo
from licet.wire.common import Page
from tests.registry import keymaking as make
from tests.registry.accounts.test_passkeys import joined
from tests.registry.harness import Account, Running

pytestmark = pytest.mark.anyio


async def erasing(site: Running, account: Account, http: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await site.post("/v1/me/erasure", {"confirm": account.id}, http=http, **headers)


def asks_for_more(answer: httpx.Response, challenge: str, words: str) -> None:
    assert answer.status_code == 403, answer.text
    assert answer.json()["type"].endswith("/step-up-required")
    assert words in answer.json()["detail"]
    assert challenge in answer.headers["WWW-Authenticate"]


async def test_no_first_token_erases_and_none_that_it_makes(site: Running) -> None:
    ada = await site.account()
    asks_for_more(await erasing(site, ada, ada.http), 'scope="erase"', "token-request")
    assert (await site.post("/v1/me/erasure", {"dry_run": True}, http=ada.http)).status_code == 201
    wider = await site.post("/v1/tokens", {"scopes": ["erase"], "expires_in_days": 1}, http=ada.http)
    assert wider.status_code == 403
    assert "erase" not in (await ada.http.get("/v1/me")).json()["scopes"]


async def test_a_token_that_a_root_key_signed_for_erases_and_lasts_a_day(site: Running) -> None:
    ada = await site.account()
    body = {"scopes": ["erase"], "expires_in_days": 2, "envelope": msgspec.to_builtins(signed(site, ada))}
    refused = await site.post("/v1/tokens", body, http=ada.http)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/expires_in_days"
    eraser = await make.eraser(site, ada)
    assert (await eraser.get("/v1/tokens")).status_code == 403  # it does nothing else
    assert (await erasing(site, ada, eraser)).status_code == 201
    assert (await ada.http.get("/v1/me")).status_code == 401


def signed(site: Running, account: Account) -> Any:
    return make.signed(site, make.wish(site, account, "erase"), account.key)


async def test_a_wish_counts_once_and_now_for_what_it_says_by_a_root_key_of_this_account(site: Running) -> None:
    ada, eve = await site.account(), await site.account(name="Eve")
    old = make.wish(site, ada, "erase", issued_at="2026-01-01T00:00:00.000000Z")
    assert "issued_at" in (await make.granted(site, ada, old)).json()["detail"]
    others = msgspec.structs.replace(make.wish(site, ada, "erase"), account=eve.id)
    assert (await make.granted(site, ada, others)).status_code == 400
    forged = make.wish(site, ada, "erase")
    assert (await make.granted(site, ada, forged, eve.key)).status_code == 403
    agency = SigningKey.generate()
    await make.add(site, ada, agency, "delegate")
    assert (await make.granted(site, ada, make.wish(site, ada, "erase"), agency)).status_code == 403
    envelope = msgspec.to_builtins(signed(site, ada))
    more = {"scopes": ["account", "erase"], "expires_in_days": 1, "envelope": envelope}
    assert "envelope.scopes" in (await site.post("/v1/tokens", more, http=ada.http)).json()["detail"]
    body = {"scopes": ["erase"], "expires_in_days": 1, "envelope": envelope}
    first = await site.post("/v1/tokens", body, http=ada.http)
    assert first.status_code == 201
    await site.client(first.json()["token"]).post("/v1/me/erasure", json={})
    assert (await site.post("/v1/tokens", body, http=ada.http)).status_code == 409
    unknown = make.wish(site, ada, "license")  # an artist has no such scope
    assert (await make.granted(site, ada, unknown)).status_code == 403


async def test_a_session_erases_only_after_its_passkey_was_used_again(site: Running) -> None:
    hers = make.passkey(site)
    mei = await joined(site, hers)
    browser = await make.signed_in(site, hers)
    async with site.services.database.acquire() as conn:
        await conn.execute("update sessions set stepped_up_at = now() - interval '6 minutes'")
    late = await erasing(site, mei, browser, **make.SAME_ORIGIN)
    asks_for_more(late, 'error="insufficient_user_authentication", max_age="300"', "/v1/sessions/step-up")
    assert (await make.stepped_up(site, hers, browser)).status_code == 201
    elsewhere = await erasing(site, mei, browser, **{"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403
    assert (await erasing(site, mei, browser, **make.SAME_ORIGIN)).status_code == 201
    assert (await browser.get("/v1/me")).status_code == 401


async def test_whoever_found_a_recovery_code_cannot_end_the_account_with_it(site: Running) -> None:
    ada, code = await site.account(), "0000-1111-2222-3333-4444-5555"
    kept = await make.send(site, ada, "/v1/recovery-codes", make.codes(site, ada, code), ada.key)
    assert kept.status_code == 201, kept.text
    thief = make.passkey(site, "thief")
    payload = make.registration(site, ada, thief, "recovered")
    body = {"account": ada.id, "code": code, "envelope": msgspec.to_builtins(make.signed(site, payload, thief))}
    recovered = await site.post("/v1/recoveries", body)
    assert recovered.status_code == 201, recovered.text
    assert "erase" not in recovered.json()["token"]["scopes"]
    assert (await make.granted(site, ada, make.wish(site, ada, "erase"), thief)).status_code == 403
    browser = await make.signed_in(site, thief)
    asks_for_more(await erasing(site, ada, browser, **make.SAME_ORIGIN), 'scope="erase"', "7 days")
    wanted = {"scopes": ["erase"], "expires_in_days": 1}
    asks_for_more(await site.post("/v1/tokens", wanted, http=browser, **make.SAME_ORIGIN), 'scope="erase"', "7 days")
    keys = msgspec.json.decode((await ada.http.get("/v1/keys")).content, type=Page[KeyInfo])
    assert {key.key_class for key in keys.items} == {"root", "recovered"}
    assert (await erasing(site, ada, await make.eraser(site, ada))).status_code == 201
