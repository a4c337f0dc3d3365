"""Keys at a team's pages: what asks to be let in is shown and proven before a passkey signs, and nothing else is."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import httpx
import pytest

from licet.canonical import from_base64, to_base64
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope, pae
from licet.statements.keys import SigningKey
from licet.statements.webauthn import from_base64url, to_base64url
from registry.portal.frame.languages import LANGUAGES
from tests.registry import keymaking as make
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, Read, fields_of
from tests.registry.portal.team import Team, teamed
from tests.registry.portal.whole import held_whole
from tests.sdk.statements.passkey import Authenticator

pytestmark = pytest.mark.anyio

#: Opened with a key that is the team's own; strangers find no such key.
SIGNED = ("/organisation/keys/{key}/end",)
ADD, LOOK, DELEGATE = (f"/en/organisation/keys/{each}" for each in ("add", "look", "delegate"))


def link(envelope: Envelope) -> str:
    return f"https://elsewhere.example{ADD}#{to_base64url(envelopes.encode(envelope))}"


async def sends(team: Team, path: str, fields: dict[str, Any]) -> httpx.Response:
    own = fields_of((await team.browser.get(ADD, headers=HTML)).text)["form"]
    return await team.browser.post(path, data={"form": own, **fields}, headers={**HTML, **make.SAME_ORIGIN})


async def signed(site: Running, team: Team, page: str, *beside: Authenticator) -> httpx.Response:
    """Sign what the page shows with the team's passkey, and send it where the page does; ``beside`` may sign it too."""
    (form,) = [each for _, each in Read(page).elements if "data-statement" in each]
    envelope = json.loads(form["data-envelope"])
    body = from_base64(envelope["payload"])
    challenge = sha256(pae(envelope["payloadType"], body)).digest()
    assert from_base64url(form["data-challenge"], "challenge") == challenge  # it signs what is in the page
    assert [each[1] for each in json.loads(form["data-passkeys"])] == [each.keyid for each in (team.key, *beside)]
    where = site.services.settings.site
    signature, said = team.key.answer(challenge, origin=where.origins[0], rp_id=where.rp_id)
    webauthn = {"authenticatorData": said.authenticator_data, "clientDataJSON": said.client_data}
    envelope["signatures"].append({"keyid": team.key.keyid, "sig": to_base64(signature), "webauthn": webauthn})
    return await site.post(form["data-path"], {"envelope": envelope}, http=team.browser, **make.SAME_ORIGIN)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_delegate_key_is_let_in_told_what_it_may_sign_and_ended(site: Running, language: str) -> None:
    team = await teamed(site, "Wick")
    key = SigningKey.generate()
    head = await make.head(team.lab.account)
    asks = make.signed(site, make.registration(site, team.lab.account, key, "delegate", prev=head), key)
    shown = await sends(team, LOOK, {"request": link(asks)})
    assert shown.status_code == 200
    assert key.keyid[:16] in Read(shown.text).text
    assert "Only what you allow it next" in shown.text
    assert (await signed(site, team, shown.text)).status_code == 201
    page = await held_whole(team.browser, f"/{language}/organisation/keys", language)
    assert ("Nothing yet" if language == "en" else "还不能签") in page.text
    again = await sends(team, LOOK, {"request": link(asks)})
    assert (again.status_code, "is in already" in again.text) == (409, True)

    limits = {
        "key": key.keyid,
        "scope": ["run", "licence"],
        "amount": "12.5",
        "currency": "EUR",
        "works": "",
        "days": "30",
    }
    shown = await sends(team, DELEGATE, limits)
    assert "€12.50" in Read(shown.text).text
    assert (await signed(site, team, shown.text)).status_code == 201
    page = await held_whole(team.browser, f"/{language}/organisation/keys", language)
    assert ("Take licences" if language == "en" else "拿许可") in page.text
    assert "€12.50" in page.linked
    page = await held_whole(team.browser, f"/{language}/organisation/members", language)
    members = page.text
    assert f"/{language}/organisation/keys/{key.keyid}/end" in page.links()
    assert f"/{language}/organisation/keys/delegate?key={key.keyid}" in page.links()
    role = "May sign this and nothing else:Take licences" if language == "en" else "只能签这些，别的不行：拿许可"
    whole = "May do everything: sign for the team" if language == "en" else "什么都能做：不受限制"
    assert (members.count(role), members.count(whole)) == (1, 2)  # beside it a passkey, and a key file

    rival = await teamed(site, "Rival Wick")
    end = f"/{language}/organisation/keys/{key.keyid}/end"
    assert (await rival.browser.get(end, headers=HTML)).status_code == 404
    page = await held_whole(team.browser, end, language)
    ended = await team.browser.get(end, headers=HTML)
    assert (await signed(site, team, ended.text)).status_code == 201
    assert (await team.browser.get(end, headers=HTML)).status_code == 409
    assert key.keyid[:16] not in (await team.browser.get(f"/{language}/organisation/members", headers=HTML)).text


