"""What a charge holds in escrow for single works, and how that leaves it: shared, awarded, or given back.

Co-owners who had no split yet share by the first one that all of them sign (semantics 21): it stays in escrow, divided.
What a work earned that was decided to be somebody else's goes to her, once she has claim level 2. Each part of a charge
leaves it once; the rest goes on as if the part had never been there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from licet import identifiers
from licet.counted import many
from licet.errors import InputError
from licet.statements.periods import LESS
from licet.statements.splits import divide
from registry import ledger
from registry.database import Connection, Row
from registry.ledger import Entry, Transfer
from registry.settlement import escrow_queries, queries
from registry.splits.sharing import in_force, shares_of

ESCROW: Final = "escrow:"
ENOUGH: Final = 2  # claim level
FEE: Final = "fee:registry"


class Charge(NamedTuple):
    """A transfer that put something into escrow: of uses of a ``batch`` or licence, or of an agreement at a close."""

    id: UUID
    at: datetime
    source: str
    batch: bool
    number: UUID  # of the batch or licence
    agreed: bool
    payee: str  # an account, or a split
    currency: str

    @property
    def name(self) -> str:
        """The transfer as people name it."""
        return identifiers.from_uuid("tra", self.id)

    @property
    def whose(self) -> tuple[UUID, bool]:
        """The payee, and whether it is a split."""
        return identifiers.to_uuid(self.payee, "art", "org", "spl"), self.payee.startswith("spl")

    @property
    def uses(self) -> tuple[bool, UUID, str, UUID, bool, UUID, bool]:
        """What `escrow_queries` find its uses by."""
        return self.batch, self.number, self.currency, *self.whose, self.id, self.agreed


def charge_of(row: Row, *, anywhere: bool = False) -> Charge | None:
    """Return what the key of a transfer into escrow (``anywhere``: or payable) says of it; None for another's."""
    parts = row["key"].removesuffix(f"/{LESS}").split("/")
    if len(parts) not in (3, 4) or not (parts[-2].startswith(ESCROW) or anywhere):
        return None
    source, payee = parts[0], parts[-2].partition(":")[2]
    try:
        number = identifiers.to_uuid(source, "lic", "bat")
        identifiers.to_uuid(payee, "art", "org", "spl")
    except InputError:
        return None
    batch = source.startswith("bat")
    return Charge(row["id"], row["at"], row["source"], batch, number, len(parts) == 4, payee, parts[-1])


async def held(conn: Connection, charge: Charge) -> dict[str, int]:
    """Return what is in escrow of ``charge`` now, by account of the ledger."""
    rows = await conn.fetch(escrow_queries.HELD, charge.id)
    return {row["name"]: -int(row["amount"]) for row in rows if row["currency"] == charge.currency}


async def share(conn: Connection, charge: Charge, now: datetime) -> int:
    """What works earned that had no split is divided by the one in force on them; how many works these are."""
    rows = [row for row in await conn.fetch(escrow_queries.PARTING, *charge.uses) if row["unshared"]]
    sharings = await in_force(conn, [row["work"] for row in rows])
    of_split: dict[UUID, list[Row]] = {}
    for row in rows:
        if row["work"] in sharings:
            of_split.setdefault(sharings[row["work"]].split, []).append(row)
    for own in of_split.values():
        sharing, works = sharings[own[0]["work"]], [row["work"] for row in own]
        net = sum(int(row["gross"] - row["fee"]) for row in own)
        entries = {ESCROW + charge.payee: net}
        for owner, part in divide(net, sharing.shares).items():
            entries[ESCROW + owner] = entries.get(ESCROW + owner, 0) - part
        memo = f"{many(len(own), 'work')} by {sharing.name}, document {sharing.digest.hex()}"
        await _post(
            conn, charge, works, f"shared/{sharing.name}", "escrow-share", "shared", entries, now, memo, sharing.split
        )
    return sum(map(len, of_split.values()))


async def award(conn: Connection, charge: Charge, debtor: str, now: datetime, *, late: bool) -> bool:
    """What lost works earned is whose they are, or is given back once it is ``late``; False while that waits."""
    stay = await conn.fetch(escrow_queries.PARTING, *charge.uses)
    waits = False
    for row in [each for each in stay if each["lost_to"] is not None]:
        winner = identifiers.from_uuid(row["winner_kind"], row["lost_to"])
        gross, fee, work = int(row["gross"]), int(row["fee"]), identifiers.from_uuid("wrk", row["work"])
        if row["winner_level"] < ENOUGH and not late:
            waits = True
            continue
        stay.remove(row)
        entries = await _leaving(conn, charge, stay)
        if row["winner_level"] >= ENOUGH:
            entries[f"payable:{winner}"] = fee - gross
            await _post(
                conn, charge, [row["work"]], f"awarded/{work}", "escrow-award", "awarded", entries, now,
                f"{work} was decided to be somebody else's",  # who that is, an auditor of the loser is not told
            )  # fmt: skip
        else:
            entries |= {FEE: fee, debtor: -gross}
            memo = f"{work}: whose it is has no claim level {ENOUGH}"
            await _post(
                conn, charge, [row["work"]], f"returned/{work}", "escrow-return", "returned", entries, now, memo
            )
    return not waits


async def _leaving(conn: Connection, charge: Charge, stay: Sequence[Row]) -> dict[str, int]:
    """Return what leaves each account of escrow where the rows of ``stay`` (`escrow_queries.PARTING`) are the rest.

    What stays is what the rest comes to, divided as if it had been alone: so parts that follow each other add up to the
    whole to the last micro-unit, also where some of them are less than nothing.
    """
    nets: dict[UUID | None, int] = defaultdict(int)
    for row in stay:
        nets[row["shared_by"]] += int(row["gross"]) - int(row["fee"])
    shares = await shares_of(conn, {split for split in nets if split is not None})
    leaving = defaultdict(int, await held(conn, charge))
    for split, net in nets.items():
        parts = {charge.payee: net} if split is None else divide(net, shares[split])
        for owner, part in parts.items():
            leaving[ESCROW + owner] -= part
    return dict(leaving)


async def _post(
    conn: Connection, charge: Charge, works: Sequence[UUID], what: str, kind: str, outcome: str,
    amounts: Mapping[str, int], now: datetime, memo: str, split: UUID | None = None,
) -> None:  # fmt: skip
    entries = tuple(Entry(name, charge.currency, amount) for name, amount in sorted(amounts.items()) if amount)
    if not entries:
        return  # of nothing nobody has a part
    key = f"{charge.name}/{what}"
    await ledger.post(conn, [Transfer(key, kind, now, charge.source, entries, memo)])
    posted = await conn.fetchval(queries.TRANSFER, key)
    await conn.execute(escrow_queries.ADD_PARTS, charge.id, works, outcome, split, posted, now)
