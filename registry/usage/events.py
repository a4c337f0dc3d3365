"""Events held to the rules one by one, before anything else is asked: shape, order, ids, root (semantics 20)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from msgspec import UNSET

from licet import times
from licet.errors import InputError
from licet.statements.kinds import Event, UsageBatch
from licet.statements.licences import SECRET_BYTES, events_root, id_of
from licet.statements.owed import ONCE
from licet.terms import ATOMS
from registry.errors import Invalid
from registry.http import moments
from registry.licensing.accrual import read
from registry.licensing.types import Reported
from registry.usage.refusals import InvalidEvents

_HEX: Final = re.compile("[0-9a-f]{64}")
MAX_EVENTS: Final = 65_536
MAX_QUANTITY: Final = 10**12
MAX_SEQ: Final = 2**31 - 1
MAX_RUN: Final = 200
UNITS: Final = frozenset({*ONCE, "output"})
KNOWN_ATOMS: Final = frozenset(ATOMS)


def checked(payload: UsageBatch, events: Sequence[Event], secret: bytes, now: datetime) -> list[Reported]:
    """Return ``events``, read: they are exactly what ``payload`` commits to, and each can have happened.

    Raises ``Invalid`` for a batch that does not fit its events, ``InvalidEvents`` naming the event that cannot be.
    """
    if len(secret) != SECRET_BYTES:
        raise Invalid.field("secret", f"{SECRET_BYTES} bytes in base64", f"{len(secret)} bytes")
    if not 1 <= len(events) <= MAX_EVENTS or payload.count != len(events):
        raise Invalid.field("events", f"1 to {MAX_EVENTS} events, as many as the batch counts", len(events))
    previous = ""
    found = []
    for place, event in enumerate(events):
        if event.id <= previous:
            raise InvalidEvents.field(f"events[{place}].id", "a greater id than the event before", event.id)
        previous = event.id
        found.append(examined(place, event, payload.organisation))
    span = (min(event.at for event in events), max(event.at for event in events))
    if span != (payload.first_at, payload.last_at):
        raise Invalid.field("payload", f"first_at and last_at {span}", (payload.first_at, payload.last_at))
    if moments.is_to_come(times.from_text(span[1]), now):
        raise InvalidEvents.field("payload.last_at", moments.expected(now), span[1])
    moments.past(payload.issued_at, "payload.issued_at")
    if events_root(secret, events) != payload.event_root:
        raise Invalid.field("payload.event_root", "the root over the salted events", payload.event_root)
    return found


def examined(place: int, event: Event, organisation: str) -> Reported:
    """Return one event, read; raises ``InvalidEvents`` naming its ``place`` and field if it cannot have happened."""

    def wrong(field: str, expected: str) -> InvalidEvents:
        return InvalidEvents.field(f"events[{place}].{field}", expected, getattr(event, field))

    source = event.licence or event.statement
    if source is None or (event.licence is not None and event.statement is not None):
        raise wrong("licence", "either a licence or a statement")
    if event.unit not in UNITS:
        raise wrong("unit", " or ".join(sorted(UNITS)))
    if event.corrects is not UNSET or event.was is not UNSET:
        _correction(event, wrong)
    elif not 1 <= event.quantity <= (1 if event.unit in ONCE else MAX_QUANTITY):
        raise wrong("quantity", "1" if event.unit in ONCE else f"1 to {MAX_QUANTITY}")
    elif event.unit in ONCE and event.seq != 0:  # another number would be the same use once more
        raise wrong("seq", f"0: of each {event.unit} a work is used in once")
    if not 0 <= event.seq <= MAX_SEQ:
        raise wrong("seq", f"0 to {MAX_SEQ}")
    if event.atom not in KNOWN_ATOMS:
        raise wrong("atom", f"one of {', '.join(ATOMS)}")
    if not 0 < len(event.run) <= MAX_RUN or not event.run.isprintable():
        raise wrong("run", f"1 to {MAX_RUN} printable characters")
    try:
        reported = read(event)
    except InputError as error:
        raise wrong(error.details["field"], error.details["expected"]) from None
    if event.id != id_of(organisation, event):
        raise wrong("id", "the digest of organisation, source, work, run, atom, unit and seq")
    return reported


def _correction(event: Event, wrong: Callable[[str, str], InvalidEvents]) -> None:
    most = 1 if event.unit in ONCE else MAX_QUANTITY
    if event.corrects is UNSET or not _HEX.fullmatch(event.corrects):
        raise wrong("corrects", "the id of an event, as `was` says that it is a correction")
    if event.was is UNSET or not 0 <= event.was <= most:
        raise wrong("was", f"the quantity said before, 0 to {most}")
    if not 0 <= event.quantity <= most or event.quantity == event.was:
        raise wrong("quantity", f"0 to {most}, another than before")
    if event.seq < 1:
        raise wrong("seq", "the number of the correction, 1 or more")
