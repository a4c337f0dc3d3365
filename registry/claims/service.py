"""Claims of domains: asked for, looked at, proven, and lowered again when the proof is gone (semantics 4).

A claim's value names the account and is the digest of the registry, the account's genesis, the domain and 32 random
bytes. Everybody can read it where it is put up, so it is kept as it is; it proves nothing for anybody else, because a
look compares what is there with the value of the very account that is looked for. What the domain's owner vouches for
is therefore one account at one registry, in words that she can read.

Nothing is held in the database while a look is under way. What it found is written under the account's row lock, the
claim's row in hand: a claim that was dropped or erased meanwhile stays so.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

import structlog

from licet import identifiers, times
from licet.canonical import encode
from licet.wire.claims import ClaimChecked, ClaimDropped, ClaimInfo
from licet.wire.common import Page
from registry import translog
from registry.accounts import events, levels
from registry.accounts.identity import Caller
from registry.accounts.levels import Ground
from registry.claims import queries
from registry.claims.domains import domain_of, file_of, record_of
from registry.claims.looking import Found, Looker
from registry.database import Connection, Row
from registry.errors import Conflict, NotFound
from registry.http.paging import Asked, page_of
from registry.services import Services

LEVEL: Final = 2  # what a proven domain backs
MOST: Final = 20  # domains of an account
ASKED_FOR: Final = timedelta(days=14)  # then a claim that was never shown is forgotten
SOON: Final = timedelta(minutes=10)
_LONGEST_PAUSE: Final = timedelta(days=1)

log = structlog.get_logger("registry.claims")


async def ask(services: Services, caller: Caller, domain: str) -> ClaimInfo:
    """Return the claim of ``domain`` with what is to be put up; the same one however often it is asked for.

    Raises ``Invalid`` for what is no domain that one owner controls, and ``Conflict`` past 20 of them.
    """
    name = domain_of(domain)
    now = times.now()
    async with services.database.transaction() as conn:
        row = await levels.locked(conn, caller.account)
        if await conn.fetchval(queries.COUNT, caller.account, name) >= MOST:
            raise Conflict(f"expected at most {MOST} domains of an account: drop one first")
        value = _value(services, caller.id, row["genesis"], name)
        claim = identifiers.new_uuid()
        await conn.execute(queries.ASK, claim, caller.account, name, value, now, now + SOON)
        known: UUID = await conn.fetchval(queries.FOUND, caller.account, name)
        return await _told(services, conn, caller.account, known)


async def check(services: Services, caller: Caller, claim: UUID) -> ClaimChecked:
    """Return the claim after a look at its domain; a proof that was found is in the log by then.

    Raises ``NotFound``, and ``Unavailable`` where the log is behind.
    """
    known = await get(services, caller, claim)
    found = await Looker(services.settings).look(known.domain, known.value)
    pending = await record(services, caller.account, claim, found)
    if pending is not None:
        await translog.wait(services.database, pending)
    async with services.database.acquire() as conn:
        told = await _told(services, conn, caller.account, claim)
        return ClaimChecked(told, await conn.fetchval(queries.LEVEL, caller.account))


async def get(services: Services, caller: Caller, claim: UUID) -> ClaimInfo:
    """Return one claim of the caller; raises ``NotFound``."""
    async with services.database.acquire() as conn:
        return await _told(services, conn, caller.account, claim)


async def listed(
    services: Services, caller: Caller, asked: Asked, state: str | None, domain: str | None
) -> Page[ClaimInfo]:
    """Return one page of the caller's claims; raises ``Invalid`` naming the parameter."""
    name = None if domain is None else domain_of(domain)
    async with services.database.acquire() as conn:
        rows, more = await page_of(conn, queries.CLAIMS, asked, caller.account, state, name)
    return Page([_info(services, row) for row in rows], more)


async def drop(services: Services, caller: Caller, claim: UUID) -> ClaimDropped:
    """Return once the account no longer claims the domain, and the log says so where it was proven."""
    async with services.database.transaction() as conn:
        row = await levels.locked(conn, caller.account)
        known = await conn.fetchrow(queries.LOCK, claim, caller.account)
        if known is None:
            raise NotFound("there is no such claim among yours")
        await conn.execute(queries.DROP, claim, caller.account)
        pending = None
        if known["state"] == "proven":
            evidence = f"domain {known['domain']} is no longer claimed by the account"
            pending = await _state(services, conn, row, claim, evidence)
        level: int = await conn.fetchval(queries.LEVEL, caller.account)
    if pending is not None:
        await translog.wait(services.database, pending)
    return ClaimDropped(known["domain"], level)


