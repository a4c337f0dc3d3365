"""HTTP of splits: proposed, answered, read by those who have a say in them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.common import Page
from licet.wire.splits import SplitAccepted, SplitInfo, SplitShown, SplitState, SplitSubmit
from registry.accounts.identity import Caller, require
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services
from registry.splits import intake, service

_OWNERS: Final = require("register", kinds=("art", "org"))
_BODY: Final = 1 << 20
InState = Annotated[SplitState | None, QueryParameter(name="state")]
OfWork = Annotated[
    str | None,
    QueryParameter(name="work", pattern=r"^wrk_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="A work that is shared."),
]


@post(
    "/v1/splits",
    operation_id="proposeSplit",
    tags=["splits"],
    guards=[_OWNERS],
    request_max_body_size=_BODY,
    opt={"quota": "splits"},
)
async def propose_split(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[SplitSubmit]
) -> SplitAccepted:
    """Propose, by a signed ``split``, how what one's works earn is shared: in force once every co-owner has signed."""
    return await service.propose(services, caller, data.envelope)


@post(
    "/v1/splits/{split:str}/answers",
    operation_id="answerSplit",
    tags=["splits"],
    guards=[_OWNERS],
    request_max_body_size=_BODY,
)
async def answer_split(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    split: FromPath[str],
    data: JSONBody[SplitSubmit],
) -> SplitAccepted:
    """Accept or decline, by a signed ``split-answer``; with the last acceptance that is needed the split is in force.

    What was payable before stays as it was; what waits in escrow for works that had no split is divided by this one.
    """
    return await service.answer(services, caller, intake.split_id(split, "path:split"), data.envelope)


@get("/v1/splits", operation_id="listSplits", tags=["splits"], guards=[_OWNERS])
async def list_splits(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    in_state: InState = None,
    of_work: OfWork = None,
    sort: FromQuery[Literal["-proposed", "proposed"]] = "-proposed",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[SplitInfo]]:
    """The splits that one proposed, has a share in, or is asked to sign."""
    asked = Asked.of(request, sort, limit, cursor)
    work = None if of_work is None else identifiers.to_uuid(of_work, "wrk", field="?work")
    return linked(request, await service.listed(services, caller, asked, in_state, work))


@get("/v1/splits/{split:str}", operation_id="getSplit", tags=["splits"], guards=[_OWNERS])
async def get_split(
    services: NamedDependency[Services], caller: NamedDependency[Caller], split: FromPath[str]
) -> SplitShown:
    """One split with the very document that its co-owners sign."""
    return await service.shown(services, caller, intake.split_id(split, "path:split"))


ROUTES: Final = [propose_split, answer_split, list_splits, get_split]
