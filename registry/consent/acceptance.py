"""What one statement does in its transaction: to the states of works, the account's catalogue, and the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Set
from datetime import datetime
from uuid import UUID

from licet import identifiers
from licet.statements import envelope as envelopes
from licet.statements.effect import Effect
from licet.statements.kinds import Consent, WorksScope
from licet.statements.works import works_root
from licet.terms import Terms
from registry import translog
from registry.consent import conflicts, owners, updating
from registry.consent.conflicts import Fresh
from registry.consent.keeping import keep_terms, known_terms
from registry.consent.planning import hash_of, plan_catalogue, plan_update, plan_works
from registry.consent.queries import statements, states
from registry.consent.types import Checked, Group, Plan, Step
from registry.database import Connection
from registry.errors import Conflict, Invalid
from registry.services import Services
from registry.works import queries as work_queries
from registry.works.service import keep_matches
from registry.works.types import Match


class Acceptance:
    """One statement in its transaction, which holds the account's consent head and the consent version."""

    def __init__(
        self, conn: Connection, services: Services, account: UUID, statement: Checked, now: datetime, changed: int
    ) -> None:
        self.id = identifiers.new_uuid()
        self._conn = conn
        self._services = services
        self._account = account
        self._statement = statement
        self._now = now
        self._changed = changed

    async def state(self, terms: Terms, fresh: Fresh, matches: Sequence[Match]) -> None:
        """Let ``terms`` speak for exactly the works of the statement."""
        await keep_matches(self._conn, matches)
        groups = await self._groups()
        plan = plan_works(groups, terms, await known_terms(self._conn, groups))
        await self._keep(plan.effect, plan)
        await owners.heard(self._conn, self._statement.works, [self._account], self._changed)
        await conflicts.renew(self._conn, self._account, self._statement.works, self._changed)
        if fresh.works:
            await conflicts.claim(self._conn, self._account, fresh.works, self._now, self._changed)

    async def state_shared(self, terms: Terms, registered: Set[UUID]) -> None:
        """Let ``terms`` speak, as those of a co-owner, for exactly the works of the statement."""
        works = self._statement.works
        found = await owners.shared_among(self._conn, self._account, works)
        scope = self._statement.payload.scope
        assert isinstance(scope, WorksScope)
        if len(found) != len(works) or not {each.account for each in found} <= registered:
            raise Conflict("one of the works was withdrawn or its split changed meanwhile")
        if await asyncio.to_thread(works_root, [each.digest for each in found]) != scope.root:
            raise Conflict("expected works as they were when this was sent, got an update of some; draft it again")
        groups = await owners.standing(self._conn, self._account, works)
        standing = [each.group for each in groups]
        plan = plan_works(standing, terms, await known_terms(self._conn, standing))
        self._check(plan.effect)
        await self._record(plan.effect, len(works), waits=plan.waits, plan=plan)
        await owners.keep(self._conn, self._account, self.id, groups, plan)
        await owners.heard(self._conn, works, [self._account], self._changed)
        await owners.restrict(self._conn, works, self._changed)
        await self._move()

    async def restrict_all(self, terms: Terms, registered: Set[UUID]) -> None:
        """Let ``terms`` restrict all works of the account, those to come, and those of others that it co-owns."""
        shared = await owners.shared_of(self._conn, self._account)
        if not set(shared.values()) <= registered:
            raise Conflict("a split of a work came into force meanwhile: send the statement again")
        works = sorted(shared)
        beside = await owners.standing(self._conn, self._account, works) if works else []
        groups = await self._groups()
        standing = await self._conn.fetchrow(statements.CATALOGUE, self._account)
        among = [*groups, *(each.group for each in beside)]
        known = await known_terms(self._conn, among, standing["terms"] if standing else b"")
        before = known[standing["terms"]] if standing else None
        plan = plan_catalogue(groups, terms, known, before)
        loosens = standing is not None and plan.effect == "loosen"
        others = plan_catalogue([each.group for each in beside], terms, known, before)
        plan.terms.update(others.terms)
        await self._keep(plan.effect, plan, loosens=loosens, shared=len(works))
        if works:
            await owners.keep(self._conn, self._account, self.id, beside, others)
            await owners.restrict(self._conn, works, self._changed)
        statement, stated = (
            (standing["statement"], standing["terms"]) if standing and loosens else (self.id, hash_of(terms))
        )
        waiting = self.id if loosens else None
        await self._conn.execute(statements.KEEP_CATALOGUE, self._account, statement, stated, waiting)

    async def withdraw(self) -> None:
        """Take the works out: from now on they deny everything that no licence covers already."""
        works = self._statement.works
        await self._keep("withdraw", None)
        await self._conn.execute(work_queries.WITHDRAW, self._account, works, self._now)
        await self._conn.execute(states.WITHDRAW, self._account, works, self.id, self._changed)
        await self._conn.execute(states.UNWAIT_OWNERS, works)
        await conflicts.settle(self._conn, self._account, works, self._changed)

    async def update(self, matches: Sequence[Match]) -> None:
        """Let the works be recognised by more; where that meets works of others, offers wait as first terms do."""
        meeting = sorted({match.work for match in matches})
        alone = sorted(set(self._statement.works) - set(meeting))
        plans = []
        for works, met in ((alone, False), (meeting, True)):
            groups = await self._groups(works)
            plans.append((works, plan_update(groups, await known_terms(self._conn, groups), met=met)))
        waits = any(plan.waits for _, plan in plans)
        pending = await self._record("update", len(self._statement.works), waits=waits)
        await updating.keep_keys(self._conn, self._account, self._statement.added, pending)
        for works, plan in plans:
            await self._apply(works, plan)
        await self._conn.execute(states.UNWAIT_OWNERS, self._statement.works)
        await keep_matches(self._conn, matches)
        if meeting:
            await conflicts.claim(self._conn, self._account, meeting, self._now, self._changed)
            await updating.hold_unchallenged(self._conn, meeting)

    @property
    def _covered(self) -> list[UUID] | None:
        return self._statement.works if self._statement.scope == "works" else None

    async def _groups(self, among: list[UUID] | None = None) -> list[Group]:
        """Return how the covered works stand, or ``among`` them these."""
        wanted = self._covered if among is None else among
        present = states.PRESENT if wanted is None else states.PRESENT_AMONG
        rows = await self._conn.fetch(present, self._account, wanted)
        groups = [
            Group(
                row["own"] or b"",
                row["catalogue"] or b"",
                row["pending"],
                row["matched"],
                row["works"],
                row["shared"] or b"",
            )
            for row in rows
        ]
        covered = sum(group.works for group in groups)
        if wanted is not None and covered != len(wanted):
            raise Conflict("one of the works was withdrawn meanwhile")
        return groups

    async def _keep(self, effect: Effect | str, plan: Plan | None, *, loosens: bool = False, shared: int = 0) -> None:
        """Keep the statement, send it to the log, and do to states what ``plan`` says."""
        self._check(effect)
        count = len(self._statement.works) if plan is None else sum(step.group.works for step in plan.steps) + shared
        await self._record(effect, count, waits=plan is not None and (plan.waits or loosens), plan=plan)
        if plan is not None:
            await self._apply(self._covered, plan)
        await self._move()

    def _check(self, effect: Effect | str) -> None:
        payload = self._statement.payload
        if isinstance(payload, Consent) and payload.effect != effect:
            raise Invalid.field("effect", f"{effect}, which is what these terms do to what is in force", payload.effect)

    async def _move(self) -> None:
        payload = self._statement.payload
        if isinstance(payload, Consent):
            await self._conn.execute(statements.MOVE_HEAD, self._account, payload.seq, self._statement.digest)

    async def _record(self, effect: Effect | str, count: int, *, waits: bool, plan: Plan | None = None) -> int:
        """Send the statement to the log and keep it; return the pending id that its place is drawn from."""
        payload = self._statement.payload
        pending: int = await translog.submit(
            self._conn,
            self._statement.envelope.kind,
            identifiers.from_uuid("stm", self.id),
            envelopes.encode(self._statement.envelope),
            self._account,
        )
        if plan is not None:
            await keep_terms(self._conn, plan.terms)
        await self._conn.execute(
            statements.KEEP_STATEMENT,
            self.id,
            self._account,
            pending,
            self._statement.digest,
            self._statement.envelope.kind,
            payload.seq if isinstance(payload, Consent) else None,
            effect,
            self._statement.scope,
            count,
            hash_of(self._statement.terms) if self._statement.terms is not None else None,
            self._services.settings.loosening_hold if waits else None,
            self._now,
        )
        await self._conn.execute(statements.KEEP_COVERED, self.id, self._statement.works)
        return pending

    async def _apply(self, works: list[UUID] | None, plan: Plan) -> None:
        """Do to the states of ``works`` (None: all of the account) what ``plan`` says."""
        apply = states.APPLY if works is None else states.APPLY_AMONG
        await self._conn.execute(apply, self._account, works, self.id, self._changed, *_columns(plan.steps))


def _columns(steps: Sequence[Step]) -> list[list[object]]:
    return [
        [step.group.own for step in steps],
        [step.group.catalogue for step in steps],
        [step.group.pending for step in steps],
        [step.group.matched for step in steps],
        [step.own for step in steps],
        [step.catalogue for step in steps],
        [step.terms for step in steps],
        [step.speaks for step in steps],
        [step.waits for step in steps],
        [step.pending for step in steps],
        [step.group.shared for step in steps],
    ]