async def record(services: Services, account: UUID, claim: UUID, found: Found) -> int | None:
    """Keep what a look found; return the pending id of the claim statement that it led to, None where it led to none.

    A claim that is gone by now, with its account or alone, is left gone.
    """
    now = times.now()
    async with services.database.transaction() as conn:
        row = await levels.locked(conn, account)
        known = await conn.fetchrow(queries.LOCK, claim, account)
        if known is None:
            return None
        if found.method is None:
            return await _missed(services, conn, row, known, found, now)
        again = now + services.settings.claims_recheck
        if known["state"] == "proven":
            await conn.execute(queries.STILL_PROVEN, claim, account, found.method, now, again)
            if known["failing_since"] is not None:
                detail = f"the proof of {known['domain']} is back"
                await events.tell(conn, account, "domain-restored", _name(claim), detail)
            return None
        place = record_of(known["domain"]) if found.method == "dns" else file_of(known["domain"])
        evidence = f"domain {known['domain']}: {known['value']} at {place}"
        pending = await levels.state(services, conn, row, Ground("domain", LEVEL, evidence))
        await conn.execute(queries.PROVEN, claim, account, found.method, now, again, pending)
        detail = f"{known['domain']} is proven, by what is at {place}"
        await events.tell(conn, account, "domain-proven", _name(claim), detail)
        # The domain's owner may vouch for several accounts: none takes it from another, and each is told.
        for other in await conn.fetch(queries.OTHERS, known["domain"], account):
            detail = f"{known['domain']}, which you have proven, is proven by {_account(row)} too"
            await events.tell(conn, other["account"], "domain-shared", _account(row), detail)
    log.info("claim.proven", claim=_name(claim), method=found.method)
    return pending


async def _missed(
    services: Services, conn: Connection, row: Row, known: Row, found: Found, now: datetime
) -> int | None:
    claim, account = known["id"], row["id"]
    if known["state"] != "proven":
        # Looked at ever more seldom; what has lapsed only when somebody asks.
        pause = min(max(now - known["asked_at"], SOON), _LONGEST_PAUSE)
        again = now + pause if known["state"] == "asked" else None
        await conn.execute(queries.MISSED, claim, account, found.problem, now, None, again)
        return None
    since = known["failing_since"]
    if not found.looked:  # our own trouble is nobody's lapse
        again = now + min(services.settings.claims_recheck, SOON)
        await conn.execute(queries.MISSED, claim, account, found.problem, None, since, again)
        return None
    grace = services.settings.claims_grace
    if since is None or now < since + grace:
        since = since or now
        again = min(now + min(services.settings.claims_recheck, _LONGEST_PAUSE), max(since + grace, now))
        await conn.execute(queries.MISSED, claim, account, found.problem, now, since, again)
        if known["failing_since"] is None:
            detail = f"the proof of {known['domain']} is gone; unless it is back by {times.to_text(since + grace)}, "
            await events.tell(conn, account, "domain-failing", _name(claim), detail + "the claim lapses")
        return None
    await conn.execute(queries.LAPSED, claim, account, found.problem, now)
    evidence = f"domain {known['domain']}: no proof was found since {times.to_text(since)}"
    pending = await _state(services, conn, row, claim, evidence)
    await events.tell(conn, account, "domain-lapsed", _name(claim), f"the claim of {known['domain']} has lapsed")
    log.info("claim.lapsed", claim=_name(claim))
    return pending


async def _state(services: Services, conn: Connection, row: Row, gone: UUID, evidence: str) -> int:
    """Return the pending id of the statement that the claim ``gone`` backs nothing any more."""
    backed = LEVEL if await conn.fetchval(queries.BESIDE, row["id"], gone) else 0
    return await levels.state(services, conn, row, Ground("domain", backed, evidence))


async def _told(services: Services, conn: Connection, account: UUID, claim: UUID) -> ClaimInfo:
    row = await conn.fetchrow(queries.CLAIM, account, claim)
    if row is None:
        raise NotFound("there is no such claim among yours")
    return _info(services, row)


def _info(services: Services, row: Row) -> ClaimInfo:
    failing = row["failing_since"]
    return ClaimInfo(
        claim=_name(row["id"]),
        domain=row["domain"],
        state=row["state"] if failing is None else "failing",
        record=record_of(row["domain"]),
        file=file_of(row["domain"]),
        value=row["value"],
        asked_at=times.to_text(row["asked_at"]),
        method=row["method"],
        problem=row["problem"],
        proven_at=_at(row["proven_at"]),
        checked_at=_at(row["checked_at"]),
        failing_since=_at(failing),
        lapses_at=_at(failing and failing + services.settings.claims_grace),
        next_check_at=_at(row["next_check_at"]),
        statement=row["statement"],
        log_index=row["index"],
        others=[identifiers.from_uuid(each[:3], UUID(each[4:])) for each in row["others"]],
    )


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else times.to_text(moment)


def _name(claim: UUID) -> str:
    return identifiers.from_uuid("clm", claim)


def _account(row: Row) -> str:
    return identifiers.from_uuid(row["kind"], row["id"])


def _value(services: Services, account: str, genesis: str, domain: str) -> str:
    bound = {
        "registry": {"origin": services.keys.ref.origin, "key": services.keys.ref.key},
        "account": account,
        "genesis": genesis,
        "domain": domain,
        "nonce": os.urandom(32).hex(),
    }
    digest = sha256(b"licet/domain-claim/v1\n" + encode(bound)).digest()
    return f"licet-claim-v1:{account}:{urlsafe_b64encode(digest).decode().rstrip('=')}"
