"""Closed months counted again: from entries to balances, from those to lines and trees, and to what was signed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from msgspec import UNSET

from licet.errors import LicetError
from licet.statements import envelope as envelopes
from licet.statements.kinds import PeriodClose
from licet.statements.periods import Moved, batches_root, check_totals
from registry.closing import queries, trees
from registry.database import Connection, Row
from registry.ledger import periods

_PREFETCH: Final = 4096


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold, in words: balances, lines, trees or statements of months that are not what follows."""
    wrong: list[str] = []
    previous: str | None = None
    for row in await conn.fetch(queries.COUNTED_MONTHS):
        period = row["period"]
        wrong += [f"month {period}: {each}" for each in [*await _counted(conn, row), *await _logged(conn, row)]]
        if row["pending"] is not None:
            told, previous = await _stated(conn, row, previous)
            wrong += [f"month {period}: {each}" for each in told]
    return wrong


async def _counted(conn: Connection, row: Row) -> list[str]:
    period = row["period"]
    found = {each[:2]: each async for each in periods.kept(conn, period)}
    accounts = [each async for each in periods.moved(conn, period)]
    wrong = [
        f"{each.account} {each.currency}: expected {each[2:]}, got {_figures(found.get(each[:2]))}"
        for each in accounts
        if found.get(each[:2]) != each
    ]
    wrong += [
        f"{name} {currency}: expected no balance, got one"
        for name, currency in sorted(found.keys() - {each[:2] for each in accounts})
    ]
    return [*wrong, *await _trees(conn, row, accounts)]


async def _trees(conn: Connection, row: Row, accounts: Iterable[Moved]) -> list[str]:
    made = await asyncio.to_thread(trees.trees_of, accounts, row["secret"])
    expected = {(each.stated.side, each.stated.currency): (each.stated, each.nodes) for each in made}
    kept = await conn.fetch(queries.TREES, [row["period"]])
    found = {(each["side"], each["currency"]): (trees.tree_of(each), each["nodes"]) for each in kept}
    wrong = [
        f"{side} {currency}: expected the tree over its lines, got another"
        for side, currency in sorted(expected.keys() | found.keys())
        if expected.get((side, currency)) != found.get((side, currency))
    ]
    lines = (line for each in made for line in each.lines)
    async for each in conn.cursor(queries.ALL_LINES, row["period"], prefetch=_PREFETCH):
        if next(lines, None) != trees.line_of(each):
            return [*wrong, f"{each['side']} {each['currency']}: expected the lines that follow, got others"]
    return [*wrong, "expected more lines, got fewer"] if next(lines, None) is not None else wrong


async def _logged(conn: Connection, row: Row) -> list[str]:
    rows = await conn.fetch(queries.BATCHES, row["log_first"], row["log_end"])
    batches = [(each["index"], each["leaf_hash"]) for each in rows]
    root = await asyncio.to_thread(batches_root, batches)
    if (len(batches), root) != (row["batches"], row["batches_root"]):
        return [f"expected {len(batches)} usage batches under their root, got {row['batches']} under another"]
    return []


async def _stated(conn: Connection, row: Row, previous: str | None) -> tuple[list[str], str | None]:
    """Return what the statement says otherwise than the tables, and the digest of its payload."""
    try:
        envelope = envelopes.parse(row["envelope"])
        close = envelopes.read_as(PeriodClose, envelope)
        check_totals(close)
        left_out = await conn.fetchval(queries.LEFT_OUT, row["period"])
    except LicetError as error:
        return [error.message], None
    expected = (row["period"], previous, await trees.kept(conn, row["period"]), row["log_first"], row["log_end"],
                row["batches"], row["batches_root"].hex(), UNSET if close.left_out is UNSET else left_out)  # fmt: skip
    found = (close.period, close.previous, close.trees, close.log_first, close.log_end, close.batches,
             close.batches_root, close.left_out)  # fmt: skip
    names = ("period", "previous", "trees", "log_first", "log_end", "batches", "batches_root", "left_out")
    wrong = [
        f"period-close: {name}: expected {want!r:.80}, got {got!r:.80}"
        for name, want, got in zip(names, expected, found, strict=True)
        if want != got
    ]
    return wrong, envelope.payload_digest


def _figures(moved: Moved | None) -> object:
    return None if moved is None else moved[2:]
