"""Erasing an account: one transaction takes everything, the log keeps its tree (semantics 28).

Order of locks, as everywhere: the account's row, its consent head, the row of the consent version. A licence that is
being accepted shares the head: it comes before, and its statements are kept, or after, and finds a deny. Every consent
waits for the version: what changes nobody else's decisions is done before it is taken.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from licet import identifiers, times
from licet.fingerprints.urls import url_key
from licet.log import merkle
from licet.statements import envelope as envelopes
from licet.statements.kinds import Erase, WorksScope
from licet.terms import Terms
from licet.terms.atoms import ATOMS
from licet.terms.rules import DENY
from licet.wire.erasure import ErasureAnswer, ErasureRequest, Restricted
from registry import translog
from registry.accounts.identity import Caller
from registry.consent import conflicts, owners
from registry.consent.queries import statements, states
from registry.database import Connection, Row
from registry.erasure import queries
from registry.erasure.weighing import Weight, weigh
from registry.errors import Gone, Invalid, Unavailable
from registry.services import Services

NOTHING: Final = Terms(dict.fromkeys(ATOMS, DENY))
SHOWN: Final = 1000  # restricted statements in an answer
ENDED_AT_A_TIME: Final = 1000  # statements
_TRIES: Final = 50
_PAUSE: Final = 0.1  # seconds

log = structlog.get_logger("registry.erasure")


class _Unsettled(Exception):
    """A statement of the account waits for its place in the log, or it came to restrict works of somebody else while
    the erasure waited for its locks; until that is settled it cannot be erased."""


async def erase(services: Services, caller: Caller, asked: ErasureRequest) -> ErasureAnswer:
    """Return what was erased, what is restricted and why, once it is done and in the log; or would be (``dry_run``).

    Raises ``Invalid`` where the account is not named as confirmation, ``Gone`` for one that is erased already, and
    ``Unavailable`` while statements of the account keep waiting for the log.
    """
    ends = times.now() + services.settings.limitation
    if asked.dry_run:
        async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
            return _answer(caller.id, await weigh(conn, caller.account), ends, asked, None)
    if asked.confirm != caller.id:
        raise Invalid.field("confirm", f"{caller.id}, the account that is to be erased", asked.confirm)
    for _ in range(_TRIES):
        try:
            async with services.database.transaction() as conn:
                work = _Erasure(conn, services, caller, asked, ends)
                weight = await work.run()
            break
        except _Unsettled:
            await asyncio.sleep(_PAUSE)
    else:
        raise Unavailable("statements of the account are not in the log yet; nothing was erased, ask again")
    log.info("account.erased", account=caller.id, erased=len(weight.erasable), restricted=len(weight.restricted))
    receipt = await translog.wait(services.database, work.pending)
    answer = _answer(caller.id, weight, ends, asked, identifiers.from_uuid("stm", work.id))
    answer.receipt = receipt
    return answer


async def forget_ended(services: Services, now: datetime) -> None:
    """Erase what was kept of erased accounts because somebody could claim something from it, and no longer can."""
    while True:
        async with services.database.transaction() as conn:
            await conn.execute(queries.PATIENT)
            ended = await conn.fetch(queries.ENDED, now, ENDED_AT_A_TIME)
            if not ended:
                return
            gone = await conn.fetch(queries.DROP_ENDED, [row["pending"] for row in ended])
            await conn.execute(queries.DROP_COVERED, [row["id"] for row in gone])
            accounts = {row["account"] for row in ended}
            relied_on = {row["account"] for row in await conn.fetch(queries.RELIED_ON, list(accounts))}
            stated = {row["terms"] for row in gone if row["terms"] is not None}
            for account in sorted(accounts):
                if account not in relied_on:
                    await _forget_kept(conn, account)
                licensed = {row["hash"] for row in await conn.fetch(queries.LICENSED_TERMS, account)}
                await conn.execute(queries.DROP_ENDED_TERMS, account, list(stated | licensed))


async def _forget_kept(conn: Connection, account: UUID) -> None:
    """Take what made the restricted statements of ``account`` verifiable: none of them is left."""
    await conn.execute(queries.DROP_KEYS, account)
    await conn.execute(queries.DROP_KEY_STATEMENTS, account)
    await conn.execute(queries.DROP_VERSIONS, account, [])
    await conn.execute(queries.DROP_WORKS, account, [], True)
    found = await conn.fetch(queries.KEPT_ADDRESSES, account)
    if found:
        keys = [(account, row["id"], [url_key(url) for url in row["urls"]]) for row in found]
        await conn.executemany(queries.BARE_KEPT_ADDRESSES, keys)


class _Erasure:
    """One erasure in its transaction."""

    def __init__(
        self, conn: Connection, services: Services, caller: Caller, asked: ErasureRequest, ends: datetime
    ) -> None:
        self.id = identifiers.new_uuid()
        self.pending = -1
        self._conn = conn
        self._services = services
        self._account = caller.account
        self._name = caller.id
        self._denies = asked.deny
        self._ends = ends

    async def run(self) -> Weight:
        """Return what went and what stays; all of it is done if the transaction commits."""
        conn, account = self._conn, self._account
        await conn.execute(queries.PATIENT)
        owner = await conn.fetchrow(queries.LOCK_ACCOUNT, account)
        if owner is None or owner["erased_at"] is not None:
            raise Gone("the account was erased")
        # A licence over works of others that it restricts comes before the deny that takes its place, or after.
        registered = await self._registered()
        for each in sorted({account, *registered}):
            await conn.fetchrow(statements.LOCK_HEAD, each)
        if await conn.fetchval(queries.WAITING, account) or not await self._registered() <= registered:
            raise _Unsettled
        weight = await weigh(conn, account)
        now = times.now()
        naming = [row["hash"] for row in await conn.fetch(queries.NAMING_TERMS, account)]
        await conn.execute(queries.KEEP_TERMS, bytes.fromhex(NOTHING.hash), NOTHING.encoded)
        denied = await conn.fetch(queries.DENIED, account) if self._denies else []
        await self._state(owner, weight, denied, now)
        await self._statements(weight)
        await self._bare(weight, now)
        if self._denies:
            await conn.execute(queries.COVER, account, self.id)
        await conn.execute(queries.DROP_OWNERS, account)
        await conn.execute(queries.DROP_WORKS, account, list(weight.held), self._denies)
        changed: int = await conn.fetchval(statements.NEXT_VERSION)
        await self._works(changed)
        await self._keep(weight, bool(denied), now, changed)
        await conn.execute(queries.DROP_TERMS, naming)
        await self._identity(weight, now)
        return weight

    async def _registered(self) -> set[UUID]:
        """Return who registered the works of others that the account restricts."""
        return {row["account"] for row in await self._conn.fetch(queries.RESTRICTED_WORKS, self._account)}

    async def _state(self, owner: Row, weight: Weight, denied: list[Row], now: datetime) -> None:
        """Let the log say what goes, and what the registry denies from now on."""
        conn, account = self._conn, self._account
        leaves = [merkle.leaf_hash(row["digest"]) for row in denied]
        payload = Erase(
            registry=self._services.keys.ref,
            account=self._name,
            genesis=owner["genesis"],
            what="account",
            count=len(weight.erasable),
            root=await asyncio.to_thread(lambda: weight.root),
            restricted=len(weight.restricted),
            deny=WorksScope(len(leaves), merkle.root(leaves).hex()) if leaves else None,
            issued_at=times.to_text(now),
        )
        envelope = envelopes.seal(payload, await self._services.keys.hold(conn, "office"))
        subject = identifiers.from_uuid("stm", self.id)
        self.pending = await translog.submit(conn, "erase", subject, envelopes.encode(envelope), account)
        digest = bytes.fromhex(envelope.payload_digest)
        await conn.execute(queries.KEEP_STATEMENT, self.id, account, self.pending, digest, len(denied), now)

    async def _keep(self, weight: Weight, denies: bool, now: datetime, changed: int) -> None:
        erased, restricted, account = len(weight.erasable), len(weight.restricted), self._account
        figures = (denies, weight.works, erased, restricted, changed, now)
        await self._conn.execute(queries.KEEP_ERASURE, self.id, account, self.pending, *figures)

    async def _bare(self, weight: Weight, now: datetime) -> None:
        """Take words, pictures and addresses."""
        conn, account, held = self._conn, self._account, list(weight.held)
        await conn.execute(queries.DROP_VERSIONS, account, held)
        await conn.execute(queries.DROP_THUMBNAILS, account)
        await conn.execute(queries.DROP_FEATURES, account)
        await conn.execute(queries.DROP_UPLOADS, account)
        found = await conn.fetch(queries.ADDRESSES, account, held)
        keys = [(account, now, row["id"], [url_key(url) for url in row["urls"]]) for row in found]
        if keys:
            await conn.executemany(queries.BARE_ADDRESSES, keys)
        await conn.execute(queries.BARE, account, now)

    async def _works(self, changed: int) -> None:
        """Leave a deny for what had terms, or nothing; every consent of others waits meanwhile."""
        conn, account = self._conn, self._account
        met = [row["work"] for row in await conn.fetch(queries.MET, account)]
        if self._denies:
            await conn.execute(queries.DENY, account, self.id, bytes.fromhex(NOTHING.hash), changed)
        else:
            await conn.execute(queries.REMOVED, account, changed)
            await conn.execute(queries.DROP_STATES, account)
            await conn.execute(queries.DROP_MATCHES, account)
        if met:
            await conflicts.settle(conn, account, met, changed)
        await self._shared(changed)

    async def _shared(self, changed: int) -> None:
        """Leave a deny for what it said of works of others, or nothing."""
        conn, account = self._conn, self._account
        awaited = [row["work"] for row in await conn.fetch(states.AWAITED_OF, account)]
        await owners.heard(conn, awaited, [account], changed)
        works = [row["work"] for row in await conn.fetch(queries.RESTRICTED_WORKS, account)]
        if not works:
            return
        if self._denies:
            await conn.execute(queries.DENY_SHARED, account, self.id, bytes.fromhex(NOTHING.hash))
        await conn.execute(queries.DROP_SHARED, account, not self._denies)
        await conn.execute(queries.UNSPOKEN, works, changed)
        await owners.restrict(conn, works, changed)

    async def _statements(self, weight: Weight) -> None:
        conn, account, erasable = self._conn, self._account, weight.erasable
        await conn.execute(queries.DROP_CATALOGUE, account)
        await conn.execute(queries.DROP_HEAD, account)
        statements = [each.statement for each in erasable if each.statement is not None]
        await conn.execute(queries.DROP_COVERED, statements)
        await conn.execute(queries.DROP_STATEMENTS, account, statements)
        await conn.execute(queries.ERASE, account, [each.pending for each in erasable])
        kept = weight.restricted
        await conn.execute(
            queries.RESTRICT, account, [each.pending for each in kept], [each.why for each in kept], self._ends
        )

    async def _identity(self, weight: Weight, now: datetime) -> None:
        conn, account = self._conn, self._account
        for drop in queries.DROP_REST:
            await conn.execute(drop, account)
        if not weight.restricted:
            await conn.execute(queries.DROP_KEYS, account)
            await conn.execute(queries.DROP_KEY_STATEMENTS, account)
        await conn.execute(queries.DROP_OFFERS, self._name.encode())
        await conn.execute(queries.UNPROVEN, account)
        await conn.execute(queries.NAMELESS, account, now)


def _answer(
    account: str, weight: Weight, ends: datetime, asked: ErasureRequest, statement: str | None
) -> ErasureAnswer:
    until = times.to_text(ends)
    return ErasureAnswer(
        account=account,
        dry_run=asked.dry_run,
        statement=statement,
        works=weight.works,
        erased=len(weight.erasable),
        kept=len(weight.restricted),
        restricted=[Restricted(each.subject, each.kind, each.why or "", until) for each in weight.restricted[:SHOWN]],
        denied=weight.stated if asked.deny else 0,
    )
