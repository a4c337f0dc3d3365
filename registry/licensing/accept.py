"""Accepting a quote: two signatures on one licence, and no licence after a tighten that it ignored (semantics 22).

Everything is one transaction. It holds, in this order: the organisation's row, so that two acceptances of the same
works follow each other; then a share of the consent head of every artist and of whoever contests their works, which a
consent takes whole; only then is the place in the log drawn. So a tighten either came before, and its works are seen
changed here, or comes after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec

from licet import canonical, identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import Event, Licence, LicenceLine, RegistryRef
from licet.statements.licences import licence_payload
from licet.statements.owed import allocated, due_at_accept, run_events
from licet.wire.licensing import LeftOut, LicenceAccept, LicenceGranted, Quote, WorkWanted
from registry import consent, translog
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.errors import Conflict, Invalid, NotAllowed
from registry.licensing import accrual, licences, queries, quotes
from registry.licensing.answered import answered
from registry.licensing.offers import AS_STATED, Taking, model_key, use_key
from registry.licensing.refusals import OverBudget, QuoteExpired, WorksChanged
from registry.licensing.signatures import opened
from registry.licensing.standing import standing
from registry.licensing.types import Accrual, Posting
from registry.services import Services


async def accept(services: Services, caller: Caller, data: LicenceAccept) -> LicenceGranted:
    """Return the licence that accepts a quote, granted and in the log: by this call, or by an earlier one like it.

    Raises ``NotFound``, ``QuoteExpired``, ``OverBudget``, ``WorksChanged``, ``Conflict`` for a quote that was
    accepted with other bytes, ``Invalid`` for a payload or signature that is not the quote's, ``OverLimit``.
    """
    number = identifiers.to_uuid(data.quote, "quo", field="quote")
    pending = await _known(services, caller, number, data.envelope)
    if pending is None:
        quote = await quotes.stored(services, caller.account, number)
        pending = await _grant(services, caller, number, quote, data.envelope)
    await translog.wait(services.database, pending)
    return await licences.granted(services, caller, number)


async def _known(services: Services, caller: Caller, number: UUID, envelope: Envelope) -> int | None:
    async with services.database.acquire() as conn:
        return await _present(conn, caller, number, envelope)


async def _present(conn: Connection, caller: Caller, number: UUID, envelope: Envelope) -> int | None:
    row = await conn.fetchrow(queries.OWN_LICENCE, number, caller.account)
    if row is None:
        return None
    if row["payload_digest"].hex() != envelope.payload_digest:
        raise Conflict("this quote was accepted with another payload")
    pending: int = row["pending"]
    return pending


@dataclass(frozen=True)
class _Offer:
    """A quote with all that needs no lock, made beforehand."""

    number: UUID
    quote: Quote
    licence: str
    works: list[UUID]
    artists: list[UUID]
    accruals: list[Accrual]
    at: datetime


async def _grant(services: Services, caller: Caller, number: UUID, quote: Quote, envelope: Envelope) -> int:
    now = times.now()
    if times.from_text(quote.expires_at) <= now:
        raise QuoteExpired(f"the quote ended at {quote.expires_at}; ask for a new one")
    if quote.over_budget:
        raise OverBudget("the quote is larger than its budget: raise it, or ask for what fits")
    if not quote.lines:
        raise Invalid("expected a quote with works in it, got one that left all of them out")
    offer = await asyncio.to_thread(_prepared, number, quote, now)
    return await services.database.run(partial(_granted, services, caller, offer, envelope))


def _prepared(number: UUID, quote: Quote, at: datetime) -> _Offer:
    licence = identifiers.from_uuid("lic", number)
    events = run_events(
        organisation=quote.organisation,
        licence=licence,
        first_run=quote.run,
        run=quote.run,
        lines=quote.lines,
        at=times.to_text(at),
    )
    return _Offer(
        number=number,
        quote=quote,
        licence=licence,
        works=[identifiers.to_uuid(line.work) for line in quote.lines],
        artists=sorted({identifiers.to_uuid(line.account) for line in quote.lines}),
        accruals=_accruals(quote, events),
        at=at,
    )


async def _granted(services: Services, caller: Caller, offer: _Offer, envelope: Envelope, conn: Connection) -> int:
    genesis = await conn.fetchval(queries.LOCK_ORGANISATION, caller.account)
    if genesis is None:
        raise NotAllowed("only an organisation can hold a licence")
    present = await _present(conn, caller, offer.number, envelope)
    if present is not None:
        return present
    payload = await opened(conn, Licence, envelope, caller, services.keys.ref)
    expected = await asyncio.to_thread(payload_of, offer.quote, genesis, services.keys.ref)
    if envelope.body != expected:
        raise Invalid("payload: expected exactly the licence that follows from the quote, got another one")
    rivals = await consent.rivals(conn, offer.works)  # who contests a work can tighten it, too
    await consent.lock_heads_shared(conn, {*offer.artists, *(each.account for each in rivals)})
    now = await standing(conn, caller.account, caller.id, offer.quote.use, offer.works, offer.at)
    wanted = [WorkWanted(line.work, line.statement, line.match) for line in offer.quote.lines]
    request, taking = await _taking(conn, caller, offer)
    lines, left, _ = await asyncio.to_thread(now.lines, wanted, taking)
    changed = [*left, *_moved(offer.quote.lines, lines)]
    if changed:
        raise WorksChanged(sorted(changed, key=lambda each: each.work))
    sealed = envelopes.encode(envelopes.countersign(envelope, await services.keys.hold(conn, "licence")))
    pending = await translog.submit(conn, "licence", offer.licence, sealed, caller.account)
    await _store(conn, caller.account, offer, payload, envelope.payload_digest, pending)
    if payload.agreement is not msgspec.UNSET:
        since, weigh = times.from_text(payload.agreement.since), payload.agreement.weigh
        allocates = any(allocated(line) for line in offer.quote.lines)
        await conn.execute(queries.ADD_AGREEMENT, offer.number, request, since, weigh, allocates)
    # For which uses is in the licence, which not every account that is told may read yet.
    about = "a licence on works of yours was taken"
    await events.tell_many(conn, offer.artists, "licence-granted", offer.licence, about)
    limit = services.settings.owed_limit_micro
    posting = Posting(offer.licence, caller.account, caller.id, None, offer.at, limit, caller.token)
    await accrual.post(conn, posting, offer.accruals)
    return pending


async def _taking(conn: Connection, caller: Caller, offer: _Offer) -> tuple[UUID | None, Taking]:
    """Return the request that the quote answers to, and how its works are taken: as was offered, if that stands now."""
    said = offer.quote.agreement
    if said is msgspec.UNSET:
        return None, AS_STATED
    if said.request is None:
        return None, Taking(agreement=True)
    number = await conn.fetchval(queries.REQUEST_OF, bytes.fromhex(said.request), caller.account)
    if number is None:
        raise Conflict("request: expected the request that the quote answers to, got none: ask anew")
    found = await answered(conn, caller.account, offer.quote.use, identifiers.from_uuid("ask", number), offer.at)
    return number, Taking(offered=found.offered)


def payload_of(quote: Quote, genesis: str, registry: RegistryRef) -> bytes:
    """Return the bytes of the one licence that accepts ``quote``, for whose ``genesis`` it was made: what is signed."""
    return canonical.encode(
        licence_payload(
            registry=registry,
            genesis=genesis,
            quote=quote.quote,
            digest=quote.digest,
            organisation=quote.organisation,
            use=quote.use,
            dataset=quote.dataset,
            run=quote.run,
            lines=quote.lines,
            totals=quote.totals,
            budget=quote.budget,
            fee_bps=quote.fee_bps,
            issued_at=quote.issued_at,
            valid_until=quote.valid_until,
            agreement=quote.agreement,
        )
    )


def _moved(quoted: Sequence[LicenceLine], now: Sequence[LicenceLine]) -> list[LeftOut]:
    """Return the works whose line came out otherwise now, though they can still be licensed."""
    present = {line.work: line for line in now}
    return [LeftOut(line.work, "changed") for line in quoted if present.get(line.work, line) != line]


async def _store(
    conn: Connection, organisation: UUID, offer: _Offer, payload: Licence, digest: str, pending: int
) -> None:
    quote = offer.quote
    await conn.execute(
        queries.ADD_LICENCE,
        offer.number,
        organisation,
        pending,
        bytes.fromhex(digest),
        bytes.fromhex(payload.quote),
        use_key(quote.use),
        model_key(quote.use),
        quote.use.atoms,
        quote.use.model,
        quote.use.version,
        quote.run,
        None if quote.dataset is None else identifiers.to_uuid(quote.dataset),
        quote.fee_bps,
        len(quote.lines),
        times.from_text(quote.issued_at),
        None if quote.valid_until is None else times.from_text(quote.valid_until),
        offer.at,
    )
    await conn.copy_records_to_table(
        "licence_works",
        records=[
            (
                offer.number,
                work,
                identifiers.to_uuid(line.account),
                identifiers.to_uuid(line.statement),
                bytes.fromhex(line.terms_hash),
                line.atom,
                line.model,
                line.currency,
                line.amount,
                line.match,
                line.escrow,
                None if line.agreed is msgspec.UNSET else msgspec.json.encode(line.agreed).decode(),
            )
            for work, line in zip(offer.works, quote.lines, strict=True)
        ],
        columns=queries.LICENCE_WORKS,
    )


def _accruals(quote: Quote, events: Sequence[Event]) -> list[Accrual]:
    lines = {line.work: line for line in quote.lines}
    found = []
    for event in events:
        line = lines[event.work]
        artist = identifiers.to_uuid(line.account)
        due = due_at_accept(line)
        found.append(Accrual(accrual.read(event), artist, line.account, line.currency, due, quote.fee_bps, line.escrow))
    return found
