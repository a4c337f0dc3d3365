"""Corrections: how many uses there really were, said under a signature, after the event was reported otherwise.

A batch of corrections holds nothing else. Each names the event that it corrects and what was said of it last, so that
two people who correct the same event meet; its id is the digest of both numbers, so that each correction is made once.
It is charged as a use that is reported today: the difference, by the price of the licence, posted into the open period
to whom the work's earnings go now. Nothing that was posted is changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import UNSET

from licet import identifiers
from licet.errors import InputError
from licet.statements.kinds import Event, UsageBatch
from licet.statements.owed import totals
from registry.consent import lock_heads_shared
from registry.database import Connection, Row
from registry.licensing import accrual
from registry.licensing.types import Accrual, Posting, Reported
from registry.splits.sharing import awaiting
from registry.usage import queries
from registry.usage.coverage import coverage
from registry.usage.refusals import InvalidEvents
from registry.usage.verification import event_of

_KEPT = ("licence", "statement", "work", "atom", "run", "unit", "at", "match")


class Outcome(NamedTuple):
    """What a batch comes to; what it owes is posted by ``post``, and ``repeats`` are the rows of known events.

    The consent heads of whose works it charges are shared.
    """

    new: int
    known: int
    memoranda: int
    post: Callable[[Connection], Awaitable[None]]
    repeats: Iterable[tuple[Any, ...]]


def is_correction(event: Event) -> bool:
    """Return whether ``event`` claims to correct another."""
    return event.corrects is not UNSET or event.was is not UNSET


async def prepared(conn: Connection, posting: Posting, payload: UsageBatch, events: Sequence[Reported]) -> Outcome:
    """Return what ``events``, corrections all, come to; the organisation's lock is held.

    Raises ``InvalidEvents`` naming the one that does not go on from what was said last, or totals that are not what
    the licences say.
    """
    made = {row["id"]: row for row in await conn.fetch(queries.MADE, [each.id for each in events])}
    wanted = [bytes.fromhex(each.event.corrects or "") for each in events]
    found = {row["id"]: row for row in await conn.fetch(queries.CORRECTED, wanted)}
    for place, (each, corrected) in enumerate(zip(events, wanted, strict=True)):
        if each.id in made:
            _hold_to_made(place, each.event, made[each.id])
        else:
            _hold_to_last(place, each.event, found.get(corrected), posting.organisation)
    await _hold_charged(conn, [(place, each) for place, each in enumerate(events) if each.id not in made])
    covered = await coverage(conn, posting.organisation, events)
    accruals = covered.accruals(events)
    try:
        owed = totals(covered.claims(events))
    except InputError as error:
        raise InvalidEvents(error.message) from None
    if owed != payload.totals:
        raise InvalidEvents.field("payload.totals", f"what the licences say, {owed}", payload.totals)
    fresh = await _where_it_lies(conn, [each for each in accruals if each.reported.id not in made], found)
    memoranda = sum(each.memorandum is not None for each in fresh)
    await lock_heads_shared(conn, {each.artist for each in fresh if each.artist is not None and each.amount})
    return Outcome(
        len(fresh) - memoranda,
        len(made),
        memoranda,
        partial(accrual.post, posting=posting, accruals=fresh),
        [
            (posting.batch, each.id, each.event.quantity, each.at, each.event.match)
            for each in events
            if each.id in made
        ],
    )


async def _where_it_lies(
    conn: Connection, fresh: Sequence[Accrual], corrected: Mapping[bytes, Row]
) -> Sequence[Accrual]:
    """What was put into escrow until co-owners have signed, and is corrected meanwhile, is corrected there."""
    owners = {each.artist for each in fresh if each.artist is not None}
    unsigned = await awaiting(conn, owners, {each.reported.work for each in fresh})
    return [
        each._replace(escrow=True)
        if each.reported.work in unsigned and corrected[bytes.fromhex(each.reported.event.corrects or "")]["escrow"]
        else each
        for each in fresh
    ]


async def _hold_charged(conn: Connection, fresh: Iterable[tuple[int, Reported]]) -> None:
    """What events had charged stands, and goes on to until this is committed: else it would be given back twice."""
    places = {bytes.fromhex(each.event.corrects or ""): place for place, each in fresh}
    rows = await conn.fetch(queries.CHARGED, list(places))
    keys = {_key_of(row): row for row in rows}
    await conn.fetch(queries.LOCK_CHARGES, list(keys))
    gone = {(row["key"], row["work"]) for row in await conn.fetch(queries.GIVEN_BACK, list(keys))}
    for row in rows:
        if gone & {(_key_of(row), None), (_key_of(row), row["work"])}:
            expected = "an event whose charge stands; what it charged was given back, or waits for a decision"
            raise InvalidEvents.field(f"events[{places[row['event']]}].corrects", expected, row["event"].hex())


def _key_of(row: Row) -> str:
    split = row["split"]
    payee = identifiers.from_uuid(row["kind"], row["artist"]) if split is None else identifiers.from_uuid("spl", split)
    source = identifiers.from_uuid("bat", row["batch"])
    return f"{source}/{accrual.account_of(payee, escrow=row['escrow'])}/{row['currency']}"


def _hold_to_made(place: int, event: Event, made: Row) -> None:
    if (event.quantity, event.was) != (made["quantity"], made["was"]):
        said = f"{made['quantity']} after {made['was']}, as this correction of the event said when it was made"
        raise InvalidEvents.field(f"events[{place}].quantity", said, f"{event.quantity} after {event.was}")


def _hold_to_last(place: int, event: Event, last: Row | None, organisation: UUID) -> None:
    def wrong(field: str, expected: str) -> InvalidEvents:
        return InvalidEvents.field(f"events[{place}].{field}", expected, getattr(event, field))

    if last is None or last["organisation"] != organisation:
        raise wrong("corrects", "an event that this organisation has reported")
    if last["corrects"] is not None:
        raise wrong("corrects", "an event that is no correction itself")
    if last["batch"] is None:
        raise wrong("corrects", "an event of a usage batch; what accepting a licence owes is its price")
    original = event_of(last)
    for name in _KEPT:
        if getattr(event, name) != getattr(original, name):
            raise wrong(name, f"{getattr(original, name)}, as of the event that is corrected")
    if event.seq != last["number"] + 1:
        raise wrong("seq", f"{last['number'] + 1}, the number of the next correction of this event")
    if event.was != last["last"]:
        raise wrong("was", f"{last['last']}, which was said last")
