"""What is told of months: to everybody their totals, to a payee its own lines, and batches to who reported them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from licet import money, times
from licet.audit.layout import period_of
from licet.canonical import to_base64
from licet.log import merkle
from licet.log.sums import COLUMNS, SumLine
from licet.statements.kinds import PeriodTree
from licet.statements.periods import Side, batch_leaf, salt_of
from licet.wire.common import Page
from licet.wire.periods import BatchProof, LineProof, PeriodInfo, PeriodLines, PeriodSums, ProofNode
from registry.accounts.identity import Caller
from registry.accounts.statements import file_of
from registry.closing import queries, trees
from registry.closing.steps import first_month
from registry.database import Connection, Row
from registry.errors import NotFound
from registry.http.paging import Asked, page_of
from registry.ledger import periods

_PREFETCH: Final = 4096


class Closed(NamedTuple):
    """A month whose close is in the published log: what salts its lines, its place in the log, its statement there."""

    period: str
    secret: bytes
    log_first: int
    log_end: int
    batches: int
    pending: int
    log_index: int


async def closed(conn: Connection, period: str) -> Closed | None:
    """Return the month called ``period`` once its close is in the published log, else None."""
    row = await conn.fetchrow(queries.CLOSED, period)
    return None if row is None else Closed(*row.values())


async def lines_with_salts(conn: Connection, month: Closed) -> AsyncIterator[tuple[Side, SumLine, bytes]]:
    """Yield every line of a closed month with its salt, in the order of its trees: for auditors, who see all."""
    async for row in conn.cursor(queries.ALL_LINES, month.period, prefetch=_PREFETCH):
        line = trees.line_of(row)
        yield row["side"], line, salt_of(month.secret, row["side"], line.payee, line.currency)


async def listed(conn: Connection, asked: Asked) -> Page[PeriodInfo]:
    """Return one page of the months since the registry began; raises ``Invalid`` naming the parameter."""
    rows, more = await page_of(conn, queries.LISTED, asked, periods.month_of(times.now()).name)
    found: dict[str, list[PeriodTree]] = {row["period"]: [] for row in rows}
    for tree in await conn.fetch(queries.TREES, [row["period"] for row in rows if row["index"] is not None]):
        found[tree["period"]].append(trees.tree_of(tree))
    return Page([_info(row, found[row["period"]]) for row in rows], more)


async def own_lines(conn: Connection, caller: Caller, period: str) -> PeriodLines:
    """Return the caller's lines of a closed month, each with its proof, and the statement that closed it.

    Raises ``NotFound`` for a month that is not closed.
    """
    month = await _closed(conn, period)
    return PeriodLines(
        account=caller.id,
        period=period,
        close=await file_of(conn, month.pending, "period-close"),
        lines=await line_proofs(conn, month, caller.id),
    )


async def line_proofs(conn: Connection, month: Closed, account: str) -> list[LineProof]:
    """Return the lines of ``account``, each with what proves it."""
    found = []
    for row in await conn.fetch(queries.OWN_LINES, month.period, account):
        nodes = await trees.proof(conn, month.period, month.secret, row)
        found.append(
            LineProof(
                side=row["side"],
                line=trees.line_of(row),
                salt=to_base64(salt_of(month.secret, row["side"], row["payee"], row["currency"])),
                place=row["place"],
                proof=[ProofNode(to_base64(node.hash), list(node.sums)) for node in nodes],
            )
        )
    return found


async def batches(conn: Connection, caller: Caller, period: str, asked: Asked) -> Page[BatchProof]:
    """Return one page of a closed month's usage batches, each proven: the caller's, or of whom it audits.

    Raises ``NotFound`` for a month that is not closed and ``Invalid`` naming the parameter.
    """
    month = await _closed(conn, period)
    seen = (caller.account, period, caller.kind == "opr")
    rows, more = await page_of(conn, queries.BATCH_LIST, asked, month.log_first, month.log_end, *seen)
    every = await conn.fetch(queries.BATCHES, month.log_first, month.log_end) if rows else []
    return Page(await asyncio.to_thread(_proven, rows, every), more)


def _proven(rows: list[Row], every: list[Row]) -> list[BatchProof]:
    tree = merkle.Tree(batch_leaf(each["index"], each["leaf_hash"]) for each in every)
    places = {each["index"]: place for place, each in enumerate(every)}
    return [
        BatchProof(
            batch=row["subject"],
            log_index=row["index"],
            entry=to_base64(row["entry"]),
            place=places[row["index"]],
            path=[to_base64(each) for each in tree.inclusion_proof(places[row["index"]])],
        )
        for row in rows
    ]


async def _closed(conn: Connection, period: str) -> Closed:
    month = await closed(conn, period_of(period, "path:period").name)
    if month is None:
        began = await first_month(conn)
        if began is not None and period < began:
            raise NotFound(f"the month {period} is before {began}, in which the registry began: nothing is owed of it")
        raise NotFound(
            f"the month {period} is not closed; that is done some days after its end, and `licet balance` shows what "
            f"is owed until then"
        )
    return month


def _info(row: Row, sums: list[PeriodTree]) -> PeriodInfo:
    stated = row["index"] is not None
    return PeriodInfo(
        period=row["period"],
        state="closed" if stated else "sealed" if row["sealed_at"] else "ended" if row["ended_at"] else "open",
        sealed_at=times.to_text(row["sealed_at"]) if row["sealed_at"] else None,
        statement=row["subject"] if stated else None,
        log_index=row["index"],
        log_first=row["log_first"] if stated else None,
        log_end=row["log_end"] if stated else None,
        batches=row["batches"] if stated else None,
        batches_root=row["batches_root"].hex() if stated else None,
        left_out=row["left_out"] if stated else None,
        totals=[_sums(tree) for tree in sums],
    )


def _sums(tree: PeriodTree) -> PeriodSums:
    figures = {name: money.to_decimal(int(getattr(tree, name))) for name in COLUMNS}
    return PeriodSums(side=tree.side, currency=tree.currency, lines=tree.lines, root=tree.root, **figures)
