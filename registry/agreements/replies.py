"""What an organisation says of its own request: it takes the request back, or declines the offer that was made.

It is said under the consent head of whoever was asked, which an answer takes as well and whoever accepts holds a share
of: so a reply, an answer and an acceptance are in an order that all of them knew (semantics 22).
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import LicenceReply
from licet.wire.agreements import RequestAccepted
from registry import translog
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.agreements import queries
from registry.agreements.requests import Kept, accepted, hold_unended, nobodys
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotAllowed
from registry.http import moments
from registry.licensing.queries import LOCK_ORGANISATION
from registry.licensing.signatures import opened
from registry.services import Services
from registry.splits.intake import NONCE

_TOLD: Final = {
    "withdraw": ("licence-request-withdrawn", "took back what it asked for"),
    "decline": ("licence-declined", "declines what was offered"),
}


async def reply(services: Services, caller: Caller, request: UUID, envelope: Envelope) -> RequestAccepted:
    """Return once the reply is in the published log: the request, or the offer that it names, has ended.

    The same again has no second effect. Raises ``NotFound``, ``MalformedError`` and ``Invalid`` naming the field,
    ``NotAllowed`` for whoever was asked, and ``Conflict`` for what has ended already, and for a request that an offer
    stands in answer to: that is declined or accepted, so nobody throws away what they have not read.
    """
    kept = await services.database.run(partial(_reply, services, caller, request, envelope))
    return await accepted(services, caller, kept)


async def _reply(services: Services, caller: Caller, request: UUID, envelope: Envelope, conn: Connection) -> Kept:
    row = await conn.fetchrow(queries.REQUEST, request)
    if row is None or caller.account not in (row["account"], row["organisation"]):
        raise nobodys()
    if caller.account != row["organisation"]:
        raise NotAllowed("expected the reply of the organisation that asks")
    await conn.fetchval(LOCK_ORGANISATION, caller.account)  # in the order of whoever accepts
    await conn.fetchrow(queries.HOLD_HEAD, row["account"])
    digest = bytes.fromhex(envelope.payload_digest)
    known = await conn.fetchrow(queries.REPLIED, digest)
    if known is not None and known["request"] == request:
        return Kept(request, identifiers.from_uuid("stm", known["id"]), known["pending"])
    payload = await opened(conn, LicenceReply, envelope, caller, services.keys.ref)
    moments.past(payload.issued_at, "issued_at")
    if len(payload.nonce) not in NONCE:
        raise Invalid.field("nonce", "16 to 128 characters", payload.nonce)
    if identifiers.to_uuid(payload.request, "ask", field="request") != request:
        raise Invalid.field("request", "the request in the path", payload.request)
    if payload.document != row["digest"].hex():
        raise Invalid.field("document", f"{row['digest'].hex()}, the SHA-256 of what was asked", payload.document)
    seen = await conn.fetchrow(queries.SEEN, caller.account, request)
    assert seen is not None  # it was found above, and requests stay
    hold_unended(seen)
    if payload.offer is None:
        _hold_open(seen, times.now())
    else:
        _hold_offered(seen, payload.offer)
    statement = identifiers.new_uuid()
    name = identifiers.from_uuid("stm", statement)
    pending = await translog.submit(conn, "licence-reply", name, envelopes.encode(envelope), caller.account)
    offer = None if payload.offer is None else bytes.fromhex(payload.offer)
    await conn.execute(queries.KEEP_REPLY, digest, statement, request, payload.reply, offer, pending)
    asked = await conn.fetchrow(queries.ACCOUNT, row["account"])
    if asked is not None and asked["erased_at"] is None:
        kind, said = _TOLD[payload.reply]
        await events.tell(conn, row["account"], kind, payload.request, f"{caller.name} ({caller.id}) {said}")
    return Kept(request, name, pending)


def _hold_open(seen: Row, now: datetime) -> None:
    """Return only if the request can still be answered and no offer stands; raises ``Conflict``."""
    if seen["state"] == "offered":
        until = times.to_text(seen["offered_until"])
        raise Conflict(f"an offer stands until {until}: expected it to be read, then declined or accepted")
    if seen["expires_at"] <= now:
        raise Conflict(f"the request ended at {times.to_text(seen['expires_at'])}: there is nothing to take back")


def _hold_offered(seen: Row, offer: str) -> None:
    """Return only if ``offer`` is the artist's last answer and stands; raises ``Conflict``."""
    if seen["state"] == "lapsed":
        raise Conflict(f"the offer ended at {times.to_text(seen['offered_until'])}: there is nothing to decline")
    if seen["state"] != "offered":
        raise Conflict(f"expected an offer that stands, got a request that is {seen['state']}")
    if seen["answer"].hex() != offer:
        raise Conflict(f"offer: expected {seen['answer'].hex()}, the artist's last one, got {offer}: read it first")
