"""HTTP: drafts and statements, and lists of what one owns and said."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

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
from registry.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, Search, linked
from registry.services import Services
from registry.works.intake import MAX_EXTERNAL
from registry.works.types import Wanted

_OWNERS: Final = require("register", kinds=("art", "org"))
_STATEMENT_LIMIT: Final = 16 << 20  # 100,000 work ids and an envelope
SpeaksOf = Annotated[Literal["works", "catalogue"] | None, QueryParameter(name="scope")]
ExternalId = Annotated[str | None, QueryParameter(max_length=MAX_EXTERNAL)]


@get("/v1/works", operation_id="listWorks", tags=["works"], guards=[_OWNERS])
async def list_works(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    q: Search = None,
    external_id: ExternalId = None,
    withdrawn: FromQuery[bool | None] = None,
    mode: FromQuery[Literal["upload", "fingerprint-only"] | None] = None,
    sort: FromQuery[Literal["-registered", "registered", "title", "-title"]] = "-registered",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[Work]]:
    """One's works: ``q`` searches titles, creators, tags and external ids."""
    asked = Asked.of(request, sort, limit, cursor)
    wanted = Wanted(q, external_id, withdrawn, mode)
    return linked(request, await portfolio.own_works(services, caller.account, asked, wanted))


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
    effect: FromQuery[Literal["initial", "tighten", "loosen", "withdraw"] | None] = None,
    speaks_of: SpeaksOf = None,
    sort: FromQuery[Literal["-accepted", "accepted"]] = "-accepted",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[StatementInfo]]:
    """One's own consents and withdrawals."""
    asked = Asked.of(request, sort, limit, cursor)
    page = await portfolio.own_statements(services, caller.account, asked, effect=effect, scope=speaks_of)
    return linked(request, page)


ROUTES: Final = [list_works, get_work, draft_statement, submit_statement, list_statements]
