"""A team's people at the portal: a link is made, taken back, opened, and whoever asked by it let in by a passkey."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from licet.canonical import from_base64
from licet.statements import kinds
from licet.statements.webauthn import from_base64url
from licet.wire.accounts import InvitationAnswer, PasskeyDrafted
from registry.portal.frame.languages import LANGUAGES, Language
from registry.portal.organisations import members as pages
from registry.portal.organisations.room import ROOM
from tests.registry import keymaking as make
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, Read, fields_of
from tests.registry.portal.team import Team, asked_by_somebody, teamed
from tests.registry.portal.test_keys import signed
from tests.registry.portal.whole import held_whole
from tests.sdk.statements.passkey import Authenticator

pytestmark = pytest.mark.anyio

MEMBERS = "/organisation/members"


async def sends(team: Team, path: str, language: str = "en", **fields: str) -> httpx.Response:
    page = await team.browser.get(f"/{language}{MEMBERS}", headers=HTML)
    body = {"form": fields_of(page.text)["form"][0], **fields}
    return await team.browser.post(f"/{language}{MEMBERS}{path}", data=body, headers={**HTML, **make.SAME_ORIGIN})


async def invites(team: Team, language: str = "en", **fields: str) -> str:
    """Make an invitation and return the secret of the link on the page after it."""
    shown = await sends(team, "/invite", language, **{"class": "root", "days": "7", "note": "", **fields})
    assert shown.status_code == 200, shown.text
    (link,) = [each for each in Read(shown.text).text.split() if "/join-team#" in each]
    assert f"/{language}/join-team#" in link
    return link.partition("#")[2]


async def asks(site: Running, secret: str, key: Authenticator) -> httpx.Response:
    """Make a passkey by the link and ask with it, as the page's script does."""
    asked = await site.post("/en/join-team/options", {"secret": secret})
    if asked.status_code != 200:
        return asked
    challenge = from_base64url(asked.json()["publicKey"]["challenge"], "challenge")
    created: dict[str, Any] = key.create(challenge, site.services.settings.site.origins[0])
    return await sends_draft(site, secret, key, await site.post("/en/join-team/draft", {"secret": secret, **created}))


async def sends_draft(site: Running, secret: str, key: Authenticator, answer: httpx.Response) -> httpx.Response:
    if answer.status_code != 200:
        return answer
    said = answer.json()
    drafted = msgspec.convert(said.get("draft", said), type=PasskeyDrafted)
    payload = msgspec.json.decode(from_base64(drafted.payload), type=kinds.KeyRegister)
    return await site.post("/v1/invitations/ask", InvitationAnswer(secret, make.signed(site, payload, key)))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_person_joins_by_a_link_and_signs_in(site: Running, language: Language) -> None:
    team, jo, w = await teamed(site, "Wick"), make.passkey(site, "Jo"), ROOM.speaks(language)
    secret = await invites(team, language, note="Jo & <Lin>")
    page = await held_whole(team.browser, f"/{language}{MEMBERS}", language)
    assert "Jo & <Lin>" in page.text
    assert w("state_inv_open") in page.text
    assert (await asks(site, secret, jo)).status_code == 201
    page = await held_whole(team.browser, f"/{language}{MEMBERS}", language)
    assert w("state_inv_asked") in page.text
    (see,) = [each for each in page.links() if f"{MEMBERS}/ivt_" in each]
    home = f"/{language}/organisation"
    assert f"{home}/members#invited" in (await held_whole(team.browser, home, language)).links()
    shown = await held_whole(team.browser, see, language)
    assert jo.keyid[:16] in shown.text
    assert w("sign_member_text") in shown.text
    options = (await site.http.post("/v1/sessions/options")).json()["publicKey"]
    early = await site.post("/v1/sessions", make.answered(site, jo, options["challenge"]))
    assert early.status_code == 403  # nothing follows from the request alone
    assert (await signed(site, team, (await team.browser.get(see, headers=HTML)).text)).status_code == 201
    browser = await make.signed_in(site, jo)
    page = await held_whole(browser, f"/{language}{MEMBERS}", language)
    assert "Jo & <Lin>" in page.text  # among the members now
    assert not [each for each in page.links() if f"{MEMBERS}/ivt_" in each]
    assert (await team.browser.get(see, headers=HTML)).status_code == 404
    assert f"{home}/members#invited" not in (await held_whole(team.browser, home, language)).links()
    used = await asks(site, secret, make.passkey(site, "late"))
    assert (used.status_code, "was let in" in used.text) == (403, True)