async def test_what_asks_wrongly_is_not_shown_to_be_signed(site: Running) -> None:
    team, rival = await teamed(site, "Candle"), await teamed(site, "Other candle")
    key, other = SigningKey.generate(), SigningKey.generate()
    own = make.registration(site, team.lab.account, key, prev=await make.head(team.lab.account))
    good = make.signed(site, own, key)
    for wrong in (
        "",
        "no link at all",
        link(good)[:-9],
        link(make.signed(site, own, other)),  # somebody else's key, that did not sign for itself
        link(make.signed(site, own, key, other)),
        link(make.signed(site, make.registration(site, rival.lab.account, key), key)),
        link(make.signed(site, make.registration(site, team.lab.account, key, "recovered"), key)),
        link(make.signed(site, make.revocation(site, team.lab.account, team.key.keyid), key)),
        link(make.signed(site, make.registration(site, team.lab.account, key), key)),  # behind no statement
    ):
        shown = await sends(team, LOOK, {"request": wrong})
        assert shown.status_code == 400, wrong
        assert "data-statement" not in shown.text
    late = make.registration(site, team.lab.account, key, prev="0" * 64)
    assert (await sends(team, LOOK, {"request": link(make.signed(site, late, key))})).status_code == 409
    assert (await sends(team, LOOK, {"request": link(good)})).status_code == 200


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scope": []}, "at least one thing"),
        ({"scope": ["key-register"]}, "at least one thing"),
        ({"works": "0"}, "1 or more"),
        ({"works": "many"}, "1 or more"),
        ({"amount": "much"}, "such as 100"),
        ({"currency": "XXX"}, "such as 100"),
        ({"days": "91"}, "in use, and for how long"),
        ({"key": "f" * 64}, None),
    ],
)
async def test_a_delegation_that_cannot_be_is_said_so(site: Running, changes: dict[str, Any], says: str | None) -> None:
    team = await teamed(site, "Tallow")
    key = SigningKey.generate()
    await make.add(site, team.lab.account, key, "delegate")
    limits = {"key": key.keyid, "scope": ["run"], "amount": "1", "currency": "USD", "works": "5", "days": "30"}
    shown = await sends(team, DELEGATE, {**limits, **changes})
    assert shown.status_code == (400 if says else 404)
    assert says is None or says in Read(shown.text).text
    assert "data-statement" not in shown.text


async def test_the_last_key_that_may_do_everything_stays(site: Running) -> None:
    team = await teamed(site, "Ember")
    first = team.lab.account.key.keyid
    ended = await team.browser.get(f"/en/organisation/keys/{first}/end", headers=HTML)
    assert (await signed(site, team, ended.text)).status_code == 201
    last = await team.browser.get(f"/en/organisation/keys/{team.key.keyid}/end", headers=HTML)
    assert last.status_code == 409
    assert (
        "Cannot be ended: no other may do everything"
        in (await team.browser.get("/en/organisation/keys", headers=HTML)).text
    )
