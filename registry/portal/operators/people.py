"""Who looks after the registry and into its books: invited, invited again when a passkey is lost, and dismissed."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.response import Redirect

from licet import identifiers
from licet.errors import LicetError
from registry.accounts import operators, staff
from registry.accounts.identity import Caller
from registry.accounts.stepping import fresh
from registry.errors import Invalid, NotAllowed, NotFound
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.taking import takes_form
from registry.portal.operators.room import OPERATORS, ROOM
from registry.services import Services

_BODY: Final = 1 << 15


@get(everywhere("/operator/staff"), include_in_schema=False, media_type=HTML, guards=[OPERATORS])
async def staff_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """Auditors and operators, what opens their accounts, and the form that invites another."""
    return await _shown(request, services, caller)


@takes_form("/operator/staff/invite", OPERATORS, fresh, most=_BODY)
async def invite(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[bytes]:
    """Open an account for somebody, or invite who has one again; the link is shown this once."""
    form = forms.read(request, body)
    account, role = form.get("account"), form.get("role")
    try:
        if not account:
            account = await operators.enrol(
                services.database, role, name=form.get("name"), scopes=form.get("scope").split()
            )
        number = identifiers.to_uuid(account, *staff.KINDS, field="account")
        secret = await staff.invited(services.database, number)
    except (LicetError, Invalid, NotAllowed, NotFound) as error:
        return await _shown(request, services, caller, wrong=error, form=form, status=400)
    return ROOM.page(
        request, "invited", here="staff", account=account,
        link=staff.link(services, secret, language_of(request)), days=staff.LASTS.days,
    )  # fmt: skip


@takes_form("/operator/staff/dismiss", OPERATORS, fresh, most=_BODY)
async def dismiss(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Redirect:
    """End every way in of somebody; nobody dismisses themselves here, so that one operator is left."""
    form = forms.read(request, body)
    number = identifiers.to_uuid(form.get("account"), *staff.KINDS, field="account")
    if number == caller.account:
        raise Invalid.field("account", "somebody else's: another operator can dismiss you", caller.id)
    await staff.dismiss(services.database, number, by=caller.account)
    return led(f"/{language_of(request)}/operator/staff", "dismissed")


async def _shown(
    request: Request[Any, Any, Any], services: Services, caller: Caller, *, wrong: Exception | None = None,
    form: forms.Form | None = None, status: int = 200,
) -> Response[bytes]:  # fmt: skip
    async with services.database.acquire() as conn:
        people = await staff.listed(conn)
    why = "" if wrong is None else getattr(wrong, "detail", None) or getattr(wrong, "message", str(wrong))
    return ROOM.page(
        request, "staff", status=status, here="staff", people=people, wrong=why, fresh=signing.fresh_for(caller),
        form=form or forms.Form([("role", "auditor")]),
    )  # fmt: skip


ROUTES: Final = [staff_page, invite, dismiss]
