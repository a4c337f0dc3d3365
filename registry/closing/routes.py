"""HTTP of closed months: the public list, the caller's own lines, and the batches in them."""

from __future__ import annotations

from typing import Any, Literal

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from licet.wire.common import Page
from licet.wire.periods import BatchProof, PeriodInfo, PeriodLines
from registry.accounts.identity import Caller, require
from registry.closing import reading
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services


@get("/v1/periods", operation_id="listPeriods", tags=["ledger"])
async def list_periods(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    sort: FromQuery[Literal["-period", "period"]] = "-period",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[PeriodInfo]]:
    """The months of the ledger, in UTC: how far each has come, and what its close says of all of it. For everybody."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        return linked(request, await reading.listed(conn, asked))


@get(
    "/v1/periods/{period:str}/line",
    operation_id="getPeriodLine",
    tags=["ledger"],
    guards=[require("usage", "audit")],
)
async def get_line(
    services: NamedDependency[Services], caller: NamedDependency[Caller], period: FromPath[str]
) -> PeriodLines:
    """The caller's own lines of a closed month, proven in its totals without showing anybody else's."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        return await reading.own_lines(conn, caller, period)


@get(
    "/v1/periods/{period:str}/batches",
    operation_id="listPeriodBatches",
    tags=["ledger"],
    guards=[require("usage", "audit")],
)
async def list_batches(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    period: FromPath[str],
    sort: FromQuery[Literal["index", "-index"]] = "index",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[BatchProof]]:
    """The usage batches of a closed month, each proven under its root: all for an auditor, else the caller's own."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        return linked(request, await reading.batches(conn, caller, period, asked))


ROUTES = [list_periods, get_line, list_batches]
