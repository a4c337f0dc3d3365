"""Somebody joins a team by a link: it asks and nothing more, once, until it ends; a root key lets them in."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from licet import identifiers
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.wire.accounts import InvitationAnswer, InvitationCreated, InvitationSeen
from registry.accounts.members import MOST_WAITING
from tests.registry import keymaking as make
from tests.registry.harness import Account, Running

pytestmark = pytest.mark.anyio


async def invited(site: Running, team: Account, **wanted: Any) -> tuple[str, str]:
    """Return the id of a new invitation of ``team``, and the secret of its link."""
    answer = await site.post("/v1/invitations", wanted, http=team.http)
    assert answer.status_code == 201, answer.text
    made = msgspec.json.decode(answer.content, type=InvitationCreated)
    return made.invitation.invitation, made.link.partition("#")[2]


def request_of(site: Running, team: Account, key: SigningKey, key_class: str = "root", **changes: Any) -> Envelope:
    return make.signed(site, make.registration(site, team, key, key_class, **{"prev": team.genesis, **changes}), key)


async def asks(site: Running, secret: str, envelope: Envelope) -> httpx.Response:
    return await site.post("/v1/invitations/ask", InvitationAnswer(secret, envelope))


async def seen(site: Running, secret: str) -> InvitationSeen:
    answer = await site.post("/v1/invitations/open", {"secret": secret})
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=InvitationSeen)


async def state(team: Account, invitation: str) -> str:
    found = (await team.http.get("/v1/invitations")).json()["items"]
    (own,) = [each for each in found if each["invitation"] == invitation]
    return str(own["state"])


@pytest.mark.parametrize("key_class", ["root", "delegate"])
async def test_whoever_is_invited_asks_once_and_signs_once_the_team_has_signed(site: Running, key_class: str) -> None:
    team, key = await site.account("organisation", "Wick"), SigningKey.generate()
    invitation, secret = await invited(site, team, key_class=key_class, note="  Jo  ")
    found = await seen(site, secret)
    assert (found.team, found.account, found.genesis) == ("Wick", team.id, team.genesis)
    assert (found.state, found.key_class, found.keyid) == ("open", key_class, None)
    asked = request_of(site, team, key, key_class)
    assert (await asks(site, secret, asked)).status_code == 201
    assert [each["keyid"] for each in (await team.http.get("/v1/keys")).json()["items"]] == [team.key.keyid]
    listed = (await team.http.get("/v1/invitations?state=asked")).json()["items"]
    assert [(each["invitation"], each["note"], each["keyid"]) for each in listed] == [(invitation, "Jo", key.keyid)]
    assert secret not in msgspec.json.encode(listed).decode()
    whole = envelopes.countersign(msgspec.convert(listed[0]["envelope"], type=Envelope), team.key)
    assert make.kept(await make.post(site, team, "/v1/keys", whole)).keyid == key.keyid
    assert (await seen(site, secret)).state == await state(team, invitation) == "joined"
    for late in (asked, request_of(site, team, SigningKey.generate(), key_class)):
        assert (await asks(site, secret, late)).status_code in (403, 409)
    kept = await team.http.delete(f"/v1/invitations/{invitation}")
    assert (kept.status_code, "end that key instead" in kept.text) == (409, True)
    told = [each["kind"] for each in (await team.http.get("/v1/events")).json()["items"]]
    assert told == ["key-added", "member-asked", "member-invited"]


async def test_a_link_is_used_by_one_key_which_may_ask_again(site: Running) -> None:
    team, key = await site.account("organisation"), SigningKey.generate()
    _, secret = await invited(site, team)
    await make.add(site, team, SigningKey.generate())
    old = request_of(site, team, key, prev=team.genesis)  # not the last statement any more
    assert (await asks(site, secret, old)).status_code == 409
    assert (await seen(site, secret)).state == "open"
    prev = await make.head(team)
    assert (await asks(site, secret, request_of(site, team, key, prev=prev))).status_code == 201
    assert (await seen(site, secret)).stale is False
    thief = await asks(site, secret, request_of(site, team, SigningKey.generate(), prev=prev))
    assert (thief.status_code, "used by another key" in thief.text) == (403, True)
    await make.add(site, team, SigningKey.generate())
    assert (await seen(site, secret)).stale is True
    assert (await asks(site, secret, request_of(site, team, key, prev=await make.head(team)))).status_code == 201
    assert (await seen(site, secret)).stale is False


async def test_of_many_at_once_one_key_asks(site: Running) -> None:
    team = await site.account("organisation")
    _, secret = await invited(site, team)
    requests = [request_of(site, team, SigningKey.generate()) for _ in range(5)]
    answers = await asyncio.gather(*(asks(site, secret, each) for each in requests))
    assert sorted(each.status_code for each in answers) == [201, 403, 403, 403, 403]


async def test_what_has_ended_or_was_taken_back_says_so(site: Running) -> None:
    team, key = await site.account("organisation"), SigningKey.generate()
    old, secret = await invited(site, team)
    async with site.services.database.acquire() as conn:
        number = identifiers.to_uuid(old)
        await conn.execute("update member_invitations set expires_at = now() where id = $1", number)
    assert (await seen(site, secret)).state == "expired"
    refused = await asks(site, secret, request_of(site, team, key))
    assert (refused.status_code, "has run out" in refused.text) == (403, True)
    back, secret = await invited(site, team)
    assert (await asks(site, secret, request_of(site, team, key))).status_code == 201
    for _ in range(2):  # again is no error
        answer = await team.http.delete(f"/v1/invitations/{back}")
        assert (answer.json()["state"], answer.json()["keyid"], answer.json()["envelope"]) == ("withdrawn", None, None)
    refused = await asks(site, secret, request_of(site, team, key))
    assert (refused.status_code, "was taken back" in refused.text) == (403, True)
    for wrong in ("", "x" * 43, secret + "x", "\u0000", "允"):
        assert (await site.post("/v1/invitations/open", {"secret": wrong})).status_code == 404, wrong


async def test_who_asks_must_hold_the_key_and_ask_this_team_for_what_it_offers(site: Running) -> None:
    team, other, key = await site.account("organisation"), await site.account("organisation"), SigningKey.generate()
    _, secret = await invited(site, team)
    own = make.registration(site, team, key, prev=team.genesis)
    for wrong in (
        make.signed(site, own, SigningKey.generate()),
        make.signed(site, own, key, SigningKey.generate()),
        request_of(site, other, key),
        request_of(site, team, key, "delegate"),
        request_of(site, team, key, "recovered"),
        request_of(site, team, key, prev=msgspec.UNSET),  # whoever asks leaves no gap in the team's history
        make.signed(site, make.revocation(site, team, team.key.keyid), key),
    ):
        assert (await asks(site, secret, wrong)).status_code == 400
    assert (await asks(site, secret, request_of(site, team, team.key))).status_code == 409
    assert (await seen(site, secret)).state == "open"


async def test_whom_a_team_invites_is_its_own_affair(site: Running) -> None:
    team, rival, ada = await site.account("organisation"), await site.account("organisation"), await site.account()
    invitation, secret = await invited(site, team, note="Jo")
    assert (await site.post("/v1/invitations", {}, http=ada.http)).status_code == 403
    assert (await rival.http.get("/v1/invitations")).json()["items"] == []
    assert (await rival.http.delete(f"/v1/invitations/{invitation}")).status_code == 404
    async with site.services.database.acquire() as conn:
        assert secret.encode() not in await conn.fetchval(
            "select digest || request from member_invitations where id = $1", identifiers.to_uuid(invitation)
        )
    for wrong, field in (
        ({"expires_in_days": 0}, "/expires_in_days"),
        ({"expires_in_days": 31}, "/expires_in_days"),
        ({"note": "x" * 101}, "/note"),
        *(({"note": f"a{each}b"}, "/note") for each in "\n\x00\u2028\u202e\u2067"),
        ({"key_class": "recovered"}, "/key_class"),
    ):
        answer = await site.post("/v1/invitations", wrong, http=team.http)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, field)
    for _ in range(MOST_WAITING - 2):
        await invited(site, team)
    for _ in range(2):  # the last one of all, whose answer was lost
        last = await site.post("/v1/invitations", {}, http=team.http, **{"Idempotency-Key": '"last"'})
        assert last.status_code == 201, last.text
    assert (await site.post("/v1/invitations", {}, http=team.http)).status_code == 409
    assert (await team.http.delete(f"/v1/invitations/{invitation}")).status_code == 200
    await invited(site, team)


async def test_a_request_that_comes_again_gives_the_same_invitation_another_secret(site: Running) -> None:
    team, key = await site.account("organisation"), SigningKey.generate()
    again = {"Idempotency-Key": '"lost"'}
    first = (await site.post("/v1/invitations", {}, http=team.http, **again)).json()
    second = (await site.post("/v1/invitations", {}, http=team.http, **again)).json()
    assert first["invitation"]["invitation"] == second["invitation"]["invitation"]
    lost = await site.post("/v1/invitations/open", {"secret": first["link"].partition("#")[2]})
    assert lost.status_code == 404
    secret = second["link"].partition("#")[2]
    assert (await asks(site, secret, request_of(site, team, key))).status_code == 201
    used = await site.post("/v1/invitations", {}, http=team.http, **again)
    assert (used.status_code, "was used for another invitation" in used.text) == (422, True)


async def test_an_invitation_that_ran_out_and_comes_again_lasts_as_long_as_a_new_one(site: Running) -> None:
    team, again = await site.account("organisation"), {"Idempotency-Key": '"late"'}
    first = (await site.post("/v1/invitations", {"expires_in_days": 1}, http=team.http, **again)).json()["invitation"]
    async with site.services.database.acquire() as conn:
        number = identifiers.to_uuid(first["invitation"])
        await conn.execute("update member_invitations set expires_at = now() where id = $1", number)
    second = (await site.post("/v1/invitations", {"expires_in_days": 2}, http=team.http, **again)).json()
    assert second["invitation"]["invitation"] == first["invitation"]
    assert second["invitation"]["expires_at"] > first["expires_at"]
    assert (await seen(site, second["link"].partition("#")[2])).state == "open"


async def test_a_session_invites_by_a_passkey_that_was_just_used_and_may_do_everything(site: Running) -> None:
    team = await site.account("organisation")
    await make.add(site, team, own := make.passkey(site))
    browser = await make.signed_in(site, own)
    assert (await site.post("/v1/invitations", {}, http=browser, **make.SAME_ORIGIN)).status_code == 201
    async with site.services.database.acquire() as conn:
        number = identifiers.to_uuid(team.id)
        old = "update sessions set stepped_up_at = now() - interval '6 minutes' where account = $1"
        await conn.execute(old, number)
        stale = await site.post("/v1/invitations", {}, http=browser, **make.SAME_ORIGIN)
        assert (stale.status_code, stale.json()["type"].endswith("/step-up-required")) == (403, True)
        await conn.execute("update sessions set stepped_up_at = now() where account = $1", number)
        await conn.execute("update account_keys set class = 'recovered' where keyid = $1", own.keyid)
    refused = await site.post("/v1/invitations", {}, http=browser, **make.SAME_ORIGIN)
    assert (refused.status_code, "recovered in the last 7 days" in refused.text) == (403, True)
