"""What an artist answers: an offer, a refusal, or that what was offered is taken back.

It is given under the consent head of whoever gives it. Whoever accepts holds a share of the same row, so taking an
offer back and accepting it are in an order that both knew (semantics 22).
"""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from licet import identifiers, times
from licet.decisions import TRUSTED_LEVEL
from licet.statements import envelope as envelopes
from licet.statements.agreed import wrong_price
from licet.statements.envelope import Envelope
from licet.statements.kinds import LicenceAnswer
from licet.statements.kinds.agreements import price_of
from licet.statements.requests import LONGEST
from licet.terms import UNPAID
from licet.wire.agreements import RequestAccepted
from registry import translog
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.agreements import queries
from registry.agreements.requests import CLOCK, Kept, accepted, hold_unended, nobodys
from registry.consent.queries.statements import LOCK_HEAD
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotAllowed
from registry.services import Services
from registry.splits.intake import opened


async def answer(services: Services, caller: Caller, request: UUID, envelope: Envelope) -> RequestAccepted:
    """Return once the answer is in the published log: it stands in the place of the one before.

    Raises ``NotFound``, ``MalformedError`` and ``Invalid`` naming the field, ``NotAllowed`` for whoever asked, and
    ``Conflict`` for a request that was accepted, taken back, or can no longer be answered, and where no offer stands
    that could be taken back.
    """
    kept = await services.database.run(partial(_answer, services, caller, request, envelope))
    return await accepted(services, caller, kept)


async def _answer(services: Services, caller: Caller, request: UUID, envelope: Envelope, conn: Connection) -> Kept:
    row = await conn.fetchrow(queries.REQUEST, request)
    if row is None or caller.account not in (row["account"], row["organisation"]):
        raise nobodys()
    await conn.fetchrow(LOCK_HEAD, row["account"])
    digest = bytes.fromhex(envelope.payload_digest)
    known = await conn.fetchrow(queries.ANSWERED, digest)
    if known is not None and (known["account"], known["request"]) == (caller.account, request):
        return Kept(request, identifiers.from_uuid("stm", known["id"]), known["pending"])
    if caller.account != row["account"]:
        raise NotAllowed("expected the answer of the account that is asked")
    payload = await opened(conn, LicenceAnswer, envelope, caller, services.keys.ref)
    if identifiers.to_uuid(payload.request, "ask", field="request") != request:
        raise Invalid.field("request", "the request in the path", payload.request)
    if payload.document != row["digest"].hex():
        raise Invalid.field("document", f"{row['digest'].hex()}, the SHA-256 of what was asked", payload.document)
    until = _offered_until(payload, row, caller)
    seen = await conn.fetchrow(queries.SEEN, caller.account, request)
    assert seen is not None  # it was found above, and requests stay
    hold_unended(seen)
    if payload.answer == "withdraw" and seen["state"] != "offered":
        raise Conflict(f"expected an offer that stands and can be taken back, got a request that is {seen['state']}")
    statement = identifiers.new_uuid()
    name = identifiers.from_uuid("stm", statement)
    pending = await translog.submit(conn, "licence-answer", name, envelopes.encode(envelope), caller.account)
    await conn.execute(queries.KEEP_ANSWER, digest, statement, request, caller.account, payload.answer, pending, until)
    kind, said = _TOLD[payload.answer]
    detail = f"{caller.id} {said.format(until=payload.offered_until)}, in answer to {payload.request}"
    await events.tell(conn, row["organisation"], kind, payload.request, detail)
    return Kept(request, name, pending)


_TOLD: Final = {
    "offer": ("licence-offered", "offers a price until {until}"),
    "refuse": ("licence-refused", "refuses"),
    "withdraw": ("licence-offer-withdrawn", "took back what was offered"),
}


def _offered_until(payload: LicenceAnswer, row: Row, caller: Caller) -> object:
    """Return until when the offer stands, None where none is made; raises ``Invalid`` and ``Conflict``."""
    if payload.answer != "offer":
        return None
    now = times.now()
    if row["expires_at"] <= now:
        raise Conflict(f"the request could be answered until {times.to_text(row['expires_at'])}")
    price = price_of(payload.price or {})
    wrong = wrong_price(price)
    if wrong is not None:
        raise Invalid(wrong)
    if price.model in UNPAID and caller.level < TRUSTED_LEVEL:
        raise Conflict("price: expected a price below claim level 2, where nothing can be given for free")
    until = times.from_text(payload.offered_until or "", "offered_until")
    if not now < until <= now + LONGEST + CLOCK:
        raise Invalid.field("offered_until", f"a time to come within {LONGEST.days} days", payload.offered_until)
    if payload.grant_until is not None and times.from_text(payload.grant_until, "grant_until") <= until:
        raise Invalid.field("grant_until", "a time after offered_until", payload.grant_until)
    return until
