"""Usage batches: what an organisation owns up to under one signature, posted and logged once (semantics 20)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

import msgspec

from licet import identifiers, times
from licet.canonical import from_base64
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import Total, UsageBatch
from licet.statements.owed import totals
from licet.wire.common import Page
from licet.wire.usage import UsageAccepted, UsageBatchInfo, UsageBatchSubmit
from registry import consent, translog
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.errors import Conflict, NotAllowed
from registry.http.paging import Asked, page_of
from registry.licensing import accrual
from registry.licensing.queries import LOCK_ORGANISATION
from registry.licensing.signatures import opened
from registry.licensing.types import Accrual, Posting, Reported
from registry.observing.meters import count_once_committed
from registry.services import Services
from registry.usage import queries
from registry.usage.coverage import Coverage, coverage
from registry.usage.events import checked
from registry.usage.refusals import InvalidEvents


class _Kept(NamedTuple):
    pending: int
    new: int
    known: int
    memorandum: int


class _Batch(NamedTuple):
    """A submitted batch whose every part that needs no database has been checked."""

    id: UUID
    payload: UsageBatch
    envelope: Envelope
    events: list[Reported]
    secret: bytes
    at: datetime


async def submit(services: Services, caller: Caller, data: UsageBatchSubmit) -> UsageAccepted:
    """Return once the batch is posted and in the published log; sending it again has no second effect.

    An event that was reported before, in whichever batch, is not posted again. Raises ``Conflict`` for the batch's id
    with other content, ``InvalidEvents`` naming an event that cannot be or totals that are not what the licences say,
    ``Invalid`` for a batch that does not fit its events or is not the caller's.
    """
    payload = envelopes.read_as(UsageBatch, data.envelope)  # not trusted before `opened` below
    number = identifiers.to_uuid(payload.batch, "bat", field="payload.batch")
    async with services.database.acquire() as conn:
        kept = await _present(conn, caller, number, data.envelope)
    if kept is None:
        now = times.now()
        secret = from_base64(data.secret, "secret")
        events = await asyncio.to_thread(checked, payload, data.events, secret, now)
        batch = _Batch(number, payload, data.envelope, events, secret, now)
        kept = await services.database.run(partial(_post, services, caller, batch))
    receipt = await translog.wait(services.database, kept.pending)
    return UsageAccepted(payload.batch, kept.new, kept.known, kept.memorandum, receipt)


async def listed(
    conn: Connection, caller: Caller, asked: Asked, *, dataset: UUID | None = None
) -> Page[UsageBatchInfo]:
    """Return one page of the caller's batches; raises ``Invalid`` naming the parameter."""
    rows, more = await page_of(conn, queries.BATCHES, asked, caller.account, dataset)
    items = [
        UsageBatchInfo(
            batch=identifiers.from_uuid("bat", row["id"]),
            dataset=None if row["dataset"] is None else identifiers.from_uuid("dst", row["dataset"]),
            count=row["count"],
            new=row["new"],
            known=row["known"],
            memorandum=row["memorandum"],
            totals=msgspec.json.decode(row["totals"], type=list[Total]),
            log_index=row["index"],
            accepted_at=times.to_text(row["accepted_at"]),
        )
        for row in rows
    ]
    return Page(items, more)


async def _present(conn: Connection, caller: Caller, number: UUID, envelope: Envelope) -> _Kept | None:
    row = await conn.fetchrow(queries.BATCH, number)
    if row is None:
        return None
    if row["organisation"] != caller.account or row["payload_digest"].hex() != envelope.payload_digest:
        raise Conflict("this batch identifier was used for other content")
    return _Kept(row["pending"], row["new"], row["known"], row["memorandum"])


async def _post(services: Services, caller: Caller, batch: _Batch, conn: Connection) -> _Kept:
    # The organisation's row is locked first: its events are only ever reported one batch after the other.
    if await conn.fetchval(LOCK_ORGANISATION, caller.account) is None:
        raise NotAllowed("only an organisation reports usage")
    present = await _present(conn, caller, batch.id, batch.envelope)
    if present is not None:
        return present
    payload = await opened(conn, UsageBatch, batch.envelope, caller, services.keys.ref)
    found = await coverage(conn, caller.account, batch.events)
    accruals = await asyncio.to_thread(_accruals, found, payload, batch.events)
    known = {row["id"] for row in await conn.fetch(queries.KNOWN, [each.id for each in batch.events])}
    fresh = [each for each in accruals if each.reported.id not in known]
    memoranda = sum(each.memorandum is not None for each in fresh)
    for outcome, number in (
        ("new", len(fresh) - memoranda),
        ("known", len(accruals) - len(fresh)),
        ("memorandum", memoranda),
    ):
        count_once_committed("licet_usage_events_total", outcome, by=number)
    # Before the place in the log is drawn: a split that is agreed meanwhile comes after this batch, with its debts.
    await consent.lock_heads_shared(conn, {each.artist for each in fresh if each.artist is not None and each.amount})
    pending = await translog.submit(
        conn, "usage-batch", payload.batch, envelopes.encode(batch.envelope), caller.account
    )
    kept = _Kept(pending, len(fresh) - memoranda, len(known), memoranda)
    await _store(conn, caller, batch, kept)
    await accrual.post(conn, Posting(payload.batch, caller.account, caller.id, batch.id, batch.at), fresh)
    if known:
        await conn.copy_records_to_table(
            "usage_repeats",
            records=[
                (batch.id, each.id, each.event.quantity, each.at, each.event.match)
                for each in batch.events
                if each.id in known
            ],
            columns=queries.REPEATS,
        )
    return kept


def _accruals(found: Coverage, payload: UsageBatch, events: Sequence[Reported]) -> list[Accrual]:
    """Return what the events come to; raises ``InvalidEvents`` unless that is what the organisation signed."""
    accruals = found.accruals(events)
    try:
        owed = totals(found.claims(events))
    except InputError as error:
        raise InvalidEvents(error.message) from None
    if owed != payload.totals:
        raise InvalidEvents.field("payload.totals", f"what the licences say, {owed}", payload.totals)
    return accruals


async def _store(conn: Connection, caller: Caller, batch: _Batch, kept: _Kept) -> None:
    payload = batch.payload
    await conn.execute(
        queries.ADD_BATCH,
        batch.id,
        caller.account,
        None if payload.dataset is None else identifiers.to_uuid(payload.dataset, "dst", field="payload.dataset"),
        kept.pending,
        bytes.fromhex(batch.envelope.payload_digest),
        batch.secret,
        payload.count,
        kept.new,
        kept.known,
        kept.memorandum,
        msgspec.json.encode(payload.totals).decode(),
        times.from_text(payload.first_at),
        times.from_text(payload.last_at),
        batch.at,
    )
