"""HTTP of findings: an auditor states one, and whom it concerns reads it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.auditing import FindingInfo, FindingLogged
from licet.wire.common import Page, StatementFile
from licet.wire.usage import StatementOnly
from registry.accounts.identity import Caller, require
from registry.auditing import findings
from registry.http.months import MONTH
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services

_STATES: Final = require("audit", kinds=("aud",))
_SEES: Final = require("audit")
_BODY: Final = 1 << 18
Concerns = Annotated[
    str | None,
    QueryParameter(pattern=r"^(org|art)_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="Only those about this account."),
]
OfMonth = Annotated[
    str | None,
    QueryParameter(name="period", pattern=rf"^{MONTH}$", description="A month, such as 2026-11."),
]


@post("/v1/audit/findings", operation_id="stateFinding", tags=["audit"], guards=[_STATES], request_max_body_size=_BODY)
async def state_finding(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[StatementOnly]
) -> FindingLogged:
    """Put a signed ``audit-finding`` into the log: what an auditor found not to hold, and in whose books.

    The registry's office signs it too: it vouches for who the auditor is, not for the finding.
    """
    return await findings.state(services, caller, data.envelope)


@get("/v1/audit/findings", operation_id="listFindings", tags=["audit"], guards=[_SEES])
async def list_findings(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    concerns: Concerns = None,
    of_month: OfMonth = None,
    sort: FromQuery[Literal["-found", "found"]] = "-found",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[FindingInfo]]:
    """The findings that one stated, or that are about one's own books."""
    asked = Asked.of(request, sort, limit, cursor)
    account = None if concerns is None else identifiers.to_uuid(concerns, "org", "art", field="?concerns")
    async with services.database.acquire() as conn:
        return linked(request, await findings.listed(conn, caller, asked, account, of_month))


@get("/v1/audit/findings/{finding:str}", operation_id="getFinding", tags=["audit"], guards=[_SEES])
async def get_finding(
    services: NamedDependency[Services], caller: NamedDependency[Caller], finding: FromPath[str]
) -> StatementFile:
    """One finding as a statement file: what the auditor signed, with all that proves it."""
    number = identifiers.to_uuid(finding, "fnd", field="path:finding")
    async with services.database.acquire() as conn:
        return await findings.statement(conn, caller, number)


ROUTES: Final = [state_finding, list_findings, get_finding]
