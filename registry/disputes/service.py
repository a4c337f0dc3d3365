"""Opening a dispute, showing it, ending it: what all steps have in common, each signed by whoever takes it, and once.

All steps happen one after the other under the lock of settlement. Of a work, the consent head of whoever registered it
is taken too before the log's pending id is drawn: no licence gets an index after a dispute that it ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.disputes import ANSWERED_WITHIN
from licet.statements.envelope import Envelope
from licet.statements.kinds import DisputeStep
from licet.wire.common import Page, StatementFile
from licet.wire.disputes import DisputeAccepted, DisputeInfo, DisputeShown, DisputeStepShown
from registry import translog
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.accounts.statements import file_of
from registry.consent.conflicts import disputes_changed
from registry.consent.queries.statements import LOCK_HEAD
from registry.database import Connection, Row
from registry.disputes import queries, words
from registry.disputes.lasting import answer_times
from registry.disputes.subjects import Subject, hold_evidence, subject_of
from registry.disputes.telling import info_of
from registry.errors import Conflict, Gone, Invalid, NotFound
from registry.http.paging import Asked, page_of
from registry.services import Services
from registry.settlement import escrow_queries
from registry.settlement.queries import LOCK
from registry.settlement.refunding import Outcome, contest_in, decide_in
from registry.splits.intake import opened

MOST_OPEN: Final = 5
MOST_WRONG: Final = 3  # within…
SUSPENDED_FOR: Final = timedelta(days=365)
_MOST_WAITING: Final = 30
_OF_CHARGES: Final[dict[str, Outcome]] = {"upheld": "refunded", "dismissed": "stands", "withdrawn": "withdrawn"}


class Kept(NamedTuple):
    """A step that was taken, and under which statement and pending id."""

    dispute: UUID
    statement: str
    pending: int


class StepTold(NamedTuple):
    """A step of a dispute with what was signed: None once it was erased, or while it is not published yet."""

    step: str
    account: str | None
    payload: DisputeStep | None


class Told(NamedTuple):
    """A dispute, and what was said in it."""

    dispute: DisputeInfo
    steps: list[StepTold]


class ForOffice(NamedTuple):
    """What waits for an operator: disputes to be decided, and appeals to be reviewed."""

    decide: int
    review: int


async def open_dispute(services: Services, caller: Caller, envelope: Envelope) -> DisputeAccepted:
    """Return once the dispute is in the published log, and holds what it is about; again has no second effect.

    Raises ``MalformedError`` and ``Invalid`` naming the field, ``NotFound`` for what is not there or not the caller's,
    and ``Conflict`` for what is disputed or was decided on, too late, or one more than an account may have open.
    """
    kept = await services.database.run(partial(_open, services, caller, envelope))
    return await accepted(services, caller, kept)


async def shown(services: Services, account: UUID | None, dispute: UUID) -> DisputeShown:
    """Return the dispute with its documents, for a party or auditor (None: the office); raises ``NotFound``."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        (info,) = await _infos(conn, [await seen(conn, account, dispute)])
        steps = [
            DisputeStepShown(
                identifiers.from_uuid("stm", row["id"]),
                row["step"],
                None if row["account"] is None else identifiers.from_uuid(row["kind"], row["account"]),
                await _file(conn, row["pending"]),
            )
            for row in await conn.fetch(queries.STEPS, dispute)
        ]
    return DisputeShown(info, steps)


