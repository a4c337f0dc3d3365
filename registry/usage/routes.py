"""HTTP of usage: datasets, runs, batches, and the caller's own money."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter, RawBody

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
from licet.wire.usage_arrow import MEDIA_TYPE as ARROW
from registry.accounts.identity import Caller, require
from registry.accounts.metering import Meter
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, Search, linked
from registry.services import Services
from registry.usage import arrow, batches, datasets, money

Model = Annotated[str | None, QueryParameter(max_length=200)]
DatasetName = Annotated[str | None, QueryParameter(max_length=200, description="The name of a dataset, all of it.")]
Currency = Annotated[str | None, QueryParameter(pattern=r"^[A-Z]{3}$", description="An ISO 4217 code.")]
DatasetId = Annotated[
    str | None, QueryParameter(pattern=r"^dst_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="A dataset's identifier.")
]
Source = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^(lic|bat)_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="The licence or batch that entries come from."
    ),
]
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
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    q: Search = None,
    name: DatasetName = None,
    sort: FromQuery[Literal["-made", "made", "-decided", "decided", "name", "-name"]] = "-made",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[DatasetInfo]]:
    """The organisation's datasets, every version of them; `q` is part of their name, `name` all of it.

    `made` is when the identifier was made.
    """
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await datasets.datasets(conn, caller, asked, q=q, name=name))


@post("/v1/runs", operation_id="logRun", tags=["usage"], guards=[_REPORTS])
async def log_run(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[StatementOnly]
) -> Logged:
    """Put a signed training run into the log; the same run on the same manifest is one run."""
    return await datasets.log_run(services, caller, data.envelope)


@get("/v1/runs", operation_id="listRuns", tags=["usage"], guards=[_REPORTS])
async def list_runs(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    q: Search = None,
    model: Model = None,
    version: Model = None,
    dataset: DatasetId = None,
    sort: FromQuery[Literal["-accepted", "accepted"]] = "-accepted",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[RunInfo]]:
    """The organisation's training runs; `q` is part of the run's or the model's name."""
    asked = Asked.of(request, sort, limit, cursor)
    wanted = datasets.RunsWanted(model, version, _dataset(dataset), q)
    async with services.database.acquire() as conn:
        return linked(request, await datasets.runs(conn, caller, asked, wanted))


@post(
    "/v1/usage/batches",
    operation_id="submitUsage",
    tags=["usage"],
    guards=[_REPORTS],
    request_max_body_size=48 << 20,
    opt={"body": f"application/json, {ARROW}", "json": UsageBatchSubmit},
)
async def submit_usage(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    meter: NamedDependency[Meter],
    body: RawBody,
) -> UsageAccepted:
    """Post and log at most 65,536 signed events. Events that were reported before have no second effect.

    409 for the batch's id with other content; 422 `invalid-events` names the event that cannot be. A batch may hold
    corrections instead, which say how many uses of earlier events there really were. The same as an
    Arrow stream: a column for each field of an event, and in the schema's metadata, under `licet.batch`, envelope and
    secret as JSON.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    submitted = await asyncio.to_thread(arrow.submitted if kind == ARROW else batches.submitted, body)
    await meter.spend("events", submitted.size)
    return await batches.submit(services, caller, submitted)


@get("/v1/usage/batches", operation_id="listUsage", tags=["usage"], guards=[_REPORTS])
async def list_usage(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    dataset: DatasetId = None,
    sort: FromQuery[Literal["-made", "made"]] = "-made",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[UsageBatchInfo]]:
    """The organisation's usage batches. `made` is when their identifier was made."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await batches.listed(conn, caller, asked, dataset=_dataset(dataset)))


@get("/v1/ledger/balance", operation_id="getBalance", tags=["ledger"], guards=[_READS])
async def get_balance(services: NamedDependency[Services], caller: NamedDependency[Caller]) -> Balance:
    """What the caller is owed (payable, or in escrow) and owes, per currency."""
    async with services.database.acquire() as conn:
        return await money.balance(conn, caller)


@get("/v1/ledger/entries", operation_id="listEntries", tags=["ledger"], guards=[_READS])
async def list_entries(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    account: FromQuery[money.Side | None] = None,
    currency: Currency = None,
    source: Source = None,
    sort: FromQuery[Literal["-at", "at"]] = "-at",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[LedgerLine]]:
    """The caller's own ledger entries, each with the licence or batch that it comes from."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        page = await money.entries(conn, caller, asked, side=account, currency=currency, source=source)
    return linked(request, page)


def _dataset(text: str | None) -> UUID | None:
    return None if text is None else identifiers.to_uuid(text, "dst", field="?dataset")


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
