"""What an artist has offered in answer to a request: read here, where licences are granted, written above."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import LicenceAnswer, Use
from licet.statements.kinds.agreements import price_of
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotFound
from registry.licensing import queries
from registry.licensing.offers import Offered, model_key, use_key


class Answered(NamedTuple):
    """A request with what stands of its answer, and the works that it is for."""

    id: UUID
    document: str
    offered: Offered
    works: frozenset[UUID]


async def answered(conn: Connection, organisation: UUID, use: Use, request: str, at: datetime) -> Answered:
    """Return what was offered in answer to ``request`` (``ask_…``), which is for exactly this use.

    Whoever grants by it holds a share of the artist's consent head, which an answer or a reply takes whole. Raises
    ``NotFound``, ``Invalid`` for another use, and ``Conflict`` where no offer stands.
    """
    number = identifiers.to_uuid(request, "ask", field="request")
    row = await conn.fetchrow(queries.REQUEST, number, organisation)
    if row is None:
        raise NotFound("there is no such request of yours")
    if (row["use_key"], row["model_key"]) != (use_key(use), model_key(use)):
        raise Invalid.field("use", f"the use that {request} asks for", f"{use.model}@{use.version}")
    last = await conn.fetchrow(queries.LAST_ANSWER, number)
    why = _nothing_stands(row, last)
    if last is None or why is not None:
        raise Conflict(f"request: expected one with an offer that stands, got {request}: {why}")
    if last["offered_until"] <= at:
        raise Conflict(f"request: the offer in answer to {request} ended at {times.to_text(last['offered_until'])}")
    sealed = envelopes.parse(last["envelope"])
    payload = envelopes.read_as(LicenceAnswer, sealed)
    offered = Offered(
        sealed.payload_digest,
        price_of(payload.price or {}),
        last["offered_until"],
        None if payload.grant_until is None else times.from_text(payload.grant_until),
        payload.revocation,
    )
    works = frozenset(each["work"] for each in await conn.fetch(queries.REQUESTED, number))
    return Answered(number, row["digest"].hex(), offered, works)


def _nothing_stands(request: Row, last: Row | None) -> str | None:
    """Return why nobody can accept anything in answer to ``request``; None where ``last`` is an offer that was left."""
    if request["withdrawn"]:
        return "it was taken back"
    if last is None:
        return "nobody has answered yet"
    if last["declined"]:
        return "the offer was declined"
    if last["answer"] == "withdraw":
        return "the artist took the offer back"
    return "the artist refuses" if last["answer"] == "refuse" or last["envelope"] is None else None
