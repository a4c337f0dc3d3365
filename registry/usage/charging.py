"""What uses in columns are owed: as `coverage` says of them one by one, for a whole batch at once.

Licences, terms and works are asked once for each pair of source and work that a batch names; what the answer means for
an event is arithmetic on columns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np

from licet import identifiers, money, times
from licet.errors import InputError
from licet.statements.covering import REPORTED
from licet.statements.event_columns import Coded
from licet.statements.kinds import Total
from licet.statements.owed import ONCE, begins
from licet.terms import UNITS
from registry.database import Connection, Row
from registry.licensing.columns import Charges, Ints, Names, Truths, Uses
from registry.splits.sharing import awaiting
from registry.usage import queries
from registry.usage.coverage import permission
from registry.usage.outside import Outside, outside
from registry.usage.refusals import InvalidEvents

_MEMORANDA: Final = ("not-covered", "unknown-work", "use", "ended", "early", "unit", *REPORTED)
_NOT_COVERED, _UNKNOWN_WORK, _USE, _ENDED, _EARLY, _UNIT = range(6)
_OTHER: Final = -2  # a text that no event of the batch has
_NEVER: Final = np.iinfo(np.int64).max
_EXACT: Final = float(2**62)  # up to here a product of two columns is itself
_HALF: Final = 26  # bits: sums of either half of a column are exact


class _Pairs(NamedTuple):
    """Each source and work that belong together in some event, and of every event the place of its pair."""

    source: Ints
    work: Ints
    place: Ints


class _Found(NamedTuple):
    """What the database says of the pairs, licences, statements and works of a batch."""

    pairs: _Pairs
    lines: list[Row]
    awaiting: set[UUID]  # works that earn into escrow until co-owners have signed
    held: dict[UUID, Row]
    outside: Outside
    stated: dict[tuple[UUID, UUID], bytes]
    owners: dict[UUID, Row]


class _Lines(NamedTuple):
    """The line of each pair, in the places of the batch's own texts; ``covered`` says which pairs have one."""

    covered: Truths
    atom: Ints
    unit: Ints
    amount: Ints
    artist: Ints
    currency: Ints
    escrow: Truths


async def charged(conn: Connection, organisation: UUID, uses: Uses) -> tuple[Charges, list[Total]]:
    """Return what ``uses`` come to, and what their licences' lines alone say: what an organisation signs for.

    A line says nothing of whether its licence has ended, so a late use is signed for and then recorded without charge.
    Raises ``InvalidEvents`` for an amount, or a sum, beyond 2^53 micro-units.
    """
    pairs = await asyncio.to_thread(_pairs, uses)
    licensed = pairs.source < uses.licences
    some = _named(uses, pairs, licensed)
    lines = await conn.fetch(queries.COVERED_PAIRS, organisation, *some)
    unsigned = await awaiting(conn, {row["account"] for row in lines}, uses.works)
    licences = uses.sources[: uses.licences]
    held = {row["id"]: row for row in await conn.fetch(queries.HELD, organisation, licences)} if licences else {}
    beyond = await outside(conn, organisation, licences, uses.columns.run.values)
    others = _named(uses, pairs, ~licensed)
    terms = await conn.fetch(queries.STATED, *others) if others[0] else []
    free = set(others[1])
    if len(lines) < len(some[0]):
        known = {row["place"] - 1 for row in lines}
        free.update(work for place, work in enumerate(some[1]) if place not in known)
    owners = await conn.fetch(queries.OWNERS, list(free)) if free else []
    found = _Found(
        pairs,
        lines,
        unsigned,
        held,
        beyond,
        {(row["statement"], row["work"]): row["encoded"] for row in terms},
        {row["id"]: row for row in owners},
    )
    return await asyncio.to_thread(_charged, found, uses)


