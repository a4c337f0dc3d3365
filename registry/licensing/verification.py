"""Licences and what they owe, counted again: against what was signed, and against the ledger."""

from __future__ import annotations

from collections import Counter
from typing import Final
from uuid import UUID

from licet import identifiers
from licet.statements import envelope as envelopes
from licet.statements.kinds import Licence
from licet.statements.licences import licence_lines_root
from licet.statements.splits import divide
from registry.database import Connection
from registry.licensing import queries
from registry.licensing.accrual import FEE, account_of
from registry.licensing.licences import line_of
from registry.splits.sharing import shares_of

_PREFETCH: Final = 1000
Place = tuple[str, str, str]  # source, ledger account, currency


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold, in words: lines that are not those signed, postings that are not what uses owe."""
    return [*await _lines(conn), *await _postings(conn)]


async def _lines(conn: Connection) -> list[str]:
    wrong = []
    async for row in conn.cursor(queries.ALL_LICENCES, prefetch=_PREFETCH):
        if row["envelope"] is None:  # erased
            continue
        payload = envelopes.read_as(Licence, envelopes.parse(row["envelope"]))
        root = licence_lines_root([line_of(each) for each in await conn.fetch(queries.LINES, row["id"], None)])
        if (root, row["works"]) != (payload.root, payload.count):
            wrong.append(f"licence {payload.licence}: expected the lines that were signed, got others")
    return wrong


async def _postings(conn: Connection) -> list[str]:
    owed: Counter[Place] = Counter()
    shares: dict[UUID, dict[str, int]] = {}
    async for row in conn.cursor(queries.EVENT_SUMS, prefetch=_PREFETCH):
        kind, source = ("lic", row["licence"]) if row["batch"] is None else ("bat", row["batch"])
        text = identifiers.from_uuid(kind, source)
        gross, fee = int(row["amount"]), int(row["fee"])
        if row["split"] is None:
            parts = {identifiers.from_uuid(row["kind"], row["artist"]): gross - fee}
        else:
            if row["split"] not in shares:
                shares |= await shares_of(conn, [row["split"]])
            parts = divide(gross - fee, shares[row["split"]])
        licensee = f"receivable:{identifiers.from_uuid('org', row['organisation'])}"
        owed[text, licensee, row["currency"]] += gross
        for payee, amount in parts.items():
            owed[text, account_of(payee, escrow=row["escrow"]), row["currency"]] -= amount
        owed[text, FEE, row["currency"]] -= fee
    posted: Counter[Place] = Counter()
    async for row in conn.cursor(queries.ACCRUED, prefetch=_PREFETCH):
        posted[row["source"], row["name"], row["currency"]] += int(row["amount"])
    return [
        f"{source}: expected {owed[source, account, currency]} micro-units of {currency} on {account}, "
        f"got {posted[source, account, currency]}"
        for source, account, currency in sorted(owed.keys() | posted.keys())
        if owed[source, account, currency] != posted[source, account, currency]
    ]
