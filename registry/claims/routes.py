"""HTTP of claims: a domain that the account proves by itself."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.claims import ClaimChecked, ClaimDropped, ClaimInfo, ClaimWanted
from licet.wire.common import Page
from registry.accounts.identity import Caller, require
from registry.accounts.stepping import fresh
from registry.claims import service
from registry.claims.domains import LONGEST
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services

_OWNERS: Final = require("account", kinds=("art", "org"))
_BODY: Final = 4096
Domain = Annotated[str | None, QueryParameter(name="domain", min_length=3, max_length=LONGEST)]


@post(
    "/v1/claims",
    operation_id="createClaim",
    tags=["claims"],
    guards=[_OWNERS, fresh],
    opt={"quota": "claims"},
    request_max_body_size=_BODY,
)
async def create_claim(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[ClaimWanted]
) -> ClaimInfo:
    """Claim a domain: the answer has the value to put up, as a TXT record or a file. Again: the same claim."""
    return await service.ask(services, caller, data.domain)


@get("/v1/claims", operation_id="listClaims", tags=["claims"], guards=[_OWNERS])
async def list_claims(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    claim_state: Annotated[Literal["asked", "proven", "failing", "lapsed"] | None, QueryParameter(name="state")] = None,
    domain: Domain = None,
    sort: FromQuery[Literal["-asked", "asked", "domain", "-domain"]] = "-asked",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[ClaimInfo]]:
    """The domains that the account claims."""
    asked = Asked.of(request, sort, limit, cursor)
    return linked(request, await service.listed(services, caller, asked, claim_state, domain))


@get("/v1/claims/{claim:str}", operation_id="getClaim", tags=["claims"], guards=[_OWNERS])
async def get_claim(
    services: NamedDependency[Services], caller: NamedDependency[Caller], claim: FromPath[str]
) -> ClaimInfo:
    """One claim: what is to be put up, and what the last look found."""
    return await service.get(services, caller, identifiers.to_uuid(claim, "clm", field="path:claim"))


@post(
    "/v1/claims/{claim:str}/check",
    operation_id="checkClaim",
    tags=["claims"],
    guards=[_OWNERS],
    opt={"quota": "claims"},
    request_max_body_size=_BODY,
)
async def check_claim(
    services: NamedDependency[Services], caller: NamedDependency[Caller], claim: FromPath[str]
) -> ClaimChecked:
    """Look at the domain now: a proof that is found raises the account to claim level 2, by a statement in the log."""
    return await service.check(services, caller, identifiers.to_uuid(claim, "clm", field="path:claim"))


@delete("/v1/claims/{claim:str}", operation_id="dropClaim", tags=["claims"], status_code=200, guards=[_OWNERS, fresh])
async def drop_claim(
    services: NamedDependency[Services], caller: NamedDependency[Caller], claim: FromPath[str]
) -> ClaimDropped:
    """Claim a domain no longer; where the claim level stood on it, that falls, by a statement in the log."""
    return await service.drop(services, caller, identifiers.to_uuid(claim, "clm", field="path:claim"))


ROUTES = [create_claim, list_claims, get_claim, check_claim, drop_claim]
