"""HTTP of the register: an organisation's own models and datasets, and what everybody may read without an account."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.common import Page, StatementFile
from licet.wire.register import (
    DatasetShown,
    DatasetVersion,
    ModelInfo,
    ModelVersionInfo,
    RegisteredRun,
    Status,
)
from licet.wire.usage import Logged, StatementOnly
from registry.accounts.identity import Caller, require
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, Search, linked
from registry.register import cards, shown
from registry.register.shown import Reader
from registry.services import Services

_OWN: Final = require("usage", kinds=("org",))
_BODY: Final = 1 << 16
_ID: Final = "[0-7][0-9a-hjkmnp-tv-z]{25}"
OfOrganisation = Annotated[
    str | None, QueryParameter(name="organisation", pattern=rf"^org_{_ID}$", description="Whose they are.")
]
OfModel = Annotated[
    str | None, QueryParameter(name="model", pattern=rf"^mdl_{_ID}$", description="A model's identifier.")
]
OfDataset = Annotated[
    str | None, QueryParameter(name="dataset", pattern=rf"^dst_{_ID}$", description="A dataset's identifier.")
]
Against = Annotated[
    str | None,
    QueryParameter(pattern=rf"^dst_{_ID}$", description="Another version, instead of the one before."),
]
Version = Annotated[str | None, QueryParameter(max_length=200)]
Name = Annotated[str | None, QueryParameter(max_length=200, description="The name of a dataset, all of it.")]
InStatus = Annotated[Status | None, QueryParameter(name="status", description="Of the version that was stated last.")]
ModelSort = Literal["-stated", "stated", "name", "-name"]
DatasetSort = Literal["-made", "made", "-decided", "decided", "name", "-name"]
_PUBLIC: Final = Reader()


@post("/v1/models", operation_id="describeModel", tags=["register"], guards=[_OWN], request_max_body_size=_BODY)
async def describe_model(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[StatementOnly]
) -> Logged:
    """Put a signed ``model-card`` into the log: how far a version of a model is, and what it was made from.

    The latest card of a version counts. What is released or retired is in the public register.
    """
    return await cards.log_card(services, caller, data.envelope)


@get("/v1/models", operation_id="listModels", tags=["register"], guards=[_OWN])
async def list_models(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    q: Search = None,
    in_status: InStatus = None,
    sort: FromQuery[ModelSort] = "-stated",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[ModelInfo]]:
    """The organisation's models, those that are held back from the public register too; `q` is part of their name."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await shown.models(conn, Reader(caller.account), asked, q=q, status=in_status))


@get("/v1/models/{model:str}", operation_id="getModel", tags=["register"], guards=[_OWN])
async def get_model(
    services: NamedDependency[Services], caller: NamedDependency[Caller], model: FromPath[str]
) -> ModelInfo:
    """One model of the organisation."""
    async with services.database.acquire() as conn:
        return await shown.model(conn, Reader(caller.account), _model(model))


@get("/v1/models/{model:str}/versions", operation_id="listModelVersions", tags=["register"], guards=[_OWN])
async def list_model_versions(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    model: FromPath[str],
    version: Version = None,
    sort: FromQuery[Literal["-stated", "stated"]] = "-stated",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[ModelVersionInfo]]:
    """The versions of a model of the organisation, with their cards and what they were trained on."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        page = await shown.versions(conn, Reader(caller.account), _model(model), asked, version=version)
    return linked(request, page)


@get("/v1/datasets/{dataset:str}", operation_id="getDataset", tags=["register"], guards=[_OWN])
async def get_dataset(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    dataset: FromPath[str],
    against: Against = None,
) -> DatasetShown:
    """One version of a dataset of the organisation, and what differs from the version before or from `against`."""
    return await _dataset(services, Reader(caller.account), dataset, against)


@get("/v1/register/models", operation_id="listRegisteredModels", tags=["register"])
async def list_registered_models(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    q: Search = None,
    of_organisation: OfOrganisation = None,
    in_status: InStatus = None,
    sort: FromQuery[ModelSort] = "-stated",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[ModelInfo]]:
    """The models of the public register; `q` is part of a model's or an organisation's name."""
    asked, whose = Asked.of(request, sort, limit, cursor), _organisation(of_organisation)
    async with services.database.acquire() as conn:
        page = await shown.models(conn, _PUBLIC, asked, q=q, organisation=whose, status=in_status)
    return linked(request, page)


@get("/v1/register/models/{model:str}", operation_id="getRegisteredModel", tags=["register"])
async def get_registered_model(services: NamedDependency[Services], model: FromPath[str]) -> ModelInfo:
    """One model of the public register."""
    async with services.database.acquire() as conn:
        return await shown.model(conn, _PUBLIC, _model(model))


@get("/v1/register/models/{model:str}/versions", operation_id="listRegisteredVersions", tags=["register"])
async def list_registered_versions(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    model: FromPath[str],
    version: Version = None,
    sort: FromQuery[Literal["-stated", "stated"]] = "-stated",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[ModelVersionInfo]]:
    """The listed versions of a model, with their cards and what they were trained on."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        return linked(request, await shown.versions(conn, _PUBLIC, _model(model), asked, version=version))