async def test_what_was_taken_back_or_is_anothers_lets_nobody_in(site: Running) -> None:
    team, rival = await teamed(site, "Tallow"), await teamed(site, "Rival")
    secret, jo = await invites(team), make.passkey(site, "Jo")
    assert (await asks(site, secret, jo)).status_code == 201
    links = Read((await team.browser.get(f"/en{MEMBERS}", headers=HTML)).text).links()
    (see,) = [each for each in links if f"{MEMBERS}/ivt_" in each]
    assert (await rival.browser.get(see, headers=HTML)).status_code == 404
    number = see.rpartition("/")[2]
    assert (await sends(rival, "/withdraw", invitation=number)).status_code == 404
    assert (await sends(team, "/withdraw", invitation=number)).status_code == 303
    assert (await team.browser.get(see, headers=HTML)).status_code == 404
    again = await site.post("/en/join-team/again", {"secret": secret})
    assert (again.status_code, "was taken back" in again.text) == (403, True)
    assert number not in (await team.browser.get(f"/en{MEMBERS}", headers=HTML)).text


async def test_whose_request_does_not_fit_any_more_asks_again_with_the_same_passkey(site: Running) -> None:
    team, jo = await teamed(site, "Taper"), make.passkey(site, "Jo")
    secret = await invites(team)
    assert (await site.post("/en/join-team/again", {"secret": secret})).status_code == 403  # nobody has asked
    assert (await asks(site, secret, jo)).status_code == 201
    await make.add(site, team.lab.account, other := make.passkey(site, "other"))
    links = Read((await team.browser.get(f"/en{MEMBERS}", headers=HTML)).text).links()
    (see,) = [each for each in links if f"{MEMBERS}/ivt_" in each]
    stale = await team.browser.get(see, headers=HTML)
    assert (stale.status_code, "They open the same link" in stale.text) == (409, True)
    again = await site.post("/en/join-team/again", {"secret": secret})
    assert (await sends_draft(site, secret, jo, again)).status_code == 201
    shown = await team.browser.get(see, headers=HTML)
    assert (await signed(site, team, shown.text, other)).status_code == 201
    await make.signed_in(site, jo)


async def test_a_programs_link_makes_no_passkey(site: Running) -> None:
    team = await teamed(site, "Ember")
    secret = await invites(team, **{"class": "delegate"})
    refused = await asks(site, secret, make.passkey(site, "Jo"))
    assert (refused.status_code, "licet account join" in refused.text) == (403, True)


@pytest.mark.parametrize(
    "wrong", [{"days": "8"}, {"days": ""}, {"class": "recovered"}, {"class": ""}, {"note": "x" * 101}]
)
async def test_an_invitation_that_cannot_be_is_said_so_and_nothing_is_lost(
    site: Running, wrong: dict[str, str]
) -> None:
    team = await teamed(site, "Snuff")
    shown = await sends(team, "/invite", **{"class": "root", "days": "30", "note": "Jo", **wrong})
    assert shown.status_code == 400
    page = Read(shown.text)
    assert "Choose who joins" in page.text
    assert ("note", wrong.get("note", "Jo")) in page.fields
    assert "/join-team#" not in shown.text


async def test_whom_to_invite_asks_for_a_passkey_that_was_just_used(site: Running) -> None:
    team = await teamed(site, "Flint")
    async with site.services.database.acquire() as conn:
        await conn.execute("update sessions set stepped_up_at = now() - interval '6 minutes'")
    for path in ("/invite", "/withdraw"):
        assert (await sends(team, path, days="7", **{"class": "root"})).status_code == 403


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_of_a_link_says_all_that_may_come_of_it_and_what_to_do_without_scripts(
    site: Running, language: str
) -> None:
    page = await held_whole(site.http, f"/{language}/join-team", language)
    shown = {state for _, each in page.elements for state in each.get("data-is", "").split()}
    assert shown == {"open", "program", "asked", "stale", "joined", "expired", "withdrawn", "unknown", "offline"}
    assert ("JavaScript" in page.text) is True


async def test_who_asks_is_found_behind_however_many_invitations_that_are_over(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "A_PAGE", 2)
    team, w = await teamed(site, "Wax"), ROOM.speaks("en")
    invitation = await asked_by_somebody(site, team)
    for _ in range(3):
        made = (await site.post("/v1/invitations", {}, http=team.lab.http)).json()["invitation"]
        assert (await team.lab.http.delete(f"/v1/invitations/{made['invitation']}")).status_code == 200
    page = await held_whole(team.browser, f"/en{MEMBERS}", "en")
    assert f"/en{MEMBERS}/{invitation}" in page.links()
    assert w("state_inv_asked") in page.text
