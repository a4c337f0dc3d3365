"""HTTP of usage: datasets, runs, batches, and the caller's own money."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.common import Page
from licet.wire.usage import (
    Balance,
    DatasetInfo,
    LedgerLine,
    Logged,
    RunInfo,
    StatementOnly,
    UsageAccepted,
    UsageBatchInfo,
    UsageBatchSubmit,
)
from registry.accounts.identity import Caller, require
from registry.licensing.routes import next_link
from registry.services import Services
from registry.usage import batches, datasets, money
from registry.works.paging import from_cursor, to_cursor

Limit = Annotated[int, QueryParameter(ge=1, le=200)]
_REPORTS = require("usage", kinds=("org",))
_READS = require("usage")


@post("/v1/datasets", operation_id="logDataset", tags=["usage"], guards=[_REPORTS], request_max_body_size=16 << 20)
async def log_dataset(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[StatementOnly]
) -> Logged:
    """Put a signed dataset manifest into the log."""
    return await datasets.log_dataset(services, caller, data.envelope)


@get("/v1/datasets", operation_id="listDatasets", tags=["usage"], guards=[_REPORTS])
async def list_datasets(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    limit: Limit = 50,
    cursor: FromQuery[str | None] = None,
    q: FromQuery[str | None] = None,
) -> Response[Page[DatasetInfo]]:
    """The organisation's datasets, newest first; `q` is part of their name."""
    after = _after(cursor, "datasets", "dst")
    async with services.database.acquire() as conn:
        items = await datasets.datasets(conn, caller, limit + 1, after=after, q=q)
    more = to_cursor("datasets", items[limit - 1].dataset) if len(items) > limit else None
    return Response(Page(items[:limit], more), headers=next_link("/v1/datasets", more, limit=limit, q=q))


@post("/v1/runs", operation_id="logRun", tags=["usage"], guards=[_REPORTS])
async def log_run(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[StatementOnly]
) -> Logged:
    """Put a signed training run into the log; the same run on the same manifest is one run."""
    return await datasets.log_run(services, caller, data.envelope)


@get("/v1/runs", operation_id="listRuns", tags=["usage"], guards=[_REPORTS])
async def list_runs(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    limit: Limit = 50,
    cursor: FromQuery[str | None] = None,
    model: FromQuery[str | None] = None,
) -> Response[Page[RunInfo]]:
    """The organisation's training runs, newest first."""
    after = _after(cursor, "runs", "run")
    async with services.database.acquire() as conn:
        items = await datasets.runs(conn, caller, limit + 1, after=after, model=model)
    more = None
    if len(items) > limit:
        more = to_cursor("runs", identifiers.from_uuid("run", items[limit - 1][0]))
    page = Page([info for _, info in items[:limit]], more)
    return Response(page, headers=next_link("/v1/runs", more, limit=limit, model=model))


@post(
    "/v1/usage/batches",
    operation_id="submitUsage",
    tags=["usage"],
    guards=[_REPORTS],
    request_max_body_size=48 << 20,
)
async def submit_usage(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[UsageBatchSubmit]
) -> UsageAccepted:
    """Post and log at most 65,536 signed events. Events that were reported before have no second effect.

    409 for the batch's id with other content; 422 `invalid-events` names the event that cannot be.
    """
    return await batches.submit(services, caller, data)


@get("/v1/usage/batches", operation_id="listUsage", tags=["usage"], guards=[_REPORTS])
async def list_usage(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    limit: Limit = 50,
    cursor: FromQuery[str | None] = None,
    dataset: FromQuery[str | None] = None,
) -> Response[Page[UsageBatchInfo]]:
    """The organisation's usage batches, newest first."""
    after = _after(cursor, "usage", "bat")
    of = None if dataset is None else identifiers.to_uuid(dataset, "dst", field="?dataset")
    async with services.database.acquire() as conn:
        items = await batches.listed(conn, caller, limit + 1, after=after, dataset=of)
    more = to_cursor("usage", items[limit - 1].batch) if len(items) > limit else None
    page = Page(items[:limit], more)
    return Response(page, headers=next_link("/v1/usage/batches", more, limit=limit, dataset=dataset))


@get("/v1/ledger/balance", operation_id="getBalance", tags=["ledger"], guards=[_READS])
async def get_balance(services: NamedDependency[Services], caller: NamedDependency[Caller]) -> Balance:
    """What the caller is owed (payable, or in escrow) and owes, per currency."""
    async with services.database.acquire() as conn:
        return await money.balance(conn, caller)


@get("/v1/ledger/entries", operation_id="listEntries", tags=["ledger"], guards=[_READS])
async def list_entries(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    limit: Limit = 50,
    cursor: FromQuery[str | None] = None,
) -> Response[Page[LedgerLine]]:
    """The caller's own ledger entries, newest first, each with the licence or batch that it comes from."""
    place = from_cursor(cursor, "entries", 3)
    after = None if place is None else (identifiers.to_uuid(place[0], "tra", field="?cursor"), place[1], place[2])
    async with services.database.acquire() as conn:
        items = await money.entries(conn, caller, limit + 1, after=after)
    more = None
    if len(items) > limit:
        transfer, account, currency = items[limit - 1][0]
        more = to_cursor("entries", identifiers.from_uuid("tra", transfer), account, currency)
    page = Page([line for _, line in items[:limit]], more)
    return Response(page, headers=next_link("/v1/ledger/entries", more, limit=limit))


def _after(cursor: str | None, listed: str, kind: str) -> UUID | None:
    place = from_cursor(cursor, listed, 1)
    return None if place is None else identifiers.to_uuid(place[0], kind, field="?cursor")


ROUTES = [
    log_dataset,
    list_datasets,
    log_run,
    list_runs,
    submit_usage,
    list_usage,
    get_balance,
    list_entries,
]
