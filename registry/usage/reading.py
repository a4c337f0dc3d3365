"""Events in columns, held to the rules all at once; the first that breaks one is then told of by the rules one by one.

What is accepted here is exactly what `events.checked` accepts; only what it costs differs.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np

from licet import compiled, times
from licet.errors import InputError
from licet.statements.envelope import Envelope
from licet.statements.event_columns import Coded, EventColumns, event_ids, event_root
from licet.statements.kinds import Event, UsageBatch
from licet.statements.licences import SECRET_BYTES
from licet.statements.owed import ONCE
from registry.errors import Invalid
from registry.http import moments
from registry.licensing.columns import Ints, Truths, Uses
from registry.usage import events as rules
from registry.usage.refusals import InvalidEvents

_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_WIDTH: Final = 30  # of an identifier: three letters, an underscore, 26 letters and digits
_NONE: Final = 255
_HEX: Final = 64
_MANY: Final = 2_000


class Submitted(NamedTuple):
    """A batch as it was sent, in whichever form."""

    envelope: Envelope
    secret: str
    columns: EventColumns
    corrections: Sequence[Event] = ()  # then there are no columns: a batch holds either

    @property
    def size(self) -> int:
        """How many events there are."""
        return self.columns.size + len(self.corrections)


def checked(payload: UsageBatch, columns: EventColumns, secret: bytes, now: datetime) -> Uses:
    """Return ``columns``, read: they are exactly what ``payload`` commits to, and each event can have happened.

    Raises ``Invalid`` for a batch that does not fit its events, ``InvalidEvents`` naming the event that cannot be.
    """
    if len(secret) != SECRET_BYTES:
        raise Invalid.field("secret", f"{SECRET_BYTES} bytes in base64", f"{len(secret)} bytes")
    if not 1 <= columns.size <= rules.MAX_EVENTS or payload.count != columns.size:
        raise Invalid.field("events", f"1 to {rules.MAX_EVENTS} events, as many as the batch counts", columns.size)
    if columns.size >= _MANY:
        compiled.load()  # the first such batch waits for it, seconds; all later ones are hashed in half the time
    licences = _uuids(columns.licence, "lic")
    statements = _uuids(columns.statement, "stm")
    works = _uuids(columns.work, "wrk")
    moments_at, bad_moments = _moments(columns.at)
    wrong = _wrong(columns) | bad_moments
    for column, (_, bad) in ((columns.licence, licences), (columns.statement, statements), (columns.work, works)):
        wrong |= bad[column.codes]
    names = event_ids(payload.organisation, columns)
    _hold(columns, payload.organisation, wrong, names)
    _hold_to_span(payload, columns, now)
    if event_root(secret, columns) != payload.event_root:
        raise Invalid.field("payload.event_root", "the root over the salted events", payload.event_root)
    known = len(columns.licence.values)
    source = np.where(columns.licence.codes < 0, columns.statement.codes + known, columns.licence.codes)
    return Uses(
        columns,
        names,
        [*licences[0], *statements[0]],
        source.astype(np.int64),
        works[0],
        columns.work.codes.astype(np.int64),
        moments_at[columns.at.codes],
    )


def _wrong(columns: EventColumns) -> Truths:
    """Return of each event whether a rule is broken that needs no identifier read."""
    once = columns.unit.wrong(lambda unit: unit in ONCE)
    found: Truths = (columns.licence.codes < 0) == (columns.statement.codes < 0)
    found |= columns.unit.wrong(lambda unit: unit not in rules.UNITS)
    found |= (columns.quantity < 1) | (columns.quantity > np.where(once, 1, rules.MAX_QUANTITY))
    found |= (columns.seq < 0) | (columns.seq > np.where(once, 0, rules.MAX_SEQ))
    found |= columns.atom.wrong(lambda atom: atom not in rules.KNOWN_ATOMS)
    found |= columns.run.wrong(lambda run: not 0 < len(run) <= rules.MAX_RUN or not run.isprintable())
    return found


def _hold(columns: EventColumns, organisation: str, wrong: Any, names: list[bytes]) -> None:
    """Return only if no event is ``wrong``, each has its id, and the ids grow."""
    ids = columns.id
    disordered = next((row for row, (one, two) in enumerate(itertools.pairwise(["", *ids])) if two <= one), None)
    first = int(wrong.argmax()) if wrong.any() else None
    if "".join(ids) != b"".join(names).hex() or any(len(each) != _HEX for each in ids):
        other = next(row for row, (one, two) in enumerate(zip(ids, names, strict=True)) if one != two.hex())
        first = other if first is None else min(first, other)
    if disordered is not None and (first is None or disordered <= first):
        raise InvalidEvents.field(f"events[{disordered}].id", "a greater id than the event before", ids[disordered])
    if first is not None:
        rules.examined(first, columns.event(first), organisation)
        raise InvalidEvents.field(f"events[{first}]", "a use that can have happened", columns.event(first))


def _hold_to_span(payload: UsageBatch, columns: EventColumns, now: datetime) -> None:
    # Every one of them is in the one spelling, which sorts as time does; and there is no text without an event.
    used = [columns.at.values[code] for code in np.unique(columns.at.codes).tolist()]
    span = (min(used), max(used))
    if span != (payload.first_at, payload.last_at):
        raise Invalid.field("payload", f"first_at and last_at {span}", (payload.first_at, payload.last_at))
    if moments.is_to_come(times.from_text(span[1]), now):
        raise InvalidEvents.field("payload.last_at", moments.expected(now), span[1])
    moments.past(payload.issued_at, "payload.issued_at")


def _moments(column: Coded) -> tuple[Ints, Truths]:
    """Return microseconds of each distinct text, and of each event whether its text is none."""
    found = np.zeros(len(column.values), np.int64)
    bad = np.zeros(len(column.values) + 1, bool)
    for place, text in enumerate(column.values):
        try:
            found[place] = times.to_microseconds(times.from_text(text))
        except InputError:
            bad[place] = True
    return found, bad[column.codes]


_table = np.full(256, _NONE, np.uint8)
for _value, _letter in enumerate(_LETTERS):
    _table[ord(_letter)] = _value


def _uuids(column: Coded, kind: str) -> tuple[list[UUID], Truths]:
    """Return what each distinct text names, and whether it is no identifier of ``kind``; the last is of no text."""
    count = len(column.values)
    bad = np.zeros(count + 1, bool)
    if not count:
        return [], bad
    bad[:count] = [len(text) != _WIDTH or not text.isascii() for text in column.values]
    stand_in = f"{kind}_{'0' * (_WIDTH - 4)}"
    texts = [stand_in if wrong else text for text, wrong in zip(column.values, bad.tolist(), strict=False)]
    letters = np.frombuffer("".join(texts).encode(), np.uint8).reshape(count, _WIDTH)
    digits = _table[letters[:, 4:]]
    bad[:count] |= (letters[:, :4] != np.frombuffer(f"{kind}_".encode(), np.uint8)).any(axis=1)
    bad[:count] |= (digits == _NONE).any(axis=1) | (digits[:, 0] > 7)
    bits = np.unpackbits(digits.reshape(count, 26, 1), axis=2)[:, :, 3:].reshape(count, 130)[:, 2:]
    packed = np.packbits(bits, axis=1).tobytes()
    return [UUID(bytes=packed[16 * place : 16 * place + 16]) for place in range(count)], bad
