"""Splits, replayed from what was signed: which one is in force on each work, since when, and who has which share."""

from __future__ import annotations

from typing import Final

from licet import identifiers, times
from licet.errors import LicetError
from licet.statements import envelope as envelopes
from licet.statements.kinds import Erase, Split, SplitAnswer
from licet.statements.splits import Splits
from registry.database import Connection
from registry.splits import queries

_SCHEMAS: Final[dict[str, type[Split | SplitAnswer | Erase]]] = {
    "split": Split,
    "split-answer": SplitAnswer,
    "erase": Erase,
}
_BEHIND: Final = 1 << 62  # everything that has its place in the log


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold, in words: a split in force without everybody's signature, shares that nobody signed.

    Once a document or an answer was erased, what followed from it cannot be replayed any more: nothing is told then.
    """
    splits, wrong = Splits(), list[str]()
    signed: dict[tuple[str, str], int] = {}
    shares: dict[str, dict[str, int]] = {}
    for row in await conn.fetch(queries.ALL):
        if row["envelope"] is None:
            return []
        sealed = envelopes.parse(row["envelope"])
        schema = _SCHEMAS[row["kind"]]
        payload = envelopes.read_as(schema, sealed)
        index = _BEHIND + row["pending"] if row["index"] is None else row["index"]
        try:
            agreed = splits.take(payload, sealed.payload_digest, index, times.to_text(row["at"] or times.now()))
        except LicetError as error:
            assert not isinstance(payload, Erase)
            wrong.append(f"{payload.split}: {error.message}")
            continue
        if isinstance(payload, Split):
            shares[sealed.payload_digest] = {each.account: each.bps for each in payload.shares}
        if agreed is not None:
            signed |= {(work, agreed.document): row["pending"] for work in agreed.works}
    rows = await conn.fetch(queries.ALL_IN_FORCE)
    found = {(identifiers.from_uuid("wrk", row["work"]), row["digest"].hex()): row["since"] for row in rows}
    wrong += [
        f"{identifiers.from_uuid('wrk', row['work'])}: expected the split {row['digest'].hex()} to be proposed by who "
        f"registered the work, got another"
        for row in rows
        if row["registered"] is False  # None: the work went with its account
    ]
    wrong += [
        f"{work}: expected the split {document} in force since statement {signed.get((work, document))}, as was "
        f"signed, got {found.get((work, document))}"
        for work, document in sorted(signed.keys() | found.keys())
        if signed.get((work, document)) != found.get((work, document))
    ]
    kept: dict[str, dict[str, int]] = {}
    for row in await conn.fetch(queries.ALL_PARTIES):
        kept.setdefault(row["digest"].hex(), {})[identifiers.from_uuid(row["kind"], row["account"])] = row["bps"]
    wrong += [
        f"split {document}: expected the shares that were signed, {shares.get(document)}, got {kept.get(document)}"
        for document in sorted(shares.keys() | kept.keys())
        if shares.get(document) != kept.get(document)
    ]
    return wrong
