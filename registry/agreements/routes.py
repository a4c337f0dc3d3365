"""HTTP of agreements: requests and answers."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.agreements import AgreementSubmit, RequestAccepted, RequestInfo, RequestShown, RequestState
from licet.wire.common import Page
from registry.accounts.identity import Caller, require
from registry.agreements import requests
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services

_TAKES: Final = require("license", kinds=("org",))
_OWNS: Final = require("register", kinds=("art", "org"))
_SEES: Final = require("license", "register")
_BODY: Final = 1 << 20
InState = Annotated[RequestState | None, QueryParameter(name="state")]
OfWork = Annotated[
    str | None,
    QueryParameter(name="work", pattern=r"^wrk_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="A work that is asked for."),
]


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
    """Offer a price for this organisation and use, or refuse, by a signed ``licence-answer``; the last one counts.

    An offer is accepted by a quote that names the request. What was accepted is a licence, and runs to its end.
    """
    return await requests.answer(services, caller, _number(ask), data.envelope)


def _number(ask: str) -> Any:
    return identifiers.to_uuid(ask, "ask", field="path:ask")


ROUTES: Final = [request_licence, list_requests, get_request, answer_request]
