"""HTTP: drafts and statements, and lists of what one owns and said."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.common import Page
from licet.wire.works import (
    StatementAccepted,
    StatementDraft,
    StatementDrafted,
    StatementInfo,
    StatementSubmit,
    Work,
)
from registry.accounts.idempotency import READS
from registry.accounts.identity import Caller, require
from registry.consent import drafting, portfolio, service
from registry.services import Services
from registry.works.paging import DEFAULT_LIMIT, LARGEST_LIMIT

_OWNERS: Final = require("register", kinds=("art", "org"))
_STATEMENT_LIMIT: Final = 16 << 20  # 100,000 work ids and an envelope
Limit = Annotated[int, QueryParameter(ge=1, le=LARGEST_LIMIT)]
T = TypeVar("T")


@get("/v1/works", operation_id="listWorks", tags=["works"], guards=[_OWNERS])
async def list_works(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    q: FromQuery[str] = "",
    external_id: FromQuery[str | None] = None,
    sort: FromQuery[str] = "-registered",
    limit: Limit = DEFAULT_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Response[Page[Work]]:
    """One's works: ``q`` searches titles, creators, tags, external ids; ``sort``: -registered, registered or title."""
    page = await portfolio.own_works(
        services, caller.account, q=q, external_id=external_id, sort=sort, limit=limit, cursor=cursor
    )
    return _linked(request, page)


@get("/v1/works/{work:str}", operation_id="getWork", tags=["works"], guards=[_OWNERS])
async def get_work(services: NamedDependency[Services], caller: NamedDependency[Caller], work: FromPath[str]) -> Work:
    """One of one's own works with its state."""
    return await portfolio.own_work(services, caller.account, identifiers.to_uuid(work, "wrk", field="path:work"))


@post(
    "/v1/statements/draft",
    operation_id="draftStatement",
    tags=["statements"],
    guards=[_OWNERS],
    opt=READS,
    status_code=200,
    request_max_body_size=_STATEMENT_LIMIT,
)
async def draft_statement(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[StatementDraft]
) -> StatementDrafted:
    """The exact bytes to sign, and the plain language that the signature covers. Nothing is kept."""
    return await drafting.draft(services, caller, data.works, data.terms, data.lang)


@post(
    "/v1/statements",
    operation_id="submitStatement",
    tags=["statements"],
    guards=[_OWNERS],
    request_max_body_size=_STATEMENT_LIMIT,
)
async def submit_statement(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[StatementSubmit]
) -> StatementAccepted:
    """A signed ``consent`` or ``work-update``, answered once it is in the log: tightening in force, loosening held."""
    return await service.submit(services, caller, data)


@get("/v1/statements", operation_id="listStatements", tags=["statements"], guards=[_OWNERS])
async def list_statements(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    effect: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Response[Page[StatementInfo]]:
    """One's own consents and withdrawals, newest first."""
    page = await portfolio.own_statements(services, caller.account, effect=effect, limit=limit, cursor=cursor)
    return _linked(request, page)


def _linked(request: Request[Any, Any, Any], page: Page[T]) -> Response[Page[T]]:
    if page.next is None:
        return Response(page)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    link = f"<{request.url.path}?{urlencode([*asked, ('cursor', page.next)])}>"
    return Response(page, headers={"Link": f'{link}; rel="next"'})


ROUTES: Final = [list_works, get_work, draft_statement, submit_statement, list_statements]