def _pairs(uses: Uses) -> _Pairs:
    width = len(uses.works)
    keys, place = np.unique(uses.source * width + uses.work, return_inverse=True)
    return _Pairs(keys // width, keys % width, place)


def _named(uses: Uses, pairs: _Pairs, which: Truths) -> tuple[list[UUID], list[UUID]]:
    sources = [uses.sources[place] for place in pairs.source[which].tolist()]
    return sources, [uses.works[place] for place in pairs.work[which].tolist()]


def _charged(found: _Found, uses: Uses) -> tuple[Charges, list[Total]]:
    artists, currencies = Names(), Names()
    payees: list[str] = []

    def artist(account: UUID, kind: str) -> int:
        place = artists.place(account)
        if place == len(payees):
            payees.append(identifiers.from_uuid(kind, account))
        return place

    lines = _lines(found, uses, artist, currencies)
    pair = found.pairs.place
    covered = lines.covered[pair]
    own_unit = covered & (lines.atom[pair] == uses.columns.atom.codes) & (lines.unit[pair] == uses.columns.unit.codes)
    licence = np.where(covered, uses.source, 0)
    owed = np.where(own_unit, _owed(found.held, uses, lines.amount[pair], licence), 0)
    permitted, starts, ends = _standing(found.held, uses)
    memorandum = np.full(len(pair), -1, np.int64)
    memorandum[covered & ~own_unit] = _UNIT
    memorandum[covered & (uses.at < starts[licence])] = _EARLY
    memorandum[covered & (uses.at >= ends[licence])] = _ENDED
    memorandum[covered & ~permitted[licence, uses.columns.atom.codes]] = _USE
    found.outside.mark(memorandum, covered, uses, found.pairs, _MEMORANDA)
    owner = lines.artist[pair]
    if not covered.all():
        rows = np.flatnonzero(~covered)
        memorandum[rows], owner[rows] = _free(found, uses, rows, artist)
    amount = np.where(memorandum < 0, owed, 0)
    if (amount > money.LARGEST).any():
        row = int((amount > money.LARGEST).argmax())
        quantity = int(uses.columns.quantity[row])
        raise InvalidEvents.field(f"events[{row}].quantity", "an amount that money can hold", quantity)
    bps = np.array([found.held[each]["fee_bps"] if each in found.held else 0 for each in uses.sources], np.int64)
    charges = Charges(
        artists.values,
        payees,
        owner,
        currencies.values,
        np.where(covered & (memorandum < 0), lines.currency[pair], -1),
        amount,
        np.where(covered, bps[uses.source], 0),
        covered & lines.escrow[pair],
        _MEMORANDA,
        memorandum,
    )
    signed = own_unit & (lines.currency[pair] >= 0)
    return charges, _totals(charges.currencies, lines.currency[pair][signed], uses.work[signed], owed[signed])


def _lines(found: _Found, uses: Uses, artist: Any, currencies: Names) -> _Lines:
    count = len(found.pairs.source)
    atoms, units = _places(uses.columns.atom), _places(uses.columns.unit)
    lines = _Lines(
        np.zeros(count, bool),
        np.full(count, _OTHER, np.int64),
        np.full(count, _OTHER, np.int64),
        np.zeros(count, np.int64),
        np.full(count, -1, np.int64),
        np.full(count, -1, np.int64),
        np.zeros(count, bool),
    )
    if not found.lines:
        return lines
    place, account, kind, atom, model, currency, amount, held_back = zip(
        *(row.values() for row in found.lines), strict=True
    )
    licensed = np.flatnonzero(found.pairs.source < uses.licences)
    rows = licensed[np.array(place, np.int64) - 1]
    lines.covered[rows] = True
    lines.atom[rows] = [atoms.get(each, _OTHER) for each in atom]
    unit = {each: units.get(_unit(each), _OTHER) for each in set(model)}
    lines.unit[rows] = [unit[each] for each in model]
    lines.amount[rows] = amount
    lines.artist[rows] = [artist(*each) for each in zip(account, kind, strict=True)]
    lines.currency[rows] = [currencies.place(each) for each in currency]
    lines.escrow[rows] = held_back
    if found.awaiting:
        lines.escrow[rows] |= [uses.works[work] in found.awaiting for work in found.pairs.work[rows].tolist()]
    return lines


def _unit(model: str) -> str:
    unit = UNITS.get(model, "")
    if unit not in ONCE and unit != "output":
        raise InputError.field("model", "a price model that is priced at accept", model)
    return unit


def _places(column: Coded) -> dict[str, int]:
    return {text: place for place, text in enumerate(column.values)}


def _owed(held: Mapping[UUID, Row], uses: Uses, amount: Ints, licence: Ints) -> Ints:
    """Return what each event owes if it is in its line's own atom and unit; what is beyond all money, as just that."""
    quantity = uses.columns.quantity
    beyond = amount.astype(float) * quantity.astype(float) > _EXACT
    owed = np.where(beyond, money.LARGEST + 1, amount * np.where(beyond, 0, quantity))
    runs = _places(uses.columns.run)
    first = np.array([runs.get(held[each]["run"], _OTHER) if each in held else _OTHER for each in uses.sources], int)
    once = uses.columns.unit.wrong(lambda unit: unit == "work")
    return np.where(once & (uses.columns.run.codes != first[licence]), 0, owed)


def _standing(held: Mapping[UUID, Row], uses: Uses) -> tuple[Truths, Ints, Ints]:
    """Return of each source which of the batch's atoms it permits, when it begins and when it ends."""
    permitted = np.zeros((len(uses.sources), len(uses.columns.atom.values)), bool)
    starts, ends = np.zeros(len(uses.sources), np.int64), np.full(len(uses.sources), _NEVER, np.int64)
    for place, source in enumerate(uses.sources[: uses.licences]):
        row = held.get(source)
        if row is not None:
            permitted[place] = [atom in row["atoms"] for atom in uses.columns.atom.values]
            starts[place] = times.to_microseconds(begins(row["issued_at"]))
            ends[place] = _NEVER if row["valid_until"] is None else times.to_microseconds(row["valid_until"])
    return permitted, starts, ends


def _free(found: _Found, uses: Uses, rows: Ints, artist: Any) -> tuple[list[int], list[int]]:
    """Return why each of ``rows``, which no licence covers, is a memorandum, or -1, and whose work it is."""
    memoranda, owners = [], []
    reasons = {None: -1, "not-covered": _NOT_COVERED, "use": _USE}
    atoms = uses.columns.atom
    for row, source, work in zip(rows.tolist(), uses.source[rows].tolist(), uses.work[rows].tolist(), strict=True):
        named = uses.works[work]
        why = _NOT_COVERED
        if source >= uses.licences:
            encoded = found.stated.get((uses.sources[source], named))
            why = reasons[permission(encoded, atoms.values[atoms.codes[row]])]
        owner = found.owners.get(named)
        memoranda.append(_UNKNOWN_WORK if owner is None and why >= 0 else why)
        owners.append(-1 if owner is None else artist(owner["account"], owner["kind"]))
    return memoranda, owners


def _totals(currencies: Sequence[str], currency: Ints, work: Ints, amount: Ints) -> list[Total]:
    found = []
    for name, place in sorted((name, place) for place, name in enumerate(currencies)):
        own = currency == place
        if not own.any():
            continue
        high, low = int((amount[own] >> _HALF).sum()), int((amount[own] & ((1 << _HALF) - 1)).sum())
        total = (high << _HALF) + low
        if total > money.LARGEST:
            raise InvalidEvents.field("totals", f"at most {money.to_decimal(money.LARGEST)} {name}", total)
        found.append(Total(name, total, len(np.unique(work[own]))))
    return found
