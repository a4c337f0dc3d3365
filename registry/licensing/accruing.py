"""From uses in columns to money: what `accrual` does with them one by one, for a whole batch in a few strokes.

Fees are spread in the order of event ids, as there: the floor of the running sum of a payee's uses under one fee.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from licet.statements.owed import BPS
from licet.statements.splits import divide
from registry.database import Connection
from registry.database.copying import Fixed, Shared, binary, digests, moment, moments, numbers, one, truths
from registry.ledger import Transfer
from registry.licensing import owing, queries
from registry.licensing.accrual import Shares, transfer_of
from registry.licensing.columns import Charges, Ints, Truths, Uses
from registry.licensing.types import Posting
from registry.splits.sharing import Sharing, in_force

_TABLE: Final = "usage_events"


class _Prepared(NamedTuple):
    columns: list[Fixed | Shared]
    transfers: list[Transfer]


async def write(conn: Connection, posting: Posting, uses: Uses, charges: Charges, fresh: Truths) -> list[Transfer]:
    """Each of the ``fresh`` uses is a usage event, and what they owe is returned, for `accrual.enter`; all must be new.

    Whoever calls holds what `accrual.post` asks for. Raises ``OverLimit`` before anything is written.
    """
    if not fresh.any():
        return []
    charged = fresh & (charges.amount > 0)
    shared = await in_force(conn, [uses.works[place] for place in np.unique(uses.work[charged]).tolist()])
    ready = await asyncio.to_thread(_prepared, posting, uses, charges, np.flatnonzero(fresh), shared)
    await owing.hold(conn, posting, ready.transfers)
    await conn.copy_to_table(_TABLE, source=binary(ready.columns), columns=queries.USAGE_EVENTS, format="binary")
    return ready.transfers


def _prepared(posting: Posting, uses: Uses, charges: Charges, rows: Ints, shared: Shares) -> _Prepared:
    sharings = list({each.split: each for each in shared.values()}.values())
    places = {each.split: place for place, each in enumerate(sharings)}
    of_work = np.array([places[shared[work].split] if work in shared else -1 for work in uses.works], np.int64)
    split = np.where(charges.amount[rows] > 0, of_work[uses.work[rows]], -1)
    fees, transfers = _grouped(posting, charges, rows, split, sharings)
    return _Prepared(_columns(posting, uses, charges, rows, fees, split, sharings), transfers)


def _grouped(
    posting: Posting, charges: Charges, rows: Ints, split: Ints, sharings: Sequence[Sharing]
) -> tuple[Ints, list[Transfer]]:
    """Return each row's part of the fee, and one transfer a payee (or split), currency and standing."""
    fees = np.zeros(len(rows), np.int64)
    due = np.flatnonzero(charges.amount[rows] > 0)
    if not len(due):
        return fees, []
    own = rows[due]
    payee = np.where(split[due] < 0, charges.artist[own], split[due] + len(charges.artists))
    group = (payee * len(charges.currencies) + charges.currency[own]) * 2 + charges.escrow[own]
    order = np.lexsort((charges.fee_bps[own], group))  # stable: by id within
    group, bps, amount = group[order], charges.fee_bps[own][order], charges.amount[own][order]
    running = np.cumsum(amount)
    starts = np.flatnonzero(np.r_[True, (group[1:] != group[:-1]) | (bps[1:] != bps[:-1])])
    lengths = np.diff(np.r_[starts, len(amount)])
    running -= np.repeat(running[starts] - amount[starts], lengths)
    parts = _floor(running, bps) - _floor(running - amount, bps)
    fees[due[order]] = parts
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    transfers = []
    for number, gross, fee in zip(
        group[starts].tolist(),
        np.add.reduceat(amount, starts).tolist(),
        np.add.reduceat(parts, starts).tolist(),
        strict=True,
    ):
        who, currency = divmod(number >> 1, len(charges.currencies))
        if who < len(charges.artists):
            name = charges.payees[who]
            shares = {name: gross - fee}
        else:
            sharing = sharings[who - len(charges.artists)]
            name, shares = sharing.name, divide(gross - fee, sharing.shares)
        named = (name, charges.currencies[currency], bool(number & 1))
        transfers.append(transfer_of(posting, named, gross, fee, shares))
    return fees, transfers


def _floor(total: Ints, bps: Ints) -> Ints:
    """Return floor(total × bps / 10,000), though the product would not fit."""
    found: Ints = total // BPS * bps + total % BPS * bps // BPS
    return found


def _columns(
    posting: Posting,
    uses: Uses,
    charges: Charges,
    rows: Ints,
    fees: Ints,
    split: Ints,
    sharings: Sequence[Sharing],
) -> list[Fixed | Shared]:
    given, count = uses.columns, len(rows)

    def text(values: Sequence[str], codes: np.ndarray[tuple[int, ...], np.dtype[np.signedinteger]]) -> Shared:
        return Shared([value.encode() for value in values], codes[rows])

    names = [each.bytes for each in uses.sources]
    ids = uses.ids if count == len(uses.ids) else [uses.ids[row] for row in rows.tolist()]
    return [
        digests(ids),
        one(posting.organisation.bytes, count),
        Shared(names[: uses.licences], given.licence.codes[rows]),
        Shared(names[uses.licences :], given.statement.codes[rows]),
        Shared([each.bytes for each in uses.works], uses.work[rows]),
        text(given.atom.values, given.atom.codes),
        text(given.run.values, given.run.codes),
        text(given.unit.values, given.unit.codes),
        numbers(given.seq[rows]),
        numbers(given.quantity[rows]),
        moments(uses.at[rows]),
        text(given.match.values, given.match.codes),
        one(None if posting.batch is None else posting.batch.bytes, count),
        Shared([each.bytes for each in charges.artists], charges.artist[rows]),
        text(charges.currencies, charges.currency),
        numbers(charges.amount[rows]),
        numbers(fees),
        truths(charges.escrow[rows]),
        text(charges.memoranda, charges.memorandum),
        one(moment(posting.at), count),
        Shared([each.split.bytes for each in sharings], split),
        one(None, count),
        one(None, count),
    ]
