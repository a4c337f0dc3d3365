"""Usage batches: what an organisation owns up to under one signature, posted and logged once (semantics 20)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
import numpy as np

from licet import identifiers, times
from licet.canonical import from_base64
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.event_columns import EventColumns
from licet.statements.kinds import Total, UsageBatch
from licet.wire.common import Page
from licet.wire.usage import UsageAccepted, UsageBatchInfo, UsageBatchSubmit
from registry import consent, translog
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.errors import Conflict, Invalid, NotAllowed
from registry.http import bodies
from registry.http.paging import Asked, page_of
from registry.ledger import Transfer
from registry.licensing import accrual, accruing
from registry.licensing.columns import Charges, Ints, Truths, Uses
from registry.licensing.owing import OverLimit
from registry.licensing.queries import LOCK_ORGANISATION
from registry.licensing.signatures import opened
from registry.licensing.types import Posting, Reported
from registry.observing.meters import count_once_committed
from registry.services import Services
from registry.usage import corrections, events, queries
from registry.usage.charging import charged
from registry.usage.corrections import Outcome
from registry.usage.reading import Submitted, checked
from registry.usage.refusals import InvalidEvents

_LOOKED_FOR: Final = 64  # of a batch, at most, before it is taken for new
_JSON: Final = msgspec.json.Decoder(UsageBatchSubmit)


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
    read: Uses | list[Reported]
    secret: bytes
    at: datetime


def submitted(body: bytes) -> Submitted:
    """Return what a body of JSON holds; raises ``Invalid`` naming the field."""
    data: UsageBatchSubmit = bodies.read(body, _JSON)
    correcting = [corrections.is_correction(event) for event in data.events]
    if not any(correcting):
        return Submitted(data.envelope, data.secret, EventColumns.of(data.events))
    if not all(correcting):
        place = correcting.index(False)
        raise Invalid.field(f"events[{place}].corrects", "corrections alone, or none, in one batch", "an event")
    return Submitted(data.envelope, data.secret, EventColumns.of([]), data.events)


async def submit(services: Services, caller: Caller, data: Submitted) -> UsageAccepted:
    """Return once the batch is posted and in the published log; sending it again has no second effect.

    An event that was reported before, in whichever batch, is not posted again. Raises ``Conflict`` for the batch's id
    with other content, ``InvalidEvents`` naming an event that cannot be or totals that are not what the licences say,
    ``Invalid`` for a batch that does not fit its events or is not the caller's, ``OverLimit`` where the caller would
    owe too much: then nothing of the batch is stored, and the same bytes can be sent again.
    """
    payload = envelopes.read_as(UsageBatch, data.envelope)  # not trusted before `opened` below
    number = identifiers.to_uuid(payload.batch, "bat", field="payload.batch")
    async with services.database.acquire() as conn:
        kept = await _present(conn, caller, number, data.envelope)
    if kept is None:
        now = times.now()
        secret = from_base64(data.secret, "secret")
        read: Uses | list[Reported]
        if data.corrections:
            read = await asyncio.to_thread(events.checked, payload, data.corrections, secret, now)
        else:
            read = await asyncio.to_thread(checked, payload, data.columns, secret, now)
        batch = _Batch(number, payload, data.envelope, read, secret, now)
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
    limit = services.settings.owed_limit_micro
    posting = Posting(payload.batch, caller.account, caller.id, batch.id, batch.at, limit, caller.token)
    # Consent heads are shared in here, before the place in the log is drawn: a split that is agreed meanwhile comes
    # after this batch, with its debts.
    if isinstance(batch.read, list):
        outcome = await corrections.prepared(conn, posting, payload, batch.read)
    else:
        outcome = await _written(conn, posting, payload, batch.read)
    for name, number in (("new", outcome.new), ("known", outcome.known), ("memorandum", outcome.memoranda)):
        count_once_committed("licet_usage_events_total", name, by=number)
    pending = await translog.submit(
        conn, "usage-batch", payload.batch, envelopes.encode(batch.envelope), caller.account
    )
    kept = _Kept(pending, outcome.new, outcome.known, outcome.memoranda)
    await _store(conn, caller, batch, kept)
    await outcome.post(conn)
    if outcome.known:
        await conn.copy_records_to_table("usage_repeats", records=outcome.repeats, columns=queries.REPEATS)
    return kept


async def _written(conn: Connection, posting: Posting, payload: UsageBatch, uses: Uses) -> Outcome:
    """Return what ``uses`` come to; those that nobody reported before are usage events, and not yet charged."""
    try:
        charges, totals = await charged(conn, posting.organisation, uses)
    except InputError as error:
        raise InvalidEvents(error.message) from None
    if totals != payload.totals:
        raise InvalidEvents.field("payload.totals", f"what the licences say, {totals}", payload.totals)
    owing = np.unique(charges.artist[charges.amount > 0]).tolist()
    await consent.lock_heads_shared(conn, [charges.artists[place] for place in owing])
    fresh, transfers = await _new(conn, posting, uses, charges)
    memoranda, known = int((fresh & (charges.memorandum >= 0)).sum()), int((~fresh).sum())
    return Outcome(
        len(fresh) - known - memoranda,
        known,
        memoranda,
        partial(accrual.enter, transfers=transfers, at=posting.at),
        _repeats(posting.batch, uses, np.flatnonzero(~fresh)),
    )


async def _new(conn: Connection, posting: Posting, uses: Uses, charges: Charges) -> tuple[Truths, list[Transfer]]:
    """Return which of ``uses`` were new, and what these owe; they are usage events now.

    Most batches hold new uses alone, and a few that are looked for show which do not. So all are written at once, and
    only where the primary key, or what may be owed, forbids that, each is looked for.
    """
    fresh = np.ones(len(uses.ids), bool)
    if not await conn.fetch(queries.KNOWN, uses.ids[:: len(uses.ids) // _LOOKED_FOR + 1]):
        with contextlib.suppress(asyncpg.UniqueViolationError, OverLimit):
            async with conn.transaction():  # a savepoint
                return fresh, await accruing.write(conn, posting, uses, charges, fresh)
    known = {row["id"] for row in await conn.fetch(queries.KNOWN, uses.ids)}
    fresh = np.array([each not in known for each in uses.ids])
    return fresh, await accruing.write(conn, posting, uses, charges, fresh)


def _repeats(batch: UUID | None, uses: Uses, rows: Ints) -> Iterator[tuple[Any, ...]]:
    given = uses.columns
    for row in rows.tolist():
        moment = times.from_text(given.at.at(row) or "")
        yield batch, uses.ids[row], int(given.quantity[row]), moment, given.match.at(row)


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
