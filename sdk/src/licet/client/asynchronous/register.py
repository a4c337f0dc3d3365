"""The public register: models, datasets and runs."""

from __future__ import annotations

from collections.abc import AsyncIterator

from licet.client.asynchronous.connection import AsyncConnection
from licet.client.endpoints import register as endpoints
from licet.statements.envelope import Envelope
from licet.wire import register as registered
from licet.wire import usage


class AsyncRegister(AsyncConnection):
    """The public register: models, datasets and runs."""

    async def describe_model(self, envelope: Envelope) -> usage.Logged:
        """Return once the model card is in the log; it is what counts for its version from then on."""
        return await self.transport.do(endpoints.describe_model(envelope))

    def models(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[registered.ModelInfo]:
        """Yield the organisation's models."""
        return self._pages(endpoints.models(limit, filters))

    async def model(self, model: str) -> registered.ModelInfo:
        """Return one model of the organisation."""
        return await self.transport.do(endpoints.model(model))

    def model_versions(
        self, model: str, *, limit: int | None = None, **filters: str | int
    ) -> AsyncIterator[registered.ModelVersionInfo]:
        """Yield the versions of a model of the organisation, and what each was trained on."""
        return self._pages(endpoints.model_versions(model, limit, filters))

    async def dataset_version(self, dataset: str, *, against: str | None = None) -> registered.DatasetShown:
        """Return one version of a dataset of the organisation, and what differs from ``against`` or the one before."""
        return await self.transport.do(endpoints.dataset(dataset, against))

    def registered_models(
        self, *, limit: int | None = None, **filters: str | int
    ) -> AsyncIterator[registered.ModelInfo]:
        """Yield the models of the public register."""
        return self._pages(endpoints.registered_models(limit, filters))

    async def registered_model(self, model: str) -> registered.ModelInfo:
        """Return one model of the public register."""
        return await self.transport.do(endpoints.registered_model(model))

    def registered_versions(
        self, model: str, *, limit: int | None = None, **filters: str | int
    ) -> AsyncIterator[registered.ModelVersionInfo]:
        """Yield the listed versions of a model, and what each was trained on."""
        return self._pages(endpoints.registered_versions(model, limit, filters))

    def registered_datasets(
        self, *, limit: int | None = None, **filters: str | int
    ) -> AsyncIterator[registered.DatasetVersion]:
        """Yield the versions of datasets in the public register."""
        return self._pages(endpoints.registered_datasets(limit, filters))

    async def registered_dataset(self, dataset: str, *, against: str | None = None) -> registered.DatasetShown:
        """Return one version of a dataset in the public register, and what differs from the one before."""
        return await self.transport.do(endpoints.registered_dataset(dataset, against))

    def registered_runs(
        self, *, limit: int | None = None, **filters: str | int
    ) -> AsyncIterator[registered.RegisteredRun]:
        """Yield the training runs of listed versions of models."""
        return self._pages(endpoints.registered_runs(limit, filters))

    async def registered_statement(self, statement: str) -> bytes:
        """Return the file of a statement that the register shows: of a ``dst_…``, a ``run_…`` or a ``crd_…``."""
        return await self.transport.do(endpoints.registered_statement(statement))
