"""Taking everything along, and leaving: what goes, what stays and why is shown first, and the account's name typed."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import RawBody

from licet.statements.keyring import RECOVERED_FOR
from licet.wire.erasure import ErasureRequest
from registry.accounts import queries as account_queries
from registry.accounts.identity import Caller
from registry.accounts.passkey_routes import session_cookie
from registry.accounts.stepping import hold_for_good
from registry.erasure import service
from registry.portal.artists.room import OWNERS, ROOM
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led, left
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.taking import takes_form
from registry.services import Services

_BODY: Final = 1 << 14


@get(everywhere("/account/leave"), include_in_schema=False, media_type=HTML, guards=[OWNERS])
async def leave_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """Everything to download, and what the end of the account would take and leave."""
    return await _page(request, services, caller)


@takes_form("/account/leave", OWNERS, most=_BODY, seconds=600)
async def leave(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """Erase the account once its name was typed; with any other name nothing happens, and the page comes again."""
    form = forms.read(request, body)
    if _plain(form.get("name")) != _plain(caller.name):
        return await _page(request, services, caller, wrong=form.get("name")[:200], denies=form.get("deny") != "no")
    await hold_for_good(services, caller, "erase")
    await service.erase(services, caller, ErasureRequest(confirm=caller.id, deny=form.get("deny") != "no"))
    return left(led(f"/{language_of(request)}", "erased", cookies=[session_cookie(None)]))


async def _page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    *,
    wrong: str | None = None,
    denies: bool = True,
) -> Response[bytes]:
    found = await service.erase(services, caller, ErasureRequest(dry_run=True))
    async with services.database.acquire() as conn:
        recovering = await conn.fetchval(account_queries.RECOVERING, caller.account, RECOVERED_FOR)
    return ROOM.page(
        request,
        "leave",
        status=200 if wrong is None else 400,
        here="account",
        found=found,
        kept=sorted(Counter(each.why for each in found.restricted).items()),
        until=found.restricted[0].ends_at if found.restricted else None,
        some=len(found.restricted) < found.kept,
        wrong=wrong,
        denies=denies,
        name=caller.name,
        fresh=signing.fresh_for(caller),
        recovering=recovering,
    )


def _plain(name: str) -> str:
    """Return a name as it is compared with what somebody typed: keyboards write one letter in more than one way."""
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()


ROUTES: Final = [leave_page, leave]
