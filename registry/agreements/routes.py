"""HTTP of agreements: requests and answers, reports of revenue, and how shares of it come about."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.agreements import AgreementSubmit, RequestAccepted, RequestInfo, RequestShown, RequestState
from licet.wire.common import Page
from licet.wire.revenue import RevenueAccepted, RevenueAwaited, RevenueInfo, RevenueShown, RevenueSubmit, Share
from registry.accounts.identity import Caller, require
from registry.agreements import answers, replies, reports, requests
from registry.agreements import shares as divided
from registry.http.months import MONTH
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services

_TAKES: Final = require("license", kinds=("org",))
_OWNS: Final = require("register", kinds=("art", "org"))
_SEES: Final = require("license", "register")
_REPORTS: Final = require("usage", kinds=("org",))
_READS: Final = require("usage")
_BODY: Final = 1 << 20
_WEIGHTS: Final = 16 << 20  # a report of 100,000 works
InState = Annotated[RequestState | None, QueryParameter(name="state")]
OfWork = Annotated[
    str | None,
    QueryParameter(name="work", pattern=r"^wrk_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="A work that is asked for."),
]
OfLicence = Annotated[
    str | None,
    QueryParameter(name="licence", pattern=r"^lic_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="An agreement."),
]
_MONTH: Final = rf"^{MONTH}$"
OfPeriod = Annotated[str | None, QueryParameter(name="period", pattern=_MONTH, description="A month.")]
InPeriod = Annotated[str, QueryParameter(name="period", pattern=_MONTH, description="A month, such as 2026-11.")]


@post(
    "/v1/licence-requests",
    operation_id="requestLicence",
    tags=["agreements"],
    guards=[_TAKES],
    request_max_body_size=_BODY,
    opt={"quota": "licence-requests"},
)
async def request_licence(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[AgreementSubmit]
) -> RequestAccepted:
    """Ask an artist, by a signed ``licence-request``, for what cannot be had at a price that the terms state."""
    return await requests.ask(services, caller, data.envelope)


@get("/v1/licence-requests", operation_id="listLicenceRequests", tags=["agreements"], guards=[_SEES])
async def list_requests(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    in_state: InState = None,
    of_work: OfWork = None,
    sort: FromQuery[Literal["-asked", "asked"]] = "-asked",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[RequestInfo]]:
    """The requests that one made, or is asked."""
    asked = Asked.of(request, sort, limit, cursor)
    work = None if of_work is None else identifiers.to_uuid(of_work, "wrk", field="?work")
    return linked(request, await requests.listed(services, caller, asked, in_state, work))


@get("/v1/licence-requests/{ask:str}", operation_id="getLicenceRequest", tags=["agreements"], guards=[_SEES])
async def get_request(
    services: NamedDependency[Services], caller: NamedDependency[Caller], ask: FromPath[str]
) -> RequestShown:
    """One request with the documents of both sides, each with all that proves it."""
    return await requests.shown(services, caller, _number(ask))


@post(
    "/v1/licence-requests/{ask:str}/answers",
    operation_id="answerLicenceRequest",
    tags=["agreements"],
    guards=[_OWNS],
    request_max_body_size=_BODY,
)
async def answer_request(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    ask: FromPath[str],
    data: JSONBody[AgreementSubmit],
) -> RequestAccepted:
    """Offer a price for this organisation and use, take that back, or refuse, by a ``licence-answer``; the last counts.

    An offer is accepted by a quote that names the request. What was accepted is a licence, and runs to its end.
    """
    return await answers.answer(services, caller, _number(ask), data.envelope)


@post(
    "/v1/licence-requests/{ask:str}/replies",
    operation_id="replyToLicenceRequest",
    tags=["agreements"],
    guards=[_TAKES],
    request_max_body_size=_BODY,
)
async def reply_to_request(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    ask: FromPath[str],
    data: JSONBody[AgreementSubmit],
) -> RequestAccepted:
    """Take a request of one's own back, or decline the offer that was made, by a signed ``licence-reply``.

    A request is taken back while no offer stands, and nobody can answer it then. An offer that was declined cannot be
    accepted any more; the artist can make another one as long as the request can be answered.
    """
    return await replies.reply(services, caller, _number(ask), data.envelope)


@post(
    "/v1/revenue-reports",
    operation_id="reportRevenue",
    tags=["agreements"],
    guards=[_REPORTS],
    request_max_body_size=_WEIGHTS,
)
async def report_revenue(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[RevenueSubmit]
) -> RevenueAccepted:
    """Say, by a signed ``revenue-report``, what was made under an agreement in a month; a later one corrects it."""
    return await reports.report(services, caller, data.envelope)


@get("/v1/revenue-reports", operation_id="listRevenueReports", tags=["agreements"], guards=[_READS])
async def list_reports(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    of_licence: OfLicence = None,
    of_period: OfPeriod = None,
    sort: FromQuery[Literal["-reported", "reported"]] = "-reported",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[RevenueInfo]]:
    """The reports of revenue that one made, or has a share in."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await reports.listed(conn, caller, asked, _licence(of_licence), of_period))


@get("/v1/revenue-reports/awaited", operation_id="listAwaitedRevenueReports", tags=["agreements"], guards=[_READS])
async def list_awaited(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    of_licence: OfLicence = None,
    sort: FromQuery[Literal["period", "-period"]] = "period",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[RevenueAwaited]]:
    """The months that are over, and of which the licensee has not reported what is divided."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await reports.awaited(conn, caller, asked, _licence(of_licence)))


@get("/v1/revenue-reports/{report:str}", operation_id="getRevenueReport", tags=["agreements"], guards=[_READS])
async def get_report(
    services: NamedDependency[Services], caller: NamedDependency[Caller], report: FromPath[str]
) -> RevenueShown:
    """One report of revenue with the document that was signed, and all that proves it."""
    number = identifiers.to_uuid(report, "rpt", field="path:report")
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        return await reports.shown(conn, caller, number)


@get("/v1/licences/{licence:str}/shares", operation_id="listShares", tags=["agreements"], guards=[_READS])
async def list_shares(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    licence: FromPath[str],
    of_period: InPeriod,
    sort: FromQuery[Literal["account"]] = "account",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[Share]]:
    """What an agreement owes at the close of a month, and how that came about; of an open month as things stand.

    Whoever holds the licence sees all of it, whoever has works in it their own.
    """
    asked = Asked.of(request, sort, limit, cursor)
    number = identifiers.to_uuid(licence, "lic", field="path:licence")
    return linked(request, await divided.shares(services, caller, number, of_period, asked))


def _licence(text: str | None) -> UUID | None:
    return None if text is None else identifiers.to_uuid(text, "lic", field="?licence")


def _number(ask: str) -> Any:
    return identifiers.to_uuid(ask, "ask", field="path:ask")


ROUTES: Final = [
    *(request_licence, list_requests, get_request, answer_request, reply_to_request),
    *(report_revenue, list_reports, list_awaited, get_report, list_shares),
]
