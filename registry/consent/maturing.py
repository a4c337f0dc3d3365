"""Looser terms take effect: the hold is over, the log says so, and only then does a reader hear of it.

A hold counts from the time of the statement's log entry (semantics 12). A work that is contested or challenged waits
on, and gets a ``consent-mature`` of its own when that is over.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import ConsentMature
from licet.statements.works import works_root
from registry import translog
from registry.consent import owners
from registry.consent.conflicts import lapse_due
from registry.consent.keeping import keep_terms, known_terms
from registry.consent.planning import plan_maturing
from registry.consent.queries import maturing, sharing, statements
from registry.consent.types import Due, Group, Plan
from registry.database import Connection
from registry.observing import tracing
from registry.services import Services
from registry.works.changing import renew_words
from registry.works.uploads import forget_uploads

LOOK_EVERY: Final = 1.0  # seconds
HOUSEKEEPING_EVERY: Final = 600.0
_AT_ONCE: Final = 100

log = structlog.get_logger("registry.consent")


async def run(services: Services, stop: asyncio.Event) -> None:
    """Mature what is due, let challenges lapse, forget old uploads until ``stop``; first bring up to this release what
    works are searched by, and what co-owners said before it counted."""
    await renew_words(services)
    await owners.join_standing(services)
    cleaned = float("-inf")
    while not stop.is_set():
        while await mature_due(services, times.now()) and not stop.is_set():
            pass
        await lapse_due(services, times.now())
        await owners.end_due(services, times.now())
        clock = asyncio.get_running_loop().time()
        if clock - cleaned >= HOUSEKEEPING_EVERY:
            await forget_uploads(services)
            cleaned = clock
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_EVERY)


async def mature_due(services: Services, now: datetime) -> int:
    """Return how many statements took effect, of at most 100 whose hold is over at ``now``."""
    async with services.database.acquire() as conn:
        await conn.execute(maturing.CLOSE)
        rows = await conn.fetch(maturing.DUE, now, _AT_ONCE)
    matured = 0
    for row in rows:
        with tracing.span("consent.mature"):
            matured += await _mature(services, Due(row["id"], row["account"]), now)
    return matured


async def _mature(services: Services, due: Due, now: datetime) -> bool:
    async with services.database.transaction() as conn:
        # The locks of acceptance, in its order: a statement that cancels this one comes before or after, not between.
        await conn.fetchrow(statements.LOCK_HEAD, due.account)
        changed: int = await conn.fetchval(statements.NEXT_VERSION)
        statement = await conn.fetchrow(maturing.DUE_STATEMENT, due.statement, due.account)
        assert statement is not None
        rows = await conn.fetch(maturing.MATURING, due.statement, due.account)
        beside = await conn.fetch(sharing.OWNERS_MATURING, due.statement, due.account)
        catalogue = await conn.fetchrow(statements.CATALOGUE, due.account)
        to_come = catalogue is not None and catalogue["waiting"] == due.statement
        if not rows and not beside and not to_come:
            return False
        groups = sorted(
            {
                Group(row["own"] or b"", row["catalogue"] or b"", row["pending"], False, 0, row["shared"] or b"")
                for row in rows
            }
        )
        shared = [row["id"] for row in beside]
        others = await owners.standing(conn, due.account, shared)
        known = await known_terms(conn, [*groups, *(each.group for each in others)], statement["terms"] or b"")
        stated = known.get(statement["terms"] or b"")
        plan = plan_maturing(groups, statement["scope"], stated, known)
        await keep_terms(conn, plan.terms)
        await conn.execute(maturing.MATURE, due.statement, due.account, changed, *_columns(plan))
        if shared:
            plan = plan_maturing([each.group for each in others], statement["scope"], stated, known)
            await keep_terms(conn, plan.terms)
            await owners.keep(conn, due.account, due.statement, others, plan)
            await owners.restrict(conn, shared, changed)
        if to_come:
            await conn.execute(maturing.MATURE_CATALOGUE, due.statement, statement["terms"], due.account)
        digests = [row["digest"] for row in sorted([*rows, *beside], key=lambda row: row["id"])]
        payload = ConsentMature(
            registry=services.keys.ref,
            account=identifiers.from_uuid(statement["kind"], due.account),
            genesis=statement["genesis"],
            statement=identifiers.from_uuid("stm", due.statement),
            count=len(digests),
            root=await asyncio.to_thread(works_root, digests) if digests else None,
            issued_at=times.to_text(now),
        )
        await _log(conn, services, due.account, payload)
    log.info("consent.matured", statement=payload.statement, works=payload.count)
    return True


async def _log(conn: Connection, services: Services, account: UUID, payload: ConsentMature) -> None:
    sealed = envelopes.encode(envelopes.seal(payload, await services.keys.hold(conn, "office")))
    await translog.submit(conn, "consent-mature", identifiers.new_id("stm"), sealed, account)


def _columns(plan: Plan) -> list[list[object]]:
    return [
        [step.group.own for step in plan.steps],
        [step.group.catalogue for step in plan.steps],
        [step.group.pending for step in plan.steps],
        [step.own for step in plan.steps],
        [step.catalogue for step in plan.steps],
        [step.terms for step in plan.steps],
        [step.speaks for step in plan.steps],
        [step.group.shared for step in plan.steps],
    ]
