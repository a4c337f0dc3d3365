"""In and out (semantics 1 to 3): accounts opened with a passkey, sessions seen and ended, a way back."""

from __future__ import annotations

import re

import msgspec
import pytest

from tests.registry import keymaking as make
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, Read, cookie, joined, joining

pytestmark = pytest.mark.anyio


async def test_an_account_opens_with_a_session_and_no_token(site: Running) -> None:
    mei = await joined(site, "Mei")
    me = (await mei.http.get("/v1/me")).json()
    assert (me["account"], me["name"], me["kind"]) == (mei.id, "Mei", "artist")
    assert (await mei.http.get("/v1/tokens")).json()["items"] == []
    assert (await mei.http.get("/en/join", headers=HTML)).headers["location"] == "/en/home"


async def test_what_opened_an_account_opens_nothing_again(site: Running) -> None:
    key = make.passkey(site)
    body = await joining(site, key, "Mei")
    assert (await site.post("/en/join", body)).status_code == 201
    # The genesis is public from then on: whoever has it gets neither a session nor a first token with it.
    again = await site.post("/en/join", body)
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "conflict")
    assert "set-cookie" not in again.headers
    assert (await site.post("/v1/accounts", body)).status_code == 409


async def test_only_a_passkey_joins_at_the_portal(site: Running) -> None:
    from licet.statements.keys import SigningKey
    from tests.registry.harness import genesis

    envelope = genesis(site.services.keys.ref, SigningKey.generate())
    refused = await site.post("/en/join", {"name": "Mei", "envelope": msgspec.to_builtins(envelope)})
    assert (refused.status_code, "a passkey" in refused.text) == (400, True)


async def test_sessions_are_listed_and_ended_by_their_own_account(site: Running) -> None:
    mei, eve = await joined(site, "Mei"), await joined(site, "Eve")
    phone = await make.signed_in(site, mei.key)
    page = await mei.form("/en/account")
    (session,) = page["session"]
    theirs = await eve.form("/en/account")
    for number in (session, "nonsense"):
        refused = await eve.sends("/en/account/sessions/end", {"form": theirs["form"], "session": number})
        assert refused.status_code == 404
    assert (await phone.get("/v1/me")).status_code == 200
    ended = await mei.sends("/en/account/sessions/end", {"form": page["form"], "session": session})
    assert (ended.status_code, cookie(ended, "__Host-note")) == (303, "session_ended")
    assert (await phone.get("/v1/me")).status_code == 401
    assert "session" not in await mei.form("/en/account")


async def test_signing_out_ends_the_session_everywhere(site: Running) -> None:
    mei = await joined(site, "Mei")
    form = await mei.form("/zh/account")
    out = await mei.sends("/zh/sign-out", {"form": form["form"]})
    assert (out.status_code, out.headers["location"], cookie(out, "__Host-sid")) == (303, "/zh", "")
    assert (await mei.http.get("/v1/me")).status_code == 401
    assert (await mei.sends("/zh/sign-out", {"form": form["form"]})).status_code == 303  # there is none: as wanted


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/116.0 Mobile MicroMessenger/8.0",
            True,
        ),
        ("Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile QQ/9.0.1", True),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", False),
    ],
)
async def test_browsers_inside_other_apps_are_told_plainly(site: Running, agent: str, told: bool) -> None:
    for path in ("/zh/join", "/zh/sign-in", "/zh/recover"):
        answer = await site.http.get(path, headers={**HTML, "User-Agent": agent})
        assert ("在浏览器打开" in Read(answer.text).text) is told


async def test_codes_are_drafted_for_a_session_alone_and_never_come_here(site: Running) -> None:
    mei = await joined(site, "Mei")
    digests = [f"{n:064x}" for n in range(10)]
    drafted = await site.post("/en/account/codes", {"digests": digests}, http=mei.http, **make.SAME_ORIGIN)
    assert drafted.status_code == 200
    assert re.fullmatch(r"[\w-]{43}", drafted.json()["challenge"])
    assert (await site.post("/en/account/codes", {"digests": digests})).status_code == 401
