"""Datasets, training runs and uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from licet.client.blocking.connection import Connection
from licet.client.endpoints import usage as endpoints
from licet.errors import LicetError
from licet.statements.envelope import Envelope
from licet.statements.kinds import Event
from licet.wire import usage


class Usage(Connection):
    """Datasets, training runs and uses."""

    def log_dataset(self, envelope: Envelope) -> usage.Logged:
        """Return once the dataset manifest is in the log."""
        return self.transport.do(endpoints.log_dataset(envelope))

    def datasets(self, *, limit: int | None = None, **filters: str | int) -> Iterator[usage.DatasetInfo]:
        """Yield the datasets that the organisation has logged."""
        return self._pages(endpoints.datasets(limit, filters))

    def log_run(self, envelope: Envelope) -> usage.Logged:
        """Return once the training run is in the log."""
        return self.transport.do(endpoints.log_run(envelope))

    def runs(self, *, limit: int | None = None, **filters: str | int) -> Iterator[usage.RunInfo]:
        """Yield the training runs that the organisation has logged."""
        return self._pages(endpoints.runs(limit, filters))

    def submit_usage(self, envelope: Envelope, events: Sequence[Event], secret: str) -> usage.UsageAccepted:
        """Return once the batch is posted and in the log; sending it again has no second effect."""
        if endpoints.fits_columns(events):
            try:
                return self.transport.do(endpoints.submit_usage_columns(envelope, events, secret))
            except LicetError as error:
                if error.status != endpoints.TAKES_OTHERS:
                    raise
        return self.transport.do(endpoints.submit_usage(envelope, events, secret))

    def usage_batches(self, *, limit: int | None = None, **filters: str | int) -> Iterator[usage.UsageBatchInfo]:
        """Yield the usage batches that the organisation has sent."""
        return self._pages(endpoints.usage_batches(limit, filters))
