"""What can be disputed, by whom and with whom: a work that somebody else registered, or a charge that takes from one.

A charge takes from whoever owes by it. A correction can say that there were fewer uses: that one takes from whom the
uses had credited, and it is theirs to dispute. Whom a charge is in favour of gains nothing when it is taken back, and
cannot have it decided before the other party says anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.statements.disputes import CONTESTABLE, NEAR_CONTESTABLE
from licet.statements.kinds import DisputeStep
from licet.wire.settlement import ChargeInfo
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.disputes import queries
from registry.errors import Conflict, Invalid, NotFound
from registry.settlement import escrow_queries as settlement
from registry.settlement.parting import charge_of
from registry.settlement.refunding import CHARGES


class Subject(NamedTuple):
    """A work or a charge, and the other party's account with its identifier."""

    work: UUID | None
    transfer: UUID | None
    against: UUID
    name: str


def may_dispute(charge: ChargeInfo, now: datetime) -> bool:
    """Return whether whoever is shown ``charge`` can be led to dispute it: it takes something, stands, and is not old.

    Of near matches alone a charge can be disputed for a shorter time: `subject_of` knows, and says until when.
    """
    takes = charge.amount != "0" and charge.amount.startswith("-") == (charge.side == "credited")
    stands = charge.state in ("stands", "escrow") and charge.dispute is None
    return takes and stands and now < times.from_text(charge.at) + CONTESTABLE


async def subject_of(conn: Connection, caller: Caller, payload: DisputeStep, now: datetime) -> Subject:
    """Return what ``caller`` may dispute; raises ``NotFound``, ``Invalid`` naming the field, and ``Conflict``."""
    if payload.subject.startswith("wrk_"):
        return await _work(conn, caller, payload.subject)
    return await _charge(conn, caller, payload.subject, now)


async def hold_evidence(conn: Connection, payload: DisputeStep) -> None:
    """Return only if the works and entries of the log that a step refers to are there; raises ``Invalid``."""
    works = {identifiers.to_uuid(each, "wrk") for each in payload.evidence if each.startswith("wrk_")}
    if works and await conn.fetchval(queries.KNOWN_WORKS, list(works)) != len(works):
        raise Invalid.field("evidence", "works of this registry", payload.evidence)
    entries = [int(each.removeprefix("log:")) for each in payload.evidence if each.startswith("log:")]
    if entries and max(entries) >= await conn.fetchval(queries.LOG_SIZE):
        raise Invalid.field("evidence", "entries that the log has", f"log:{max(entries)}")


async def _work(conn: Connection, caller: Caller, name: str) -> Subject:
    work = identifiers.to_uuid(name, "wrk", field="subject")
    row = await conn.fetchrow(queries.WORK, work)
    if row is None:
        raise NotFound(f"there is no work {name}")
    if row["account"] == caller.account:
        raise Invalid.field("subject", "a work that somebody else registered", name)
    if row["withdrawn_at"] is not None or not row["signed"]:
        raise Conflict(f"{name} has no terms in force: there is nothing to dispute")
    if row["lost_to"] is not None:
        raise Conflict(f"{name} was decided to be somebody else's already")
    return Subject(work, None, row["account"], identifiers.from_uuid(row["kind"], row["account"]))


async def _charge(conn: Connection, caller: Caller, name: str, now: datetime) -> Subject:
    transfer = identifiers.to_uuid(name, "tra", field="subject")
    row = await conn.fetchrow(settlement.CHARGE, transfer)
    sides = {} if row is None else {each["name"]: each for each in await conn.fetch(queries.SIDES, transfer)}
    if row is None or caller.id not in sides:
        raise NotFound(f"there is no charge {name} that you owe by, or are owed by")
    if row["reverses"] is not None or row["kind"] not in CHARGES:
        raise Invalid.field("subject", "a charge", f"a transfer of kind {row['kind']}")
    own = sides[caller.id]
    if own["taken"] <= 0:
        raise Invalid.field("subject", "a charge that takes something from you", f"{name}, which is in your favour")
    if row["reversed"] is not None:
        raise Conflict(f"{name} was taken back already")
    charge = charge_of(row, anywhere=True)
    near = charge is not None and not charge.agreed and await conn.fetchval(queries.NEAR, *charge.uses[:5])
    until = row["at"] + (NEAR_CONTESTABLE if near else CONTESTABLE)
    if now >= until:
        raise Conflict(f"{name} could be disputed until {times.to_text(until)}")
    others = [side for side, each in sides.items() if each["taken"] < 0]
    if charge is not None and charge.payee.startswith("spl_") and own["owes"]:
        shared = await conn.fetchrow(queries.SHARED_BY, charge.whose[0])  # whoever registered the works answers
        if shared is not None and shared["account"] != caller.account:
            others.insert(0, identifiers.from_uuid(shared["kind"], shared["account"]))
    if not others:
        raise Conflict(f"{name} credits nobody who could answer")
    return Subject(None, transfer, identifiers.to_uuid(others[0], "art", "org"), others[0])
