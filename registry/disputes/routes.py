"""HTTP of disputes: opened, answered, taken back, appealed by their two parties alone; read by them and auditors."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.common import Page
from licet.wire.disputes import DisputeAccepted, DisputeInfo, DisputeShown, DisputeState, DisputeSubmit
from registry.accounts.identity import Caller, require
from registry.disputes import service, stepping
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services

_PARTIES: Final = require("register", "usage", kinds=("art", "org"))
_SEES: Final = require("register", "usage", "audit")
InState = Annotated[DisputeState | None, QueryParameter(name="state")]
OfWork = Annotated[
    str | None,
    QueryParameter(name="work", pattern=r"^wrk_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="A work that is disputed."),
]
OfCharge = Annotated[
    str | None,
    QueryParameter(
        name="charge", pattern=r"^tra_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="A charge that is disputed."
    ),
]


@post("/v1/disputes", operation_id="openDispute", tags=["disputes"], guards=[_PARTIES], opt={"quota": "disputes"})
async def open_dispute(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[DisputeSubmit]
) -> DisputeAccepted:
    """Dispute, by a signed ``dispute-step``, a work that somebody else registered, or a charge of one's own.

    Until it ends such a work denies and what it earns waits in escrow, unless whoever registered it is a verified
    claimant of a higher level; what such a charge credited waits there, too.
    """
    return await service.open_dispute(services, caller, data.envelope)


@post("/v1/disputes/{dispute:str}/steps", operation_id="stepDispute", tags=["disputes"], guards=[_PARTIES])
async def step_dispute(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    dispute: FromPath[str],
    data: JSONBody[DisputeSubmit],
) -> DisputeAccepted:
    """Answer a dispute that somebody else opened, or take one's own back, by a signed ``dispute-step``.

    Once it is decided, whoever lost can ``appeal`` within 14 days: another operator then decides again. Or ``accept``:
    the dispute ends at once. Until then nothing that it is about moves.
    """
    return await stepping.take_step(services, caller, _number(dispute), data.envelope)


@get("/v1/disputes", operation_id="listDisputes", tags=["disputes"], guards=[_SEES])
async def list_disputes(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    in_state: InState = None,
    of_work: OfWork = None,
    of_charge: OfCharge = None,
    sort: FromQuery[Literal["-opened", "opened"]] = "-opened",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[DisputeInfo]]:
    """The disputes that one opened, is a party to, or audits."""
    asked = Asked.of(request, sort, limit, cursor)
    work = None if of_work is None else identifiers.to_uuid(of_work, "wrk", field="?work")
    charge = None if of_charge is None else identifiers.to_uuid(of_charge, "tra", field="?charge")
    async with services.database.acquire() as conn:
        page = await service.listed(conn, caller.account, asked, state=in_state, work=work, charge=charge)
    return linked(request, page)


@get("/v1/disputes/{dispute:str}", operation_id="getDispute", tags=["disputes"], guards=[_SEES])
async def get_dispute(
    services: NamedDependency[Services], caller: NamedDependency[Caller], dispute: FromPath[str]
) -> DisputeShown:
    """One dispute with the documents of both parties and the decision, each with all that proves it."""
    return await service.shown(services, caller.account, _number(dispute))


def _number(dispute: str) -> UUID:
    return identifiers.to_uuid(dispute, "dsp", field="path:dispute")


ROUTES: Final = [open_dispute, list_disputes, get_dispute, step_dispute]
