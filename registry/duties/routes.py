"""HTTP of duties: revoking a licence, what is owed since, and what was done."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.common import Page
from licet.wire.duties import DutyAccepted, DutyInfo, DutyShown, DutyState, DutySubmit, Revocable
from registry.accounts.identity import Caller, require
from registry.duties import doing, revoking, shown
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services

_OWNS: Final = require("register", kinds=("art", "org"))
_OWES: Final = require("usage", kinds=("org",))
_SEES: Final = require("license", "register", "usage", "audit")
_BODY: Final = 8 << 20
InState = Annotated[DutyState | None, QueryParameter(name="state")]
OfLicence = Annotated[
    str | None,
    QueryParameter(name="licence", pattern=r"^lic_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="The licence revoked."),
]


@get("/v1/licences/{licence:str}/revocation", operation_id="getRevocation", tags=["duties"], guards=[_OWNS])
async def get_revocation(
    services: NamedDependency[Services], caller: NamedDependency[Caller], licence: FromPath[str]
) -> Revocable:
    """What of a licence one can revoke, with which notice and effect, at every claim level."""
    return await revoking.revocable(services, caller, _licence(licence))


@post(
    "/v1/licences/{licence:str}/revocation",
    operation_id="revokeLicence",
    tags=["duties"],
    guards=[_OWNS],
    request_max_body_size=_BODY,
)
async def revoke_licence(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    licence: FromPath[str],
    data: JSONBody[DutySubmit],
) -> DutyAccepted:
    """Revoke a licence for works of one's own, by a signed ``licence-revoke``, where its terms allow that.

    The notice begins with the log entry. Until it is over the licence covers what it covered.
    """
    return await revoking.revoke(services, caller, _licence(licence), data.envelope)


@get("/v1/duties", operation_id="listDuties", tags=["duties"], guards=[_SEES])
async def list_duties(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    in_state: InState = None,
    of_licence: OfLicence = None,
    sort: FromQuery[Literal["-revoked", "revoked"]] = "-revoked",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[DutyInfo]]:
    """The duties that one owes, caused by revoking a licence, or audits."""
    asked = Asked.of(request, sort, limit, cursor)
    licence = None if of_licence is None else identifiers.to_uuid(of_licence, "lic", field="?licence")
    return linked(request, await shown.listed(services, caller, asked, in_state, licence))


@get("/v1/duties/{duty:str}", operation_id="getDuty", tags=["duties"], guards=[_SEES])
async def get_duty(
    services: NamedDependency[Services], caller: NamedDependency[Caller], duty: FromPath[str]
) -> DutyShown:
    """One duty with its works and the documents of both sides, each with all that proves it."""
    return await shown.shown(services, caller, _duty(duty))


@post("/v1/duties/{duty:str}/done", operation_id="reportDutyDone", tags=["duties"], guards=[_OWES])
async def report_done(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    duty: FromPath[str],
    data: JSONBody[DutySubmit],
) -> DutyAccepted:
    """State, by a signed ``duty-done``, what was done and when."""
    return await doing.report(services, caller, _duty(duty), data.envelope)


def _licence(text: str) -> UUID:
    return identifiers.to_uuid(text, "lic", field="path:licence")


def _duty(text: str) -> UUID:
    return identifiers.to_uuid(text, "dut", field="path:duty")


ROUTES: Final = [get_revocation, revoke_licence, list_duties, get_duty, report_done]
