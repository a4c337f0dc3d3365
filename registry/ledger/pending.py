"""Transfers that wait: held on accounts of their own, and then posted or voided by new transfers, once.

A pending transfer of ``payable:art_x`` moves ``pending:payable_art_x``: nobody is owed anything by it, and it balances
all the same. What resolves it takes that back, and what it becomes is an ordinary transfer, which can be reversed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from licet.errors import InputError
from licet.identifiers import new_uuid
from registry.database import Connection
from registry.errors import Conflict, NotFound
from registry.ledger import queries
from registry.ledger.service import open_accounts, post, posting
from registry.ledger.types import Entry, Transfer

PENDING: Final = "pending"
RESIDUE: Final = "residue:registry"
"""Where what a division leaves over goes."""


def held_on(account: str) -> str:
    """Return the account on which a pending transfer holds what is for ``account``."""
    return f"{PENDING}:{account.replace(':', '_', 1)}"


async def pend(conn: Connection, transfers: Sequence[Transfer]) -> list[str]:
    """Every transfer is in the ledger once as a pending one, and the keys of those that are new are returned.

    Raises as `registry.ledger.post` does, and ``InputError`` for what is held on a pending account already.
    """
    waiting = []
    for transfer in transfers:
        if any(entry.account.startswith(f"{PENDING}:") for entry in transfer.entries):
            raise InputError(f"transfer {transfer.key}: expected accounts that are not pending ones")
        entries = tuple(Entry(held_on(each.account), each.currency, each.amount) for each in transfer.entries)
        waiting.append(msgspec.structs.replace(transfer, kind=PENDING, entries=entries))
    await open_accounts(conn, {entry.account for transfer in transfers for entry in transfer.entries})
    return await post(conn, waiting)


async def post_pending(
    conn: Connection, pending: UUID, *, kind: str, key: str, at: datetime, source: str, memo: str = ""
) -> UUID:
    """The pending transfer became one of ``kind``, whose id is returned: by this call, or an earlier one of ``key``.

    Raises ``NotFound`` if none of that id is pending, ``Conflict`` if it was resolved otherwise, ``PeriodClosed``.
    """
    posted = new_uuid(at)
    await _resolve(conn, pending, new_uuid(at), f"{key}/release", "release", posted, key, kind, at, source, memo)
    return await _resolved(conn, pending, key, posted=True)


async def void(conn: Connection, pending: UUID, *, key: str, at: datetime, source: str, memo: str = "") -> UUID:
    """The pending transfer is void by another one, whose id is returned; raises as `post_pending` does."""
    await _resolve(conn, pending, new_uuid(at), key, "void", None, None, None, at, source, memo)
    return await _resolved(conn, pending, key, posted=False)


def divided(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Return what of ``amount`` each account gets by its weight, rounded down, and the rest for the residue's account.

    The parts add up to ``amount``; accounts that get nothing are left out. Raises ``InputError`` for an amount or
    weights that are negative, or without any weight.
    """
    total = sum(weights.values())
    if amount < 0 or total <= 0 or min(weights.values()) < 0:
        raise InputError.field("weights", "an amount and weights of 0 or more, and one above it", dict(weights))
    parts = {account: amount * weight // total for account, weight in weights.items()}
    rest = amount - sum(parts.values())
    parts[RESIDUE] = parts.get(RESIDUE, 0) + rest
    return {account: part for account, part in parts.items() if part}


async def _resolve(conn: Connection, *arguments: object) -> None:
    await posting(conn, queries.RESOLVE, *arguments)


async def _resolved(conn: Connection, pending: UUID, key: str, *, posted: bool) -> UUID:
    row = await conn.fetchrow(queries.RESOLUTION, pending)
    if row is None:
        raise NotFound("there is no such pending transfer")
    if row["released"] is None:
        raise Conflict(f"the key {key} belongs to another transfer")
    found: UUID | None = row["posted"] if posted else row["released"]
    if posted != (row["posted"] is not None) or row["posted_key" if posted else "released_key"] != key:
        raise Conflict(f"the pending transfer was {'posted' if row['posted'] else 'voided'} already")
    assert found is not None
    return found
