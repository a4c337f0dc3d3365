"""Taking a request back and declining an offer at a team's pages: shown whole, then signed or attested."""

from __future__ import annotations

import msgspec
import pytest

from licet.canonical import from_base64
from licet.statements import envelope as envelopes
from licet.statements.kinds import LicenceReply
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from registry.portal.frame.languages import LANGUAGES, Language
from registry.portal.organisations.room import ROOM
from tests.registry.agreements.talks import NEGOTIATED, ask, offer, shown
from tests.registry.catalogue import artist
from tests.registry.harness import Running
from tests.registry.market import shelf
from tests.registry.portal.people import HTML, Read, fields_of
from tests.registry.portal.selling import signed_by
from tests.registry.portal.team import teamed
from tests.registry.portal.test_taking import Offer, offered
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio


async def asked(site: Running, name: str) -> Offer:
    """Return what a team asked for, and nobody has answered."""
    team, works = await teamed(site, name), await shelf(site, NEGOTIATED, 2, owner=await artist(site, "Ines"))
    return Offer(team, works, await ask(team.lab, works))


async def form_of(found: Offer, message: str = "") -> dict[str, list[str]]:
    """Return the form of the page that ends what stands, filled in."""
    page = await found.team.browser.get(found.path, headers=HTML)
    said = "decline" if (await found.state()).state == "offered" else "withdraw"
    return {"form": fields_of(page.text)["form"], "reply": [said], "message": [message]}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(("reply", "state"), [("withdraw", "withdrawn"), ("decline", "declined")])
async def test_what_was_on_screen_is_signed_or_attested(
    site: Running, language: Language, reply: str, state: str, *, scripts: bool
) -> None:
    found = await (offered if reply == "decline" else asked)(site, "Changes its mind")
    found.language = language
    words = ROOM.speaks(language)
    before = await held_whole(found.team.browser, found.path, language)
    assert f"{found.path}/reply" in "".join(before.sent)
    page = await found.sends(f"{found.path}/reply", await form_of(found, "Too late.\r\nSorry."))
    assert page.status_code == 200, page.text
    read, form = Read(page.text), fields_of(page.text)
    body = from_base64(form["payload"][0])
    assert body.decode() in read.text  # the very bytes
    payload = msgspec.json.decode(body, type=LicenceReply)
    assert (payload.reply, payload.message) == (reply, "Too late.\nSorry.")
    assert words(f"oath_{reply}", team="Changes its mind", n=2, model=f"{found.asked.model}@1") in read.text
    assert (await found.state()).state == ("offered" if reply == "decline" else "open")  # nothing was kept
    if scripts:
        form = signed_by(site, found.team.key, form, "licence-reply")
    for _ in range(2):  # a form that comes twice has one effect
        done = await found.sends(f"{found.path}/replied", form)
        assert (done.status_code, done.headers["location"]) == (303, found.path), done.text
    seen = await shown(found.team.lab, found.asked)
    assert seen.request.state == state
    assert seen.reply is not None
    assert envelopes.read_as(LicenceReply, seen.reply.envelope) == payload
    (signature,) = seen.reply.envelope.signatures
    assert (signature.keyid == found.team.key.keyid) is scripts
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    assert verify_statement_file(seen.reply, trust).payload == payload  # also what the registry attests
    after = await held_whole(found.team.browser, found.path, language)
    assert words(f"replied_{reply}") in after.text
    assert "Too late. Sorry." in after.text
    assert (
        words(f"state_ask_{state}")
        in (await held_whole(found.team.browser, f"/{language}/organisation/requests", language)).text
    )
    assert (f"{found.path}/reply" in "".join(after.sent)) is (reply == "decline")  # then the request can be
    assert (words("answer_never") in after.text) is (reply == "withdraw")  # nobody can answer it any more


async def test_what_changed_meanwhile_is_shown_and_nothing_is_signed(site: Running) -> None:
    found, words = await asked(site, "Slow team"), ROOM.speaks("en")
    begun = fields_of((await found.sends(f"{found.path}/reply", await form_of(found))).text)
    sealed = signed_by(site, found.team.key, begun, "licence-reply")
    late = await form_of(found)
    await offer(found.shelf.owner, found.asked)
    for answer in (await found.sends(f"{found.path}/reply", late), await found.sends(f"{found.path}/replied", sealed)):
        assert (answer.status_code, words("reply_late") in Read(answer.text).text) == (409, True)
        assert f"{found.path}/offer" in answer.text  # how it stands now
    assert (await found.state()).state == "offered"
    wrong = await found.sends(f"{found.path}/reply", {**await form_of(found), "message": ["x" * 2001]})
    marked = [each["id"] for _, each in Read(wrong.text).elements if each.get("aria-invalid")]
    assert (wrong.status_code, marked, "x" * 2001 in wrong.text) == (400, ["message"], True)
    odd = await found.sends(f"{found.path}/reply", {**await form_of(found), "reply": ["accept"]})
    assert odd.status_code == 400


async def test_nobody_else_ends_what_a_team_asked(site: Running) -> None:
    found, stranger = await asked(site, "Asking on"), await teamed(site, "Stranger")
    form = await form_of(found)
    begun = fields_of((await found.sends(f"{found.path}/reply", form)).text)
    sealed = signed_by(site, found.team.key, begun, "licence-reply")
    own = fields_of((await stranger.browser.get("/en/organisation/requests/new", headers=HTML)).text)["form"]
    eve = Offer(stranger, found.shelf, found.asked)
    assert (await eve.sends(f"{found.path}/reply", form | {"form": own})).status_code == 404
    assert (await eve.sends(f"{found.path}/replied", sealed | {"form": own})).status_code == 404
    assert (await found.state()).state == "open"
