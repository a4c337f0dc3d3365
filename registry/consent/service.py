"""Accepting statements: one transaction under the account's consent head, then the log (semantics 8 to 11, 22).

Order of locks, everywhere: the account's consent head (and in the order of accounts those of the accounts whose works
it is a co-owner of), then the row of the consent version. The log's pending id is drawn after both, so the log's order
is the order in which statements were weighed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from licet import identifiers, times
from licet.canonical import from_base64
from licet.counted import many
from licet.log import entry as entries
from licet.statements import envelope as envelopes
from licet.statements.kinds import Consent
from licet.wire.works import StatementAccepted, StatementSubmit
from registry import translog
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.accounts.keyring import signer_of
from registry.consent import conflicts, owners, updating
from registry.consent.acceptance import Acceptance
from registry.consent.conflicts import Fresh
from registry.consent.intake import checked
from registry.consent.queries import statements, states
from registry.consent.types import Checked
from registry.database import Connection
from registry.errors import Conflict, Invalid, NotAuthenticated, NotFound
from registry.services import Services
from registry.works import queries as work_queries
from registry.works.types import Match


async def submit(services: Services, caller: Caller, request: StatementSubmit) -> StatementAccepted:
    """Return once the statement is in force (or waits) and in the published log; again has no second effect.

    Raises what `intake.checked` raises, ``Conflict`` for a statement that does not follow the account's last one, and
    ``Invalid`` for an ``effect`` that is not what the terms do.
    """
    async with services.database.acquire() as conn:
        digest = bytes.fromhex(request.envelope.payload_digest)
        known = await conn.fetchval(statements.KNOWN, caller.account, digest)
    if known is None:
        statement = await checked(services, caller, request.envelope, request.works, request.adds)
        known = await accept(services, caller.account, statement)
    return await _answer(services, caller.account, known)


async def attest(services: Services, caller: Caller, request: StatementSubmit) -> StatementAccepted:
    """Return as `submit` does for a statement that came unsigned, once the registry's office has attested it.

    The signature leaves this process with an accepted statement only. Raises what `submit` raises, ``NotAllowed`` for a
    statement that does more than tighten.
    """
    if request.envelope.signatures:
        raise Invalid.field("envelope.signatures", "none", f"{len(request.envelope.signatures)} signatures")
    async with services.database.transaction() as conn:
        office = await services.keys.hold(conn, "office")  # one that ends before the statement is taken is refused then
    attested = envelopes.countersign(request.envelope, office)
    return await submit(services, caller, StatementSubmit(attested, request.works, request.adds))


async def accept(services: Services, account: UUID, statement: Checked) -> UUID:
    """Return the id of the accepted ``statement``, in force or waiting from COMMIT on."""
    fresh, matches = Fresh(account, [], 0), list[Match]()
    if statement.terms is not None and statement.works and not statement.shared:
        fresh, matches = await conflicts.fresh_among(services, account, statement.works)
    elif statement.added:
        fresh, matches = await updating.meeting(services, account, statement.added)
    async with services.database.transaction() as conn:
        await conn.execute(statements.PATIENT)
        registered, head = await _registered_by(conn, account, statement), None
        if statement.added:  # a registration of the same files comes before or after; it takes this lock first, too
            await conn.fetchval(work_queries.LOCK_OWNER, account)
        for each in sorted({account, *registered}):
            locked = await conn.fetchrow(statements.LOCK_HEAD, each)
            head = locked if each == account else head
        assert head is not None
        known: UUID | None = await conn.fetchval(statements.KNOWN, account, statement.digest)
        if known is not None:
            return known
        if await conn.fetchval(statements.ERASED, account):
            raise NotAuthenticated("the account was erased")
        signer = await signer_of(conn, services.keys.ref, account, statement.keyid, statement.payload)
        if isinstance(statement.payload, Consent):
            _follows(statement.payload, head["seq"], head["digest"])
        if statement.works and not statement.shared and head["updates"] != statement.updates:
            raise Conflict("expected works as they were when this was sent, got an update of some; draft it again")
        now = times.now()
        changed: int = await conn.fetchval(statements.NEXT_VERSION)
        work = Acceptance(conn, services, account, statement, now, changed)
        stated = statement.scope == "catalogue" or await conn.fetchval(statements.STATED, list(statement.works))
        if statement.added:
            late = await fresh.compare(conn, await fresh.news(conn))
            await work.update([*matches, *late])
        elif statement.terms is None:
            await work.withdraw()
        elif statement.scope == "catalogue":
            await work.restrict_all(statement.terms, registered)
        elif statement.shared:
            await work.state_shared(statement.terms, registered)
        else:
            late = await fresh.compare(conn, await fresh.news(conn))
            await work.state(statement.terms, fresh, [*matches, *late])
        if signer.standing.delegation is not None:
            await events.tell(conn, account, "delegate-signed", identifiers.from_uuid("stm", work.id), _told(statement))
        elif stated and not statement.added:  # the first terms of works change nothing
            what = f"key {statement.keyid} signed a statement that {_what(statement)}"
            await events.tell(conn, account, "terms-changed", identifiers.from_uuid("stm", work.id), what)
        return work.id


async def _registered_by(conn: Connection, account: UUID, statement: Checked) -> set[UUID]:
    """Return who registered the works of others that ``statement`` speaks of as a co-owner's."""
    if statement.terms is None:
        return set()
    if statement.scope == "catalogue":
        return set((await owners.shared_of(conn, account)).values())
    if not statement.shared:
        return set()
    return {each.account for each in await owners.shared_among(conn, account, statement.works)}


async def cover(conn: Connection, account: UUID, works: Sequence[UUID]) -> None:
    """Put ``works``, registered in this transaction, under the account's catalogue statement if it has one."""
    await conn.fetchrow(
        statements.LOCK_HEAD, account
    )  # a catalogue statement is accepted before or after, never between
    if await conn.fetchrow(statements.CATALOGUE, account) is not None:
        changed: int = await conn.fetchval(statements.NEXT_VERSION)
        await conn.execute(states.COVER, account, works, changed)


def _follows(payload: Consent, seq: int, digest: bytes | None) -> None:
    prev = None if digest is None else digest.hex()
    if (payload.seq, payload.prev) != (seq + 1, prev):
        raise Conflict(
            f"expected seq {seq + 1} after consent {prev or '(none)'}, got seq {payload.seq} after "
            f"{payload.prev or '(none)'}: another statement came first; draft it again"
        )


def _told(statement: Checked) -> str:
    return f"delegate key {statement.keyid} signed a statement that {_what(statement)}"


def _what(statement: Checked) -> str:
    payload, works = statement.payload, many(len(statement.works), "work")
    if isinstance(payload, Consent):
        return f"is to {payload.effect} {works}"
    return f"withdraws {works}" if payload.change == "withdraw" else f"adds keys to {works}"


async def _answer(services: Services, account: UUID, statement: UUID) -> StatementAccepted:
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(statements.ACCEPTED, statement, account)
    if row is None:
        raise NotFound("there is no such statement among yours")
    receipt = await translog.wait(services.database, row["pending"])
    hold: timedelta | None = row["hold"]
    entered = times.from_text(entries.parse(from_base64(receipt.entry, "entry")).time)
    return StatementAccepted(
        statement=identifiers.from_uuid("stm", statement),
        effect=row["effect"],
        log_index=receipt.log_index,
        pending_until=None if hold is None else times.to_text(entered + hold),
        works=row["works"],
        receipt=receipt,
    )
