"""What co-owners say of works that another account registered (semantics 8): it only ever restricts.

Each co-owner's terms of a shared work stand for themselves, planned as the account's own are: what tightens counts at
once, what loosens waits, its catalogue restricts. The strictest of all of them goes into the terms that are in force.
Whoever changes it holds the consent version; a statement holds the consent heads of the works' accounts as well, so
that no licence over them gets a place in the log behind a restriction that it ignored (semantics 22).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import ConsentMature
from licet.statements.works import works_root
from licet.terms import Terms, intern
from licet.wire.splits import Restriction
from registry import translog
from registry.consent.planning import hash_of, together
from registry.consent.queries import sharing, statements, states
from registry.consent.types import Group, Plan
from registry.database import Connection
from registry.services import Services

_AT_ONCE: Final = 100


class Shared(NamedTuple):
    """A work of ``account``, of which the caller is a co-owner; ``own``: hash of what it has stated for it."""

    work: UUID
    digest: bytes
    account: UUID
    own: bytes | None


class Standing(NamedTuple):
    """Shared works on which what a co-owner has said is the same."""

    group: Group
    works: list[UUID]


async def shared_among(conn: Connection, account: UUID, works: Sequence[UUID]) -> list[Shared]:
    """Return those of ``works`` that others registered and ``account`` has a share in by the split in force, rising."""
    rows = await conn.fetch(sharing.SHARED_AMONG, account, works)
    return [Shared(row["id"], row["digest"], row["account"], row["own"]) for row in rows]


async def shared_of(conn: Connection, account: UUID) -> dict[UUID, UUID]:
    """Return work → who registered it, of all that ``account`` has a share in beside its own."""
    return {row["id"]: row["account"] for row in await conn.fetch(sharing.SHARED_OF, account)}


async def standing(conn: Connection, account: UUID, works: Sequence[UUID]) -> list[Standing]:
    """Return what ``account`` has said of ``works`` of others, in groups."""
    rows = await conn.fetch(sharing.OWNER_GROUPS, account, works)
    return [
        Standing(
            Group(row["own"], row["catalogue"], pending=False, matched=False, works=len(row["works"])), row["works"]
        )
        for row in rows
    ]


async def restrictions(conn: Connection, works: Sequence[UUID]) -> dict[UUID, list[Restriction]]:
    """Return what co-owners say of each of ``works``, by account; of one who left, what it had said."""
    found: dict[UUID, list[Restriction]] = {}
    for row in await conn.fetch(sharing.RESTRICTIONS, works):
        found.setdefault(row["work"], []).append(
            Restriction(
                account=identifiers.from_uuid(row["kind"], row["account"]),
                statement=identifiers.from_uuid("stm", row["statement"]),
                log_index=row["index"],
                terms_hash=row["terms"].hex(),
                stated=None if row["own"] is None else row["own"].hex(),
                state=row["state"],
                waiting=None if row["waiting"] is None else identifiers.from_uuid("stm", row["waiting"]),
                until=None if row["until"] is None else times.to_text(row["until"]),
            )
        )
    return found


async def keep(conn: Connection, account: UUID, statement: UUID, groups: Iterable[Standing], plan: Plan) -> None:
    """Do to what ``account`` says what ``plan`` says; `restrict` lets it count."""
    works = {each.group: each.works for each in groups}
    for step in plan.steps:
        figures = (step.own, step.catalogue, step.terms, step.speaks, step.waits)
        await conn.execute(sharing.KEEP_OWNER, account, works[step.group], statement, *figures)


async def restrict(conn: Connection, works: Sequence[UUID], changed: int) -> None:
    """Let the strictest of what the co-owners of ``works`` say count in consent version ``changed``."""
    rows = await conn.fetch(sharing.BESIDE, works)
    wanted = {each for row in rows for each in (row["own"], row["catalogue"], *row["owners"]) if each}
    known = {row["hash"]: intern(row["encoded"]) for row in await conn.fetch(statements.TERMS, list(wanted))}
    for row in rows:
        shared, effective = together(row["own"], row["catalogue"], row["owners"], known)
        if effective is None:
            continue
        made = {hash_of(each): each for each in (shared, effective) if each is not None}
        await _keep_terms(conn, made)
        hashed = b"" if shared is None else hash_of(shared)
        await conn.execute(sharing.RESTRICT, row["works"], row["statement"], hashed, hash_of(effective), changed)


async def agreed(conn: Connection, works: Sequence[UUID], parties: Sequence[UUID], pending: int, changed: int) -> None:
    """Let what the other ``parties`` of a split say count on its ``works`` from the answer ``pending`` on.

    What those said who are in it no longer ends with a hold from that answer's log entry on.
    """
    rejoined = await conn.fetch(sharing.REJOIN_OWNERS, works, parties)
    await conn.execute(sharing.JOIN_OWNERS, works, parties)
    if rejoined:
        await _catch_up(conn, {row["account"] for row in rejoined}, works)
    await conn.execute(sharing.END_OWNERS, works, parties, pending)
    leaving = {row["account"] for row in await conn.fetch(states.AWAITED, works)} - set(parties)
    await heard(conn, works, leaving, changed)
    await restrict(conn, works, changed)


async def heard(conn: Connection, works: Sequence[UUID], accounts: Iterable[UUID], changed: int) -> None:
    """Let ``works`` wait for no word of ``accounts`` any more: one that waits for nobody else is not frozen."""
    named = sorted(accounts)
    if named and works:
        await conn.execute(states.HEARD, works, named, changed)


async def join_standing(services: Services) -> int:
    """Return on how many works it now counts what co-owners had said of their whole catalogues before it could."""
    async with services.database.acquire() as conn:
        accounts = sorted({row["account"] for row in await conn.fetch(sharing.UNJOINED, None)})
    joined = 0
    for account in accounts:
        async with services.database.transaction() as conn:
            await conn.execute(statements.PATIENT)
            known = {row["registered"] for row in await conn.fetch(sharing.UNJOINED, account)}
            for each in sorted({account, *known}):
                await conn.fetchrow(statements.LOCK_HEAD, each)
            changed: int = await conn.fetchval(statements.NEXT_VERSION)
            rows = await conn.fetch(sharing.UNJOINED, account)
            works = sorted({row["work"] for row in rows if row["registered"] in known})
            await conn.execute(sharing.JOIN_OWNERS, works, [account])
            await restrict(conn, works, changed)
            joined += len(works)
    return joined


async def end_due(services: Services, now: datetime) -> int:
    """Return how many co-owners' terms ended: of those who left a split, and whose hold is over at ``now``."""
    hold = services.settings.loosening_hold
    async with services.database.acquire() as conn:
        rows = await conn.fetch(sharing.ENDING, now, hold, _AT_ONCE)
    ended = 0
    for row in rows:
        ended += await _end(services, row["account"], row["ends"], now, hold)
    return ended


