"""Asking an artist for a licence, and what came of it: nothing is granted here, and nothing is owed.

What she says is in `answers`, what the organisation says to that in `replies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.counted import many
from licet.statements import envelope as envelopes
from licet.statements.agreed import wrong_price
from licet.statements.envelope import Envelope
from licet.statements.kinds import LicenceRequest
from licet.statements.kinds.agreements import price_of
from licet.statements.requests import LONGEST
from licet.wire.agreements import RequestAccepted, RequestedWork, RequestInfo, RequestShown
from licet.wire.common import Page
from licet.wire.licensing import WorkWanted
from registry import consent, translog
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.accounts.statements import file_if_kept
from registry.agreements import queries
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotAllowed, NotFound
from registry.http import moments
from registry.http.paging import Asked, page_of
from registry.licensing.offers import AS_STATED, declared, model_key, request_of, use_key
from registry.licensing.queries import LOCK_ORGANISATION
from registry.licensing.signatures import opened
from registry.licensing.standing import standing
from registry.services import Services
from registry.splits.intake import NONCE

CLOCK: Final = timedelta(minutes=5)


class Kept(NamedTuple):
    """What was kept of a document: its request, its name, and its place before the log."""

    request: UUID
    statement: str
    pending: int


async def ask(services: Services, caller: Caller, envelope: Envelope) -> RequestAccepted:
    """Return once the request is in the published log, and the artist can read it; again has no second effect.

    Raises ``MalformedError`` and ``Invalid`` naming the field, and ``Conflict`` naming a work that its terms do not let
    anybody license for this use: whoever said no is not asked.
    """
    kept = await services.database.run(partial(_ask, services, caller, envelope))
    return await accepted(services, caller, kept)


async def hold_askable(services: Services, caller: Caller, payload: LicenceRequest) -> None:
    """Return if ``payload`` could be asked at this moment; raises what `ask` would, before anybody has signed it."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        account = await _owner(conn, payload, caller)
        await _hold_licensable(conn, caller, payload, await _works(conn, account, payload))


async def shown(services: Services, caller: Caller, request: UUID) -> RequestShown:
    """Return the request with its documents, for the two whom it concerns; raises ``NotFound``."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        row = await conn.fetchrow(queries.SEEN, caller.account, request)
        if row is None:
            raise nobodys()
        works = [
            RequestedWork(
                identifiers.from_uuid("wrk", each["work"]),
                each["title"],
                None if each["statement"] is None else identifiers.from_uuid("stm", each["statement"]),
            )
            for each in await conn.fetch(queries.REQUESTED, caller.account, request)
        ]
        asked = await file_if_kept(conn, row["pending"], "licence-request")
        answered = None if row["answered"] is None else await file_if_kept(conn, row["answered"], "licence-answer")
        replied = None if row["replied"] is None else await file_if_kept(conn, row["replied"], "licence-reply")
    return RequestShown(_info(row), works, asked, answered, replied)


async def listed(
    services: Services, caller: Caller, asked: Asked, state: str | None, work: UUID | None
) -> Page[RequestInfo]:
    """Return one page of the requests that the caller made, or is asked; raises ``Invalid`` naming the parameter."""
    async with services.database.acquire() as conn:
        rows, more = await page_of(conn, queries.REQUESTS, asked, caller.account, state, work)
    return Page([_info(row) for row in rows], more)


async def waiting(conn: Connection, caller: Caller) -> int:
    """Return how many requests wait for an answer of the caller's."""
    found: int = await conn.fetchval(queries.WAITING, caller.account)
    return found


async def _ask(services: Services, caller: Caller, envelope: Envelope, conn: Connection) -> Kept:
    if await conn.fetchval(LOCK_ORGANISATION, caller.account) is None:
        raise NotAllowed("only an organisation asks for a licence")
    digest = bytes.fromhex(envelope.payload_digest)
    known = await conn.fetchrow(queries.ASKED, digest)
    if known is not None and known["organisation"] == caller.account:
        return Kept(known["id"], identifiers.from_uuid("ask", known["id"]), known["pending"])
    payload = await opened(conn, LicenceRequest, envelope, caller, services.keys.ref)
    number = identifiers.to_uuid(payload.request, "ask", field="request")
    now = times.now()
    moments.past(payload.issued_at, "issued_at")
    if len(payload.nonce) not in NONCE:
        raise Invalid.field("nonce", "16 to 128 characters", payload.nonce)
    until = times.from_text(payload.expires_at, "expires_at")
    if not now < until <= now + LONGEST + CLOCK:
        raise Invalid.field("expires_at", f"a time to come within {LONGEST.days} days", payload.expires_at)
    if payload.price is not None and (wrong := wrong_price(price_of(payload.price))) is not None:
        raise Invalid(wrong)
    account = await _owner(conn, payload, caller)
    works = await _works(conn, account, payload)
    await _hold_licensable(conn, caller, payload, works)
    pending = await translog.submit(
        conn, "licence-request", payload.request, envelopes.encode(envelope), caller.account
    )
    kept = await conn.fetchval(
        queries.KEEP_REQUEST,
        number,
        caller.account,
        account,
        pending,
        digest,
        use_key(payload.use),
        model_key(payload.use),
        payload.use.model,
        payload.use.version,
        len(works),
        times.from_text(payload.issued_at),
        until,
    )
    if kept is None:
        raise Conflict("request: expected an identifier that is new, got that of another request")
    await conn.execute(queries.KEEP_WORKS, number, works)
    detail = (
        f"{caller.name} ({caller.id}) asks for a licence for {many(len(works), 'work')} and the model "
        f"{payload.use.model}@{payload.use.version}, until {payload.expires_at}"
    )
    await events.tell(conn, account, "licence-requested", payload.request, detail)
    return Kept(number, payload.request, pending)


