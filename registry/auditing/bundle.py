"""A bundle, put together from one state of the database: read in pieces, written in threads, in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from itertools import groupby
from typing import IO, Any, Final, TypeVar

import msgspec

from licet import canonical, identifiers, times
from licet.audit.closed import alone, among_all
from licet.audit.layout import (
    CLOSE,
    STATEMENT_KINDS,
    BundleDuty,
    BundleLeftOut,
    BundleLine,
    BundleWork,
    ClosedLine,
    Consistency,
    EventProof,
    Period,
)
from licet.audit.tables import BalanceRow, EventRow, LedgerRow, TransferRow
from licet.audit.writing import About, BundleWriter, framed
from licet.canonical import to_base64
from licet.errors import InputError
from licet.log import merkle
from licet.statements.kinds import LicenceLine
from licet.statements.licences import event_leaf
from licet.statements.periods import ACCRUALS
from registry import closing, translog
from registry.accounts.identity import Caller
from registry.auditing import queries
from registry.auditing.contents import Contents, contents_of, part_of, span_of
from registry.auditing.evidence import Prover, signed_checkpoint
from registry.auditing.types import Part, Reported, Span, Statement, Subject
from registry.closing.reading import line_proofs
from registry.database import Connection, Row
from registry.errors import TooLarge
from registry.licensing.licences import line_of
from registry.licensing.queries import LINES
from registry.services import Services
from registry.translog import queries as log_queries
from registry.translog.keys import SUBJECT
from registry.translog.tree import consistency_proof, frontier
from registry.usage.verification import event_of
from registry.works.service import keys_in
from registry.works.types import Keys, digest_form

_STATEMENTS_AT_A_TIME: Final = 64
_ENTRIES_AT_A_TIME: Final = 2048
_ROWS_AT_A_TIME: Final = 4096

T = TypeVar("T")


async def build(services: Services, caller: Caller, period: Period, subject: Subject | None, out: IO[bytes]) -> None:
    """The bundle of ``period`` is in ``out``: the part of ``subject``, of all that staff may see, else of ``caller``.

    Raises as `part_of` does of what the caller may not see, ``TooLarge`` for a bundle of too many members,
    ``Gone`` for a month from which a statement was erased.
    """
    try:
        async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
            await services.keys.refresh(conn)
            office = services.keys.office
            part = await part_of(conn, caller, period, subject)
            span = await span_of(conn, period)
            found = await contents_of(conn, span, part)
            about = About(services.keys.ref, period, part.id, part.uses, times.to_text(times.now()))
            writer = BundleWriter(out, about)
            prover = await _log(conn, services, span, found, writer)
            await _statements(conn, prover, part, found, writer)
            await asyncio.to_thread(writer.duties, [_duty(row) for row in found.duties])
            await asyncio.to_thread(writer.left_out, [_left_out(row) for row in found.allotted.left_out])
            await _uses(conn, part, found, writer)
            await _closed(conn, part, found, writer)
            await _ledger(conn, span, part, found, writer)
        await asyncio.to_thread(writer.finish, office)
    except InputError as error:
        raise TooLarge(f"{error.message}; ask for one organisation at a time") from None


async def _log(conn: Connection, services: Services, span: Span, found: Contents, writer: BundleWriter) -> Prover:
    """Write the log around the month; return what proves statements under its closing checkpoint.

    It ends behind the first entry after the month, and behind the last statement that is shown, the registry's keys
    among them.
    """
    named = await conn.fetch(log_queries.REGISTRY_KEYS, SUBJECT)
    indices = await translog.indices(conn, [row["id"] for row in named])
    last = [*(statement.index for statement in found.statements), *indices.values()]
    last += [closed.log_index for closed in (*found.before, found.closed) if closed is not None]
    closing = max(min(span.end + 1, span.published), *(index + 1 for index in last))
    first = max(0, span.opening - 1)
    prover = Prover(conn, services.keys, closing, await signed_checkpoint(conn, services.keys, closing))
    hashes = await consistency_proof(conn, span.opening, closing) if span.opening else []
    edge = await frontier(conn, first)
    writer.log(
        opening=await signed_checkpoint(conn, services.keys, span.opening),
        closing=prover.checkpoint,
        consistency=Consistency(span.opening, closing, [to_base64(each) for each in hashes]),
        frontier=edge.encode(),
        keys=await prover.registry(),
    )
    with writer.entries() as member:
        async for rows in _pieces(conn, queries.ENTRIES, first, closing, size=_ENTRIES_AT_A_TIME):
            await asyncio.to_thread(member.write, b"".join(framed(row["entry"]) for row in rows))
    return prover


async def _statements(conn: Connection, prover: Prover, part: Part, found: Contents, writer: BundleWriter) -> None:
    """Write every statement, the lines of licences, and which works the consents cover."""
    statements = found.statements
    for at in range(0, len(statements), _STATEMENTS_AT_A_TIME):
        some = statements[at : at + _STATEMENTS_AT_A_TIME]
        files = await prover.files([(each.pending, None if each.kind == "erase" else each.account) for each in some])
        for statement, file in zip(some, files, strict=True):
            await asyncio.to_thread(
                writer.statement, statement.kind, _text(statement), file, times.to_text(statement.at)
            )
    for closed in filter(None, (*found.before, found.closed)):
        (file,) = await prover.files([(closed.pending, None)])
        row = await conn.fetchrow(queries.CLOSE, closed.pending, closed.log_index)
        assert row is not None
        writer.statement(CLOSE, row["subject"], file, times.to_text(row["at"]))
    for each in found.licences:
        lines = [line_of(row) for row in await conn.fetch(LINES, each.statement.id, None)]
        own = None if part.account in (None, each.statement.account) else part.id
        await asyncio.to_thread(_lines, writer, _text(each.statement), lines, own, found.shared)
    async with _threaded(writer.works()) as works:
        for consent in found.consents:
            wanted = found.relied.get(consent.id)
            if wanted:
                scope = await conn.fetch(queries.SCOPE, consent.id)
                rows = await conn.fetch(queries.SCOPE_WORKS, consent.id, list(wanted))
                covered = await asyncio.to_thread(_covered, consent, scope, rows)
                await asyncio.to_thread(works.write, covered)


def _lines(
    writer: BundleWriter, licence: str, lines: Sequence[LicenceLine], own: str | None, shared: Collection[str]
) -> None:
    """Write the lines of a licence: all, or those of works that ``own`` registered or has ``shared``, proven each."""
    shown = [(at, line) for at, line in enumerate(lines) if own is None or line.account == own or line.work in shared]
    if len(shown) == len(lines):
        writer.lines(licence, (BundleLine(line) for line in lines))
        return
    tree = merkle.Tree(merkle.leaf_hash(canonical.encode(line)) for line in lines)
    writer.lines(licence, (BundleLine(line, at, _path(tree, at)) for at, line in shown))


def _covered(consent: Statement, scope: Sequence[Row], rows: Sequence[Row]) -> list[BundleWork]:
    """Return the works of ``rows``, each with the proof that ``consent`` covers it."""
    tree = merkle.Tree(merkle.leaf_hash(row["digest"]) for row in scope)
    places = {row["id"]: at for at, row in enumerate(scope)}
    found = []
    for row in rows:
        keys = keys_in(row) if row["keys"] is None else msgspec.json.decode(row["keys"], type=Keys)
        work = digest_form(row["id"], identifiers.from_uuid(row["kind"], row["account"]), keys)
        at = places[row["id"]]
        found.append(BundleWork(_text(consent), work, at, _path(tree, at)))
    return found


def _duty(row: Row) -> BundleDuty:
    return BundleDuty(
        duty=identifiers.from_uuid("dut", row["id"]),
        document=row["digest"].hex(),
        licence=identifiers.from_uuid("lic", row["licence"]),
        organisation=identifiers.from_uuid("org", row["organisation"]),
        account=identifiers.from_uuid(row["kind"], row["account"]),
        works=row["works"],
        notice_days=row["notice_days"],
        effect=row["effect"],
        revoked_at=times.to_text(row["at"]),
        due_at=times.to_text(row["due_at"]),
        done_at=None if row["done_at"] is None else times.to_text(row["done_at"]),
    )


def _left_out(row: Row) -> BundleLeftOut:
    licence = identifiers.from_uuid("lic", row["licence"])
    return BundleLeftOut(licence, row["period"], times.to_text(row["since"]), row["posted"])


async def _uses(conn: Connection, part: Part, found: Contents, writer: BundleWriter) -> None:
    """Write the uses of every batch, then those that licences began with; sources are in the order of their ids."""
    proofs: list[EventProof] = []
    async with _threaded(writer.events()) as events:
        for batch in found.batches:
            rows = await conn.fetch(queries.BATCH_EVENTS, batch.statement.id)
            shown, proven = await asyncio.to_thread(_batch, batch, rows, part, found)
            await asyncio.to_thread(events.write, shown)
            proofs += proven
        for licence in found.licences:
            if licence.begins:
                seen = (part.account, part.uses, licence.statement.id)
                rows = await conn.fetch(queries.LICENCE_EVENTS, *seen)
                source = _text(licence.statement)
                shown = [_event(row, source, None, times.to_text(row["posted_at"])) for row in rows]
                await asyncio.to_thread(events.write, shown)
    await asyncio.to_thread(writer.proofs, proofs)


def _batch(
    batch: Reported, rows: Sequence[Row], part: Part, found: Contents
) -> tuple[list[EventRow], list[EventProof]]:
    """Return the events of a batch that are shown; with proofs where they are not all."""
    source, posted_at = _text(batch.statement), times.to_text(batch.posted_at)
    own = part.account is None or batch.statement.account == part.account
    salts = [event_leaf(batch.secret, event_of(row))[:32] for row in rows]
    shown: list[tuple[int, EventRow]] = []
    for at, (row, salt) in enumerate(zip(rows, salts, strict=True)):
        event = _event(row, source, salt, posted_at)
        if batch.earlier is not None:
            if row["id"] in batch.earlier:
                shown.append((at, _plain(event, "earlier")))
        elif own or (event.effect != "known" and _earned(row, part, found)):
            shown.append((at, event))
    if len(shown) == len(rows) and batch.earlier is None:
        return [event for _, event in shown], []
    tree = merkle.Tree(
        merkle.leaf_hash(salt + canonical.encode(event_of(row))) for row, salt in zip(rows, salts, strict=True)
    )
    proofs = [EventProof(source, event.id, at, _path(tree, at)) for at, event in shown]
    return [event for _, event in shown], proofs


def _earned(row: Row, part: Part, found: Contents) -> bool:
    """Whether ``part`` earns from a use: of a work of its own, or of one that it has a share in."""
    if row["artist"] == part.account or row["split"] in found.shares:
        return True
    return row["unit"] in ("output", "run") and (row["licence"], row["work"]) in found.allotted.shared


def _event(row: Row, source: str, salt: bytes | None, posted_at: str) -> EventRow:
    """Return one use as the registry tells of it."""
    event = event_of(row)
    first = None
    if row["first_batch"] is not None:
        first = identifiers.from_uuid("bat", row["first_batch"])
    elif row["first_licence"] is not None:
        first = identifiers.from_uuid("lic", row["first_licence"])
    return EventRow(
        source=source,
        effect="known" if first else "memorandum" if row["memorandum"] is not None else "new",
        first=first,
        salt=None if salt is None else salt.hex(),
        payee=None if row["artist"] is None else identifiers.from_uuid(row["kind"], row["artist"]),
        split=None if row["split"] is None else identifiers.from_uuid("spl", row["split"]),
        currency=row["currency"],
        amount=row["amount"],
        fee=row["fee"],
        escrow=row["escrow"],
        memorandum=row["memorandum"],
        posted_at=posted_at,
        **{name: value for name in event.__struct_fields__ if (value := getattr(event, name)) is not msgspec.UNSET},
    )


def _plain(event: EventRow, effect: Any) -> EventRow:
    return msgspec.structs.replace(
        event,
        effect=effect,
        first=None,
        payee=None,
        split=None,
        currency=None,
        amount=0,
        fee=0,
        escrow=False,
        memorandum=None,
    )


async def _closed(conn: Connection, part: Part, found: Contents, writer: BundleWriter) -> None:
    """Write the lines of a closed month: all with their salts, or those of the account with what proves them."""
    if found.closed is None:
        return
    async with _threaded(writer.closed()) as out:
        if part.id is not None:
            out.write(alone(each) for each in await line_proofs(conn, found.closed, part.id))
            return
        waiting: list[ClosedLine] = []
        async for each in closing.lines_with_salts(conn, found.closed):
            waiting.append(among_all(*each))
            if len(waiting) == _ROWS_AT_A_TIME:
                await asyncio.to_thread(out.write, waiting)
                waiting = []
        await asyncio.to_thread(out.write, waiting)


async def _ledger(conn: Connection, span: Span, part: Part, found: Contents, writer: BundleWriter) -> None:
    """Write balances and transfers: what is in the published log, as far as it is shown."""
    month, names = span.period.name, part.ledger_accounts
    rows = await conn.fetch(queries.BALANCES, month, found.unpublished, names, sorted(ACCRUALS), span.published)
    balances = sorted((_balance(row) for row in rows), key=lambda row: (row.account, row.currency))
    async with _threaded(writer.ledger(balances)) as ledger:
        waiting: list[Row] = []
        query = (queries.TRANSFERS, month, found.unpublished, names, found.sources)
        async for some in _pieces(conn, *query, size=_ROWS_AT_A_TIME):
            waiting += some
            last = waiting[-1]["id"]
            whole = [row for row in waiting if row["id"] != last]
            waiting = waiting[len(whole) :]
            await asyncio.to_thread(_transfers, ledger.write, whole)
        await asyncio.to_thread(_transfers, ledger.write, waiting)


def _transfers(write: Callable[[TransferRow, Sequence[LedgerRow]], None], rows: Iterable[Row]) -> None:
    for number, lines in groupby(rows, key=lambda row: row["id"]):
        entries = list(lines)
        head, transfer = entries[0], identifiers.from_uuid("tra", number)
        reverses = None if head["reverses"] is None else identifiers.from_uuid("tra", head["reverses"])
        write(
            TransferRow(
                transfer=transfer,
                at=times.to_text(head["at"]),
                kind=head["kind"],
                source=head["source"],
                key=head["key"],
                memo=head["memo"] or None,
                reverses=reverses,
            ),
            [LedgerRow(transfer, row["name"], row["currency"], row["amount"]) for row in entries],
        )


def _balance(row: Row) -> BalanceRow:
    sums = {name: int(row[name]) for name in ("opening", "accrued", "reversed", "settled")}
    return BalanceRow(account=row["name"], currency=row["currency"], closing=sum(sums.values()), **sums)


def _path(tree: merkle.Tree, at: int) -> list[str]:
    return [to_base64(each) for each in tree.inclusion_proof(at)]


def _text(statement: Statement) -> str:
    return identifiers.from_uuid(STATEMENT_KINDS[statement.kind], statement.id)


async def _pieces(conn: Connection, query: str, *arguments: Any, size: int) -> AsyncIterator[list[Row]]:
    """Yield the rows of ``query``, at most ``size`` at a time."""
    cursor = await conn.cursor(query, *arguments)
    while rows := await cursor.fetch(size):
        yield rows


@asynccontextmanager
async def _threaded(context: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave ``context`` in a thread: both may write much."""
    entered = await asyncio.to_thread(context.__enter__)
    try:
        yield entered
    except BaseException as error:
        await asyncio.to_thread(context.__exit__, type(error), error, error.__traceback__)
        raise
    await asyncio.to_thread(context.__exit__, None, None, None)
