"""Where somebody joins a team by a link: the invitation's secret stands behind the ``#`` of the address.

What it opens and who asks by it is the API's (``/v1/invitations``), which the page's script calls; here is what a
browser needs to make a passkey for it, and to ask anew with one that was made.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import JSONBody

from licet.wire.accounts import InvitationSecret, PasskeyCreated, PasskeyDrafted, PasskeyOptions
from registry.accounts import members
from registry.portal.frame.ceremonies import embedded
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML
from registry.portal.frame.taking import takes_json
from registry.portal.public.entering import ROOM, Joining
from registry.services import Services

_BODY: Final = 1 << 16


class Again(msgspec.Struct, frozen=True):
    """What a passkey that has asked signs once more, and where the browser finds that passkey."""

    draft: PasskeyDrafted
    rp: str
    credential: str


@get(everywhere("/join-team"), include_in_schema=False, media_type=HTML, sync_to_thread=False)
def join_team_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Say into which team the link invites and what became of it, and let somebody ask with a passkey."""
    return ROOM.page(request, "join_team", here="join", embedded=embedded(request), url=services.settings.url)


@takes_json("/join-team/options", most=_BODY)
async def join_team_options(services: NamedDependency[Services], data: JSONBody[InvitationSecret]) -> PasskeyOptions:
    """What the browser needs to make the passkey; the invitation is not used up by it."""
    return PasskeyOptions(await members.options(services, data.secret))


@takes_json("/join-team/draft", most=_BODY)
async def join_team_draft(services: NamedDependency[Services], data: JSONBody[Joining]) -> PasskeyDrafted:
    """What the passkey that was just made has to sign to ask; nothing is kept."""
    made = PasskeyCreated(data.credential, data.attestation_object, data.client_data)
    return await members.drafted(services, data.secret, made)


@takes_json("/join-team/again", most=_BODY)
async def join_team_again(services: NamedDependency[Services], data: JSONBody[InvitationSecret]) -> Again:
    """What the passkey that has asked signs anew, where the team's keys have changed meanwhile."""
    found = await members.again(services, data.secret)
    return Again(found.draft, services.settings.site.rp_id, found.credential)


ROUTES: Final[list[Any]] = [join_team_page, join_team_options, join_team_draft, join_team_again]