async def _owner(conn: Connection, payload: LicenceRequest, caller: Caller) -> UUID:
    account = identifiers.to_uuid(payload.account, "art", "org", field="account")
    row = await conn.fetchrow(queries.ACCOUNT, account)
    if row is None or identifiers.from_uuid(row["kind"], account) != payload.account or row["erased_at"] is not None:
        raise Invalid.field("account", "an artist or organisation of this registry", payload.account)
    if account == caller.account:
        raise Invalid.field("account", "somebody else, whom one can ask", payload.account)
    return account


async def _works(conn: Connection, account: UUID, payload: LicenceRequest) -> list[UUID]:
    works = [identifiers.to_uuid(each, "wrk", field=f"works[{place}]") for place, each in enumerate(payload.works)]
    known = {row["id"]: row["withdrawn_at"] for row in await conn.fetch(queries.WORKS, account, works)}
    for place, (work, named) in enumerate(zip(works, payload.works, strict=True)):
        if work not in known or known[work] is not None:
            raise Invalid.field(f"works[{place}]", f"a work that {payload.account} registered", named)
    return works


async def _hold_licensable(conn: Connection, caller: Caller, payload: LicenceRequest, works: Sequence[UUID]) -> None:
    now = times.now()
    use = declared(payload.use, request_of(payload.use, caller.id, now))
    if use != payload.use:
        raise Invalid.field("use", "its one spelling: lists sorted, the purpose complete", payload.use)
    found = await standing(conn, caller.account, caller.id, use, works, now)
    records = await consent.current(conn, works)
    wanted = [
        WorkWanted(
            identifiers.from_uuid("wrk", work),
            identifiers.from_uuid("stm", UUID(bytes=records[work].statement)) if work in records else "",
            "exact",
        )
        for work in works
    ]
    _, left, _ = found.lines(wanted, AS_STATED)
    for each in left:
        if each.reason != "needs-agreement":
            raise Conflict(f"{each.work}: expected a work whose terms can be licensed for this use, got {each.reason}")


async def accepted(services: Services, caller: Caller, kept: Kept) -> RequestAccepted:
    """Return the request once what was ``kept`` is in the published log."""
    receipt = await translog.wait(services.database, kept.pending)
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(queries.SEEN, caller.account, kept.request)
    if row is None:
        raise nobodys()
    return RequestAccepted(_info(row), kept.statement, receipt)


def answerable(request: RequestInfo) -> bool:
    """Whether an offer can still come: while the request stands, what was refused, declined or ran out is no end."""
    ended = request.state in ("accepted", "withdrawn")
    return not ended and times.now() < times.from_text(request.expires_at)


def hold_unended(seen: Row) -> None:
    """Return only if nobody has ended the request of a row of `queries.SEEN`; raises ``Conflict``."""
    if seen["state"] == "accepted":
        raise Conflict(f"the offer was accepted: {identifiers.from_uuid('lic', seen['licence'])} runs to its end")
    if seen["state"] == "withdrawn":
        raise Conflict("the request was taken back: there is nothing to answer any more")


def nobodys() -> NotFound:
    """Return what whoever has no part in a request is told."""
    return NotFound("there is no such request among those that you made, or are asked")


def _info(row: Row) -> RequestInfo:
    return RequestInfo(
        request=identifiers.from_uuid("ask", row["id"]),
        organisation=identifiers.from_uuid("org", row["organisation"]),
        name=row["name"],
        account=identifiers.from_uuid(row["kind"], row["account"]),
        state=row["state"],
        document=row["digest"].hex(),
        works=row["works"],
        model=row["model"],
        version=row["version"],
        asked_at=times.to_text(row["asked_at"]),
        expires_at=times.to_text(row["expires_at"]),
        offered_until=times.to_text(row["offered_until"]) if row["state"] == "offered" else None,
        licence=None if row["licence"] is None else identifiers.from_uuid("lic", row["licence"]),
        log_index=row["index"],
    )
