"""HTTP: drafts and statements, and lists of what one owns and said."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar import Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.common import Page
from licet.wire.metadata import MAX_EXTERNAL, MAX_TAG
from licet.wire.works import (
    MetadataChange,
    State,
    StatementAccepted,
    StatementDraft,
    StatementDrafted,
    StatementInfo,
    StatementSubmit,
    Work,
    WorksFind,
    WorksFound,
)
from registry.accounts.idempotency import READS
from registry.accounts.identity import Caller, require
from registry.accounts.stepping import fresh
from registry.consent import drafting, portfolio, service
from registry.consent.types import Wanted
from registry.errors import Invalid
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, Search, linked
from registry.services import Services
from registry.works import changing

_OWNERS: Final = require("register", kinds=("art", "org"))
_STATEMENT_LIMIT: Final = 48 << 20  # a million work ids and an envelope
_STATEMENT_SECONDS: Final = 300  # for a million works; a thousand take a moment
SpeaksOf = Annotated[Literal["works", "catalogue"] | None, QueryParameter(name="scope")]
ExternalId = Annotated[str | None, QueryParameter(max_length=MAX_EXTERNAL)]
Tag = Annotated[str | None, QueryParameter(max_length=MAX_TAG)]
InState = Annotated[State | None, QueryParameter(name="state", description="The first that fits a work.")]
IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="The revision that the change was made from, as ETag.",
        schema_extra={"pattern": r'^("[0-9]{1,18}"|\*)$'},
    ),
]
_ETAG: Final = re.compile(r'"([0-9]{1,18})"', re.ASCII)


@get("/v1/works", operation_id="listWorks", tags=["works"], guards=[_OWNERS])
async def list_works(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    q: Search = None,
    external_id: ExternalId = None,
    tag: Tag = None,
    withdrawn: FromQuery[bool | None] = None,
    mode: FromQuery[Literal["upload", "fingerprint-only"] | None] = None,
    in_state: InState = None,
    sort: FromQuery[Literal["-registered", "registered", "title", "-title"]] = "-registered",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[Work]]:
    """One's works: ``q`` searches titles, creators, tags and external ids."""
    asked = Asked.of(request, sort, limit, cursor)
    wanted = Wanted(q, external_id, tag, withdrawn, mode, in_state)
    return linked(request, await portfolio.own_works(services, caller.account, asked, wanted))


@get("/v1/works/{work:str}", operation_id="getWork", tags=["works"], guards=[_OWNERS])
async def get_work(
    services: NamedDependency[Services], caller: NamedDependency[Caller], work: FromPath[str]
) -> Response[Work]:
    """One of one's own works with its state; ``ETag`` is the revision of its metadata, for ``If-Match``."""
    return _tagged(await portfolio.own_work(services, caller.account, _work_id(work)))


@patch(
    "/v1/works/{work:str}",
    operation_id="changeWork",
    tags=["works"],
    guards=[_OWNERS],
    opt={"problems": (412,)},
)
async def change_work(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    work: FromPath[str],
    data: JSONBody[MetadataChange],
    if_match: IfMatch = None,
) -> Response[Work]:
    """Change a work's title, creator, date, tags or external id; what is absent stays, null clears.

    With ``If-Match`` only while the work is at that revision. Sending it again has no second effect.
    """
    await changing.change_one(services, caller.account, _work_id(work), data, _revision(if_match))
    return _tagged(await portfolio.own_work(services, caller.account, _work_id(work)))


@post(
    "/v1/works/find",
    operation_id="findWorks",
    tags=["works"],
    guards=[_OWNERS],
    opt=READS,
    status_code=200,
)
async def find_works(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[WorksFind]
) -> WorksFound:
    """One's own works that have these files, external ids or names, up to 1,000 of each."""
    return await portfolio.own_works_by_keys(services, caller.account, data)


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
    opt={"seconds": _STATEMENT_SECONDS},
    request_max_body_size=_STATEMENT_LIMIT,
)
async def submit_statement(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[StatementSubmit]
) -> StatementAccepted:
    """A signed ``consent`` or ``work-update``, answered once it is in the log: tightening in force, loosening held."""
    return await service.submit(services, caller, data)


@post(
    "/v1/statements/attest",
    operation_id="attestStatement",
    tags=["statements"],
    guards=[require("account", kinds=("art", "org")), fresh],
    request_max_body_size=_STATEMENT_LIMIT,
)
async def attest_statement(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[StatementSubmit]
) -> StatementAccepted:
    """A statement that the registry signs in the caller's place, for who has no key at hand: it may only tighten.

    The envelope comes without signatures. First terms must deny everything but ``search``.
    """
    return await service.attest(services, caller, data)


@get("/v1/statements", operation_id="listStatements", tags=["statements"], guards=[_OWNERS])
async def list_statements(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    effect: FromQuery[Literal["initial", "tighten", "loosen", "withdraw", "update"] | None] = None,
    speaks_of: SpeaksOf = None,
    sort: FromQuery[Literal["-accepted", "accepted"]] = "-accepted",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[StatementInfo]]:
    """One's own consents and withdrawals."""
    asked = Asked.of(request, sort, limit, cursor)
    page = await portfolio.own_statements(services, caller.account, asked, effect=effect, scope=speaks_of)
    return linked(request, page)


def _work_id(work: str) -> UUID:
    return identifiers.to_uuid(work, "wrk", field="path:work")


def _tagged(work: Work) -> Response[Work]:
    return Response(work, headers={"ETag": f'"{work.revision}"', "Cache-Control": "private, no-cache"})


def _revision(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise Invalid.field("header:If-Match", 'the ETag of the work, such as "3"', if_match)
    return int(match[1])


ROUTES: Final = [
    list_works,
    get_work,
    change_work,
    find_works,
    draft_statement,
    submit_statement,
    attest_statement,
    list_statements,
]
