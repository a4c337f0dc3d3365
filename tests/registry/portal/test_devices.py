"""Devices and keys at the portal: what may sign is shown before it is signed, and the last key stays."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest

from licet import identifiers
from licet.canonical import from_base64, to_base64
from licet.statements.envelope import pae
from licet.statements.kinds import PAYLOAD_TYPE, KeyRegister, KeyRevoke
from tests.registry import keymaking as make
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, Artist, Read, fields_of, joined
from tests.sdk.statements.passkey import Authenticator

pytestmark = pytest.mark.anyio


def signed(site: Running, form: dict[str, list[str]], *keys: Authenticator) -> dict[str, Any]:
    """Return the form with a signature of each of ``keys`` over the bytes in it, as the page's script adds them."""
    where = site.services.settings.site
    body = from_base64(form["payload"][0])
    challenge = sha256(pae(PAYLOAD_TYPE.format(kind=form["kind"][0]), body)).digest()
    answers = [key.answer(challenge, origin=where.origins[0], rp_id=where.rp_id) for key in keys]
    return {
        **form,
        "keyid": [key.keyid for key in keys],
        "sig": [to_base64(signature) for signature, _ in answers],
        "authenticator": [said.authenticator_data for _, said in answers],
        "client": [said.client_data for _, said in answers],
    }


async def adding(site: Running, artist: Artist, key: Authenticator) -> tuple[str, dict[str, list[str]]]:
    """Make ``key`` at the account's page, and return the page that shows what is to be signed, and its form."""
    drafted = (await make.made(site, key, "Mei", http=artist.http)).json()
    token = (await artist.form("/en/account/keys"))["form"][0]
    shown = await artist.sends("/en/account/keys/new", {"form": token, "payload": drafted["payload"]})
    assert shown.status_code == 200, shown.text
    return shown.text, fields_of(shown.text)


async def test_a_second_passkey_counts_once_both_have_signed_what_the_page_shows(site: Running) -> None:
    artist, second = await joined(site, "Mei"), make.passkey(site)
    assert (await artist.http.get(f"/en/account/keys/{artist.key.keyid}/end", headers=HTML)).status_code == 200
    html, form = await adding(site, artist, second)
    page = Read(html)
    body = from_base64(form["payload"][0])
    assert body.decode() in page.text  # the very bytes
    assert second.keyid in page.text
    (form_said,) = [each for _, each in page.elements if "data-signs" in each]
    assert second.keyid in form_said["data-first"]
    assert artist.key.keyid in form_said["data-passkeys"]
    assert msgspec.json.decode(body, type=KeyRegister).key == second.passkey
    for wrong in ((second,), (artist.key,), (artist.key, second), ()):
        refused = await artist.sends("/en/account/keys", signed(site, form, *wrong))
        assert refused.status_code in (400, 403), wrong
    done = await artist.sends("/en/account/keys", signed(site, form, second, artist.key))
    assert (done.status_code, done.headers["location"]) == (303, "/en/account/keys")
    again = await artist.sends("/en/account/keys", signed(site, form, second, artist.key))
    assert again.status_code == 303
    listed = Read((await artist.http.get("/zh/account/keys", headers=HTML)).text)
    assert second.keyid[:16] in listed.text
    assert len((await artist.http.get("/v1/keys")).json()["items"]) == 2
    browser = await make.signed_in(site, second)  # and it opens the door
    assert (await browser.get("/v1/me")).json()["account"] == artist.id


async def test_a_key_is_ended_by_another_and_the_last_one_stays(site: Running) -> None:
    artist, second = await joined(site, "Mei"), make.passkey(site)
    last = Read((await artist.http.get(f"/en/account/keys/{artist.key.keyid}/end", headers=HTML)).text)
    assert "your last key" in last.text
    assert not [each for _, each in last.elements if "data-sign" in each]
    _, form = await adding(site, artist, second)
    assert (await artist.sends("/en/account/keys", signed(site, form, second, artist.key))).status_code == 303
    path = f"/en/account/keys/{second.keyid}/end"
    page = Read((await artist.http.get(path, headers=HTML)).text)
    assert "signed in with this very key" not in page.text
    ending = await artist.form(path)
    assert msgspec.json.decode(from_base64(ending["payload"][0]), type=KeyRevoke).keyid == second.keyid
    own = Read((await artist.http.get(f"/en/account/keys/{artist.key.keyid}/end", headers=HTML)).text)
    assert "signed in with this very key" in own.text
    browser = await make.signed_in(site, second)
    assert (await artist.sends("/en/account/keys", signed(site, ending, artist.key))).status_code == 303
    assert (await browser.get("/v1/me")).status_code == 401
    assert (await artist.http.get(path, headers=HTML)).status_code == 409  # ended already
    # A statement that would end the last one is signed in vain.
    account = {"form": (await artist.form("/en/account/keys"))["form"], "kind": ["key-revoke"]}
    me = (await artist.http.get("/v1/me")).json()
    payload = msgspec.json.decode(from_base64(ending["payload"][0]), type=KeyRevoke)
    payload = msgspec.structs.replace(payload, keyid=artist.key.keyid, prev=me["genesis"])
    lost = {**account, "payload": [to_base64(msgspec.json.encode(payload))]}
    refused = await artist.sends("/en/account/keys", signed(site, lost, artist.key))
    assert (refused.status_code, "your last key" in refused.text) == (409, True)


async def test_keys_ask_for_a_passkey_that_was_just_used(site: Running) -> None:
    artist, second = await joined(site, "Mei"), make.passkey(site)
    _, form = await adding(site, artist, second)
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "update sessions set stepped_up_at = now() - interval '6 minutes' where account = $1",
            identifiers.to_uuid(artist.id, "art"),
        )
    html, _ = await adding(site, artist, second)
    assert 'data-fresh="0"' in html  # so the page's script asks for one first
    refused = await artist.sends("/en/account/keys", signed(site, form, second, artist.key))
    assert (refused.status_code, "passkey once more" in refused.text) == (403, True)
    assert (await make.stepped_up(site, artist.key, artist.http)).status_code == 201
    assert (await artist.sends("/en/account/keys", signed(site, form, second, artist.key))).status_code == 303


async def test_what_is_no_statement_of_ones_own_is_not_shown(site: Running) -> None:
    artist, other = await joined(site, "Mei"), await joined(site, "Eve")
    token = (await artist.form("/en/account/keys"))["form"][0]
    drafted = (await make.made(site, make.passkey(site), "Eve", http=other.http)).json()
    for payload in (drafted["payload"], "", "x", to_base64(b"{}")):
        refused = await artist.sends("/en/account/keys/new", {"form": token, "payload": payload})
        assert refused.status_code == 400, payload
    for kind in ("consent", ""):
        refused = await artist.sends("/en/account/keys", {"form": token, "kind": kind, "payload": "x"})
        assert refused.status_code == 400, kind
    assert (await artist.http.get(f"/en/account/keys/{other.key.keyid}/end", headers=HTML)).status_code == 404


async def test_who_signs_out_leaves_no_pictures_in_the_browser(site: Running) -> None:
    artist = await joined(site, "Mei")
    token = (await artist.form("/en/account"))["form"][0]
    left = await artist.sends("/en/sign-out", {"form": token})
    assert (left.status_code, left.headers["clear-site-data"]) == (303, '"storage"')