async def _end(services: Services, account: UUID, ends: int, now: datetime, hold: timedelta) -> bool:
    async with services.database.transaction() as conn:
        changed: int = await conn.fetchval(statements.NEXT_VERSION)
        rows = await conn.fetch(sharing.ENDING_WORKS, now, hold, account, ends)
        by = await conn.fetchrow(sharing.ENDED_BY, ends, account)
        if not rows or by is None:
            return False
        works = [row["id"] for row in rows]
        await conn.execute(sharing.END, account, works)
        await restrict(conn, works, changed)
        payload = ConsentMature(
            registry=services.keys.ref,
            account=identifiers.from_uuid(by["kind"], account),
            genesis=by["genesis"],
            statement=identifiers.from_uuid("stm", by["id"]),
            count=len(rows),
            root=await asyncio.to_thread(works_root, [row["digest"] for row in rows]),
            issued_at=times.to_text(now),
        )
        sealed = envelopes.encode(envelopes.seal(payload, await services.keys.hold(conn, "office")))
        await translog.submit(conn, "consent-mature", identifiers.new_id("stm"), sealed, account)
    return True


async def _catch_up(conn: Connection, accounts: Iterable[UUID], works: Sequence[UUID]) -> None:
    """Put what was said of the whole catalogue meanwhile beside what was said of works before somebody left."""
    for account in sorted(accounts):
        catalogue = await conn.fetchrow(statements.CATALOGUE, account)
        if catalogue is None:
            continue
        groups = await standing(conn, account, works)
        wanted = {each for one in groups for each in one.group[:2] if each} | {catalogue["terms"]}
        known = {row["hash"]: intern(row["encoded"]) for row in await conn.fetch(statements.TERMS, list(wanted))}
        for one in groups:
            _, effective = together(one.group.own, catalogue["terms"], (), known)
            assert effective is not None
            await _keep_terms(conn, {hash_of(effective): effective})
            figures = (one.group.own, catalogue["terms"], hash_of(effective), not one.group.own, False)
            await conn.execute(sharing.KEEP_OWNER, account, one.works, catalogue["statement"], *figures)
            await conn.execute(sharing.WAIT_OWNER, account, one.works, catalogue["waiting"])


async def _keep_terms(conn: Connection, terms: Mapping[bytes, Terms]) -> None:
    ordered = sorted(terms)
    await conn.execute(statements.KEEP_TERMS, ordered, [terms[each].encoded for each in ordered])