@get("/v1/register/datasets", operation_id="listRegisteredDatasets", tags=["register"])
async def list_registered_datasets(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    q: Search = None,
    of_organisation: OfOrganisation = None,
    name: Name = None,
    sort: FromQuery[DatasetSort] = "-made",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[DatasetVersion]]:
    """The versions of datasets in the public register; `q` is part of a dataset's or an organisation's name.

    `made` is when the identifier was made.
    """
    asked, whose = Asked.of(request, sort, limit, cursor), _organisation(of_organisation)
    async with services.database.acquire() as conn:
        page = await shown.datasets(conn, _PUBLIC, asked, q=q, organisation=whose, name=name)
    return linked(request, page)


@get("/v1/register/datasets/{dataset:str}", operation_id="getRegisteredDataset", tags=["register"])
async def get_registered_dataset(
    services: NamedDependency[Services], dataset: FromPath[str], against: Against = None
) -> DatasetShown:
    """One version of a dataset in the public register: counts, terms, roots, and the models that were trained on it."""
    return await _dataset(services, _PUBLIC, dataset, against)


@get("/v1/register/runs", operation_id="listRegisteredRuns", tags=["register"])
async def list_registered_runs(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    of_model: OfModel = None,
    version: Version = None,
    of_dataset: OfDataset = None,
    sort: FromQuery[Literal["-accepted", "accepted"]] = "-accepted",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[RegisteredRun]]:
    """The training runs of listed versions of models."""
    asked = Asked.of(request, sort, limit, cursor)
    model = None if of_model is None else identifiers.to_uuid(of_model, "mdl", field="?model")
    dataset = None if of_dataset is None else identifiers.to_uuid(of_dataset, "dst", field="?dataset")
    async with services.database.acquire() as conn:
        page = await shown.runs(conn, _PUBLIC, asked, model=model, version=version, dataset=dataset)
    return linked(request, page)


@get("/v1/register/statements/{statement:str}", operation_id="getRegisteredStatement", tags=["register"])
async def get_registered_statement(services: NamedDependency[Services], statement: FromPath[str]) -> StatementFile:
    """A statement file of what the register shows: a manifest, a run or a card, with its proof in the log."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        return await shown.statement(conn, statement)


async def _dataset(services: Services, reader: Reader, dataset: str, against: str | None) -> DatasetShown:
    number = identifiers.to_uuid(dataset, "dst", field="path:dataset")
    other = None if against is None else identifiers.to_uuid(against, "dst", field="?against")
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        return await shown.dataset(conn, reader, number, other)


def _model(text: str) -> UUID:
    return identifiers.to_uuid(text, "mdl", field="path:model")


def _organisation(text: str | None) -> UUID | None:
    return None if text is None else identifiers.to_uuid(text, "org", field="?organisation")


ROUTES: Final = [
    describe_model,
    list_models,
    get_model,
    list_model_versions,
    get_dataset,
    list_registered_models,
    get_registered_model,
    list_registered_versions,
    list_registered_datasets,
    get_registered_dataset,
    list_registered_runs,
    get_registered_statement,
]
