"""Datasets, training runs and uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from licet.client.endpoints.listing import Listing, listed
from licet.exchange.calls import Body, Call, Filters, post, reader
from licet.exchange.retrying import idempotency_key
from licet.statements.envelope import Envelope
from licet.statements.kinds import Event
from licet.wire import usage

MANY_EVENTS: Final = 1_000
"""From here on a batch is sent as Arrow to a service that takes it."""
TAKES_OTHERS: Final = 415


def log_dataset(envelope: Envelope) -> Call[usage.Logged]:
    """A dataset manifest for the log."""
    return post("logDataset", "/v1/datasets", usage.StatementOnly(envelope), usage.Logged, scope="usage")


def datasets(limit: int | None, filters: Filters) -> Listing[usage.DatasetInfo]:
    """The organisation's datasets."""
    return listed("listDatasets", "/v1/datasets", usage.DatasetInfo, filters, limit, scope="usage")


def log_run(envelope: Envelope) -> Call[usage.Logged]:
    """A training run for the log."""
    return post("logRun", "/v1/runs", usage.StatementOnly(envelope), usage.Logged, scope="usage")


def runs(limit: int | None, filters: Filters) -> Listing[usage.RunInfo]:
    """The organisation's training runs."""
    return listed("listRuns", "/v1/runs", usage.RunInfo, filters, limit, scope="usage")


def fits_columns(events: Sequence[Event]) -> bool:
    """Return whether a batch is worth sending as Arrow, which has no columns for corrections."""
    return len(events) >= MANY_EVENTS and events[0].corrects is msgspec.UNSET


def submit_usage(envelope: Envelope, events: Sequence[Event], secret: str) -> Call[usage.UsageAccepted]:
    """A batch of usage."""
    body = usage.UsageBatchSubmit(envelope, list(events), secret)
    return post("submitUsage", "/v1/usage/batches", body, usage.UsageAccepted, scope="usage")


def submit_usage_columns(envelope: Envelope, events: Sequence[Event], secret: str) -> Call[usage.UsageAccepted]:
    """The same batch as one Arrow stream, which a service that does not know of it refuses with 415."""
    from licet.wire.usage_arrow import MEDIA_TYPE, packed  # brings Arrow: only for those with many events

    path = "/v1/usage/batches"
    content = packed(envelope, events, secret)
    key = idempotency_key("POST", path, content)
    body = Body(content, MEDIA_TYPE)
    return Call("submitUsage", "POST", path, reader(usage.UsageAccepted), body=body, key=key, scope="usage")


def usage_batches(limit: int | None, filters: Filters) -> Listing[usage.UsageBatchInfo]:
    """The organisation's usage batches."""
    return listed("listUsage", "/v1/usage/batches", usage.UsageBatchInfo, filters, limit, scope="usage")
