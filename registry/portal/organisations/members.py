"""Who acts for a team, and how others join it: invited by a link, or with a key that is made beside them."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from litestar.response import Redirect

from licet import identifiers, times
from licet.statements.keys import keyid_of
from licet.wire.accounts import InvitationCreate
from registry.accounts import delegations, members, profile
from registry.accounts.identity import Caller
from registry.accounts.stepping import fresh
from registry.errors import Conflict, Invalid, NotAllowed
from registry.http.paging import Asked
from registry.portal.frame import forms, signing
from registry.portal.frame.forms import Form
from registry.portal.frame.languages import OTHER, everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.taking import takes_form
from registry.portal.organisations.keys import to_sign
from registry.portal.organisations.room import A_PAGE, ROOM, TEAMS
from registry.services import Services

DAYS: Final = (1, 7, 30)
CLASSES: Final = ("root", "delegate")
#: What a team still has to do with an invitation, or may want to know of it; one that was used shows as its key.
_SHOWN: Final = ("asked", "open", "expired")
_BODY: Final = 1 << 14


@get(everywhere("/organisation/members"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def members_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """Who acts for the team: each key that is in use, what it may do in words, and who was invited."""
    return await _shown(request, services, caller)


@takes_form("/organisation/members/invite", TEAMS, fresh, most=_BODY)
async def invite(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[bytes]:
    """Make an invitation; its link is shown this once."""
    form = forms.read(request, body)
    days, key_class = form.get("days"), form.get("class")
    try:
        if days not in map(str, DAYS):
            raise Invalid.field("days", " or ".join(map(str, DAYS)), days)
        if key_class not in CLASSES:
            raise Invalid.field("class", " or ".join(CLASSES), key_class)
        wanted = InvitationCreate(key_class, int(days), form.get("note"))  # type: ignore[arg-type]
        made = await members.invite(services, caller, wanted, sha256(os.urandom(32)).digest(), language_of(request))
    except (Invalid, NotAllowed, Conflict) as error:
        wrong = {Invalid: "inv_wrong", NotAllowed: "inv_recovered", Conflict: "inv_many"}[type(error)]
        return await _shown(request, services, caller, form=form, wrong=wrong, status=error.status)
    return ROOM.page(
        request, "member_invited", here="tokens", link=made.link, invitation=made.invitation,
        other_url=f"/{OTHER[language_of(request)]}/organisation/members",
    )  # fmt: skip


@takes_form("/organisation/members/withdraw", TEAMS, fresh, most=_BODY)
async def withdraw(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Redirect:
    """Take an invitation back, whether or not somebody asks by it."""
    form = forms.read(request, body)
    number = identifiers.to_uuid(form.get("invitation"), "ivt", field="invitation")
    async with services.database.transaction() as conn:
        await members.withdraw(conn, caller.account, number)
    return led(f"/{language_of(request)}/organisation/members", "invitation_withdrawn")


@get(everywhere("/organisation/members/{invitation:str}"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def admit(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    invitation: FromPath[str],
) -> Response[bytes]:
    """Show whoever asks by an invitation, to be let in by a passkey; nothing is kept."""
    number = identifiers.to_uuid(invitation, "ivt", field="path:invitation")
    try:
        info, found = await members.asking(services, caller, number)
    except Conflict:
        return ROOM.page(request, "member_stale", status=409, here="tokens")
    keyid = keyid_of(found.payload.key)
    members_at = f"/{language_of(request)}/organisation"
    delegate = found.payload.key_class == "delegate"
    return to_sign(
        request, services, found, what="let_in", path="/v1/keys", keyid=keyid, invitation=info,
        to=f"{members_at}/keys/delegate?key={keyid}" if delegate else f"{members_at}/members",
    )  # fmt: skip


async def _shown(
    request: Request[Any, Any, Any], services: Services, caller: Caller, *, form: Form | None = None,
    wrong: str | None = None, status: int = 200,
) -> Response[bytes]:  # fmt: skip
    me = await profile.me(services, caller)
    async with services.database.acquire() as conn:
        given = await delegations.listed(conn, caller.account, Asked("", "-given", A_PAGE), None)
        # Each state by itself: what waits is found behind however many invitations that are over.
        known = {
            state: (await members.listed(conn, caller.account, Asked("", "-created", A_PAGE), state)).items
            for state in (*_SHOWN, "joined")
        }
    newest = {each.keyid: each for each in reversed(given.items)}
    live = [each for each in me.keys if each.revoked_from is None]
    return ROOM.page(
        request, "members", status=status, here="tokens", keys=live, wrong=wrong,
        roots=sum(each.key_class == "root" for each in live),
        delegations={key: each for key, each in newest.items() if times.from_text(each.valid_until) > times.now()},
        notes={each.keyid: each.note for each in known["joined"]},
        invitations=[each for state in _SHOWN for each in known[state]],
        days=DAYS, classes=CLASSES, form=form or Form([("days", "7"), ("class", "root")]),
        fresh=signing.fresh_for(caller),
    )  # fmt: skip


ROUTES: Final = [members_page, invite, withdraw, admit]