async def told(services: Services, account: UUID | None, dispute: UUID) -> Told:
    """Return what `shown` does without what proves it: each proof is several questions to the database."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        (info,) = await _infos(conn, [await seen(conn, account, dispute)])
        rows = await conn.fetch(queries.SAID, dispute)
    return Told(info, [_said(row) for row in rows])


async def listed(
    conn: Connection,
    account: UUID | None,
    asked: Asked,
    *,
    state: str | None = None,
    work: UUID | None = None,
    charge: UUID | None = None,
) -> Page[DisputeInfo]:
    """Return one page of the disputes that ``account`` is a party to, or audits (None, the office's: of all)."""
    rows, more = await page_of(conn, queries.DISPUTES, asked, account, state, work, charge)
    return Page(await _infos(conn, rows), more)


async def waiting(conn: Connection, account: UUID, now: datetime) -> list[DisputeInfo]:
    """Return the oldest disputes that ``account`` is to answer, or that it lost and can appeal; at most 30."""
    return await _infos(conn, await conn.fetch(queries.WAITING, account, now, _MOST_WAITING))


async def waiting_for_office(conn: Connection, operator: UUID, now: datetime) -> ForOffice:
    """Return how many disputes an operator can decide, and how many appeals can be reviewed by this ``operator``."""
    row = await conn.fetchrow(queries.FOR_OFFICE, operator)
    assert row is not None  # it counts
    silent = await conn.fetch(queries.UNANSWERED, now - ANSWERED_WITHIN)
    until = await answer_times(conn, silent, now)
    return ForOffice(row["answered"] + sum(each <= now for each in until.values()), row["review"])


async def seen(conn: Connection, account: UUID | None, dispute: UUID) -> Row:
    """Return one dispute that ``account`` may see; raises ``NotFound``, also for another's."""
    row = await conn.fetchrow(queries.SEEN, account, dispute)
    if row is None:
        raise NotFound("there is no such dispute among those that you are a party to, or audit")
    return row


async def opening_of(conn: Connection, row: Row) -> DisputeStep | None:
    """Return what opened a dispute, None once it was erased."""
    sealed = await conn.fetchval(queries.ENVELOPE, row["pending"])
    return None if sealed is None else envelopes.read_as(DisputeStep, envelopes.parse(sealed))


async def end(
    services: Services, conn: Connection, row: Row, outcome: str, now: datetime, operator: UUID | None = None
) -> None:
    """The dispute has ended in ``outcome``, and what it held goes where that says.

    ``operator``: whose decision that is. The lock of settlement is the caller's and, of a work, the consent head of
    whoever registered it.
    """
    await conn.execute(queries.END, row["id"], outcome, now, operator)
    if row["work"] is not None:
        await disputes_changed(conn, row["against"], [row["work"]])
    else:
        transfer = identifiers.from_uuid("tra", row["transfer"])
        await decide_in(services, conn, transfer, now, _OF_CHARGES[outcome])


async def keep(
    conn: Connection, dispute: UUID, payload: DisputeStep, envelope: Envelope, account: UUID | None
) -> tuple[UUID, int]:
    """Return the statement and its pending id under which the log takes one step."""
    statement = identifiers.new_uuid()
    name = identifiers.from_uuid("stm", statement)
    pending = await translog.submit(conn, "dispute-step", name, envelopes.encode(envelope), account)
    return statement, pending


async def _open(services: Services, caller: Caller, envelope: Envelope, conn: Connection) -> Kept:
    await conn.execute(LOCK)
    digest = bytes.fromhex(envelope.payload_digest)
    known = await taken(conn, caller, digest)
    if known is not None:
        return known
    payload = await opened(conn, DisputeStep, envelope, caller, services.keys.ref)
    if payload.step != "open":
        raise Invalid.field("step", "open", payload.step)
    number = identifiers.to_uuid(payload.dispute, "dsp", field="dispute")
    now = times.now()
    subject = await subject_of(conn, caller, payload, now)
    await hold_evidence(conn, payload)
    await _hold_free(conn, caller, subject, payload.subject)
    await _hold_few(conn, caller, now)
    if subject.work is not None:
        await conn.fetchrow(LOCK_HEAD, subject.against)
    statement, pending = await keep(conn, number, payload, envelope, caller.account)
    kept = await conn.fetchval(
        queries.KEEP, number, caller.account, subject.against, subject.work, subject.transfer, digest, pending, now
    )
    if kept is None:
        raise Conflict("dispute: expected an identifier that is new, got that of another dispute")
    await conn.execute(queries.KEEP_STEP, statement, number, "open", None, digest, caller.account, pending)
    if subject.work is not None:
        await disputes_changed(conn, subject.against, [subject.work])
    else:
        await contest_in(conn, payload.subject, f"disputed: {payload.dispute}", now)
    row = await seen(conn, caller.account, number)
    told = words.opened(caller.id, payload.dispute, payload.subject, now + ANSWERED_WITHIN, holds=row["holds"])
    await events.tell(conn, subject.against, "dispute-opened", payload.dispute, told)
    return Kept(number, identifiers.from_uuid("stm", statement), pending)


async def _hold_free(conn: Connection, caller: Caller, subject: Subject, name: str) -> None:
    for row in await conn.fetch(queries.ON_THE_SAME, subject.work, subject.transfer):
        if row["outcome"] is None:
            raise Conflict(f"{name} is disputed already, and nobody has decided")
        decided = subject.transfer is not None and row["outcome"] != "withdrawn"
        if decided or row["account"] == caller.account:
            raise Conflict(f"{name} was disputed, and that ended: {row['outcome']}")
    if subject.transfer is not None:
        contested = await conn.fetchrow(escrow_queries.CONTESTED, subject.transfer)
        if contested is not None and contested["outcome"] is None:  # else taking the dispute back would end that, too
            raise Conflict(f"{name} is held by the office already, which has not decided on it")


async def _hold_few(conn: Connection, caller: Caller, now: datetime) -> None:
    row = await conn.fetchrow(queries.OPENED, caller.account, now - SUSPENDED_FOR)
    assert row is not None  # it counts
    if row["open"] >= MOST_OPEN:
        raise Conflict(f"expected at most {MOST_OPEN} open disputes of an account, got one more")
    if row["wrong"] >= MOST_WRONG:
        raise Conflict(
            f"{MOST_WRONG} disputes of this account were dismissed, or taken back after an objection, within "
            f"{SUSPENDED_FOR.days} days: it cannot open more"
        )


async def taken(conn: Connection, caller: Caller, digest: bytes) -> Kept | None:
    """Return the step of ``caller`` with this digest, None where it was not taken yet."""
    row = await conn.fetchrow(queries.TAKEN, digest)
    if row is None or row["account"] != caller.account:
        return None
    return Kept(row["dispute"], identifiers.from_uuid("stm", row["id"]), row["pending"])


async def accepted(services: Services, caller: Caller, kept: Kept) -> DisputeAccepted:
    """Return the dispute and the receipt once the step is in the published log."""
    receipt = await translog.wait(services.database, kept.pending)
    async with services.database.acquire() as conn:
        (info,) = await _infos(conn, [await seen(conn, caller.account, kept.dispute)])
    return DisputeAccepted(info, kept.statement, receipt)


async def _infos(conn: Connection, rows: Sequence[Row]) -> list[DisputeInfo]:
    until = await answer_times(conn, rows, times.now())
    return [info_of(row, until[row["id"]]) for row in rows]


async def _file(conn: Connection, pending: int) -> StatementFile | None:
    try:
        return await file_of(conn, pending, "dispute-step")
    except (Gone, NotFound):  # erased, or not published yet
        return None


def _said(row: Row) -> StepTold:
    sealed = None if row["envelope"] is None else envelopes.parse(row["envelope"])
    return StepTold(
        row["step"],
        None if row["account"] is None else identifiers.from_uuid(row["kind"], row["account"]),
        None if sealed is None else envelopes.read_as(DisputeStep, sealed),
    )
