"""The public register: models, datasets and runs."""

from __future__ import annotations

from urllib.parse import quote as escape

from licet.client.endpoints.listing import Listing, listed
from licet.exchange.calls import Call, Filters, get, post, reader
from licet.statements.envelope import Envelope
from licet.wire import register as registered
from licet.wire import usage
from licet.wire.common import StatementFile


def describe_model(envelope: Envelope) -> Call[usage.Logged]:
    """A model card for the log."""
    return post("describeModel", "/v1/models", usage.StatementOnly(envelope), usage.Logged, scope="usage")


def models(limit: int | None, filters: Filters) -> Listing[registered.ModelInfo]:
    """The organisation's models."""
    return listed("listModels", "/v1/models", registered.ModelInfo, filters, limit, scope="usage")


def model(model: str) -> Call[registered.ModelInfo]:
    """One model of the organisation."""
    return get("getModel", f"/v1/models/{escape(model, safe='')}", registered.ModelInfo, scope="usage")


def model_versions(model: str, limit: int | None, filters: Filters) -> Listing[registered.ModelVersionInfo]:
    """The versions of a model of the organisation."""
    path = f"/v1/models/{escape(model, safe='')}/versions"
    return listed("listModelVersions", path, registered.ModelVersionInfo, filters, limit, scope="usage")


def dataset(dataset: str, against: str | None) -> Call[registered.DatasetShown]:
    """One version of a dataset of the organisation."""
    path, asked = f"/v1/datasets/{escape(dataset, safe='')}", None if against is None else {"against": against}
    return get("getDataset", path, registered.DatasetShown, asked, scope="usage")


def registered_models(limit: int | None, filters: Filters) -> Listing[registered.ModelInfo]:
    """The models of the public register."""
    return listed("listRegisteredModels", "/v1/register/models", registered.ModelInfo, filters, limit, scope=None)


def registered_model(model: str) -> Call[registered.ModelInfo]:
    """One model of the public register."""
    return get("getRegisteredModel", f"/v1/register/models/{escape(model, safe='')}", registered.ModelInfo)


def registered_versions(model: str, limit: int | None, filters: Filters) -> Listing[registered.ModelVersionInfo]:
    """The listed versions of a model."""
    path = f"/v1/register/models/{escape(model, safe='')}/versions"
    return listed("listRegisteredVersions", path, registered.ModelVersionInfo, filters, limit, scope=None)


def registered_datasets(limit: int | None, filters: Filters) -> Listing[registered.DatasetVersion]:
    """The versions of datasets in the public register."""
    return listed(
        "listRegisteredDatasets", "/v1/register/datasets", registered.DatasetVersion, filters, limit, scope=None
    )


def registered_dataset(dataset: str, against: str | None) -> Call[registered.DatasetShown]:
    """One version of a dataset in the public register."""
    path, asked = f"/v1/register/datasets/{escape(dataset, safe='')}", None if against is None else {"against": against}
    return get("getRegisteredDataset", path, registered.DatasetShown, asked)


def registered_runs(limit: int | None, filters: Filters) -> Listing[registered.RegisteredRun]:
    """The training runs of listed versions of models."""
    return listed("listRegisteredRuns", "/v1/register/runs", registered.RegisteredRun, filters, limit, scope=None)


def registered_statement(statement: str) -> Call[bytes]:
    """The statement file of what the register shows, as sent."""
    holds = reader(StatementFile)

    def read(body: bytes) -> bytes:
        holds(body)
        return body

    return Call("getRegisteredStatement", "GET", f"/v1/register/statements/{escape(statement, safe='')}", read)
