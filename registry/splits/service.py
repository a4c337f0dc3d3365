"""Proposing a split and answering one: nothing changes until everybody that it needs has signed the same document.

All that concerns the splits of one account's works happens under its consent head, one after the other; the log's
pending id is drawn under it. Whoever posts what works earn holds a share of the same row, so the split in force when it
draws its pending id is the one in force at its log index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.counted import many
from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import Split, SplitAnswer, SplitShare
from licet.statements.splits import LASTS, needed
from licet.wire.common import Page
from licet.wire.splits import SharedWork, SplitAccepted, SplitInfo, SplitParty, SplitShown
from registry import translog
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.consent import owners
from registry.consent.queries.statements import LOCK_HEAD, NEXT_VERSION
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotAllowed, NotFound
from registry.http.paging import Asked, page_of
from registry.services import Services
from registry.splits import intake, queries

MOST_OPEN: Final = 200  # proposals of one account
# The log gives an answer its time some moments after it was accepted, and by that it must not be late.
_MARGIN: Final = timedelta(minutes=10)


class _Kept(NamedTuple):
    split: UUID
    statement: str
    pending: int


async def propose(services: Services, caller: Caller, envelope: Envelope) -> SplitAccepted:
    """Return once the proposal is in the published log; sending it again has no second effect.

    Raises ``MalformedError`` and ``Invalid`` naming the field, ``NotAllowed`` for a key that may not sign it,
    ``Conflict`` where another split is in force than the one it replaces.
    """
    kept = await services.database.run(partial(_propose, services, caller, envelope))
    return await _answered(services, caller, kept)


async def answer(services: Services, caller: Caller, split: UUID, envelope: Envelope) -> SplitAccepted:
    """Return once the answer is in the published log, and with the last one that was needed the split in force.

    Raises ``NotFound``, ``MalformedError`` and ``Invalid`` naming the field, ``NotAllowed`` for who has no say in it,
    and ``Conflict`` for a proposal that is not open any more.
    """
    kept = await services.database.run(partial(_answer, services, caller, split, envelope))
    return await _answered(services, caller, kept)


async def shown(services: Services, caller: Caller, split: UUID) -> SplitShown:
    """Return the split with its document, for who has a say in it; raises ``NotFound``."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        info = await _info(conn, caller, split)
        sealed = await conn.fetchval(queries.DOCUMENT, split)
        rows = await conn.fetch(queries.SHARED_WORKS, split)
        restricted = await owners.restrictions(conn, [row["work"] for row in rows])
    envelope = None if sealed is None else envelopes.parse(sealed)
    digests = {}
    if envelope is not None:
        digests = {each.work: each.digest for each in envelopes.read_as(Split, envelope).works}
    works = [
        SharedWork(
            name,
            digests.get(name, ""),
            row["title"],
            None if row["registered"] is None else row["registered"].hex(),
            None if row["terms"] is None else row["terms"].hex(),
            restricted.get(row["work"], []),
            row["frozen"],
        )
        for row in rows
        for name in [identifiers.from_uuid("wrk", row["work"])]
    ]
    return SplitShown(info, works, envelope)


async def listed(
    services: Services, caller: Caller, asked: Asked, state: str | None, work: UUID | None
) -> Page[SplitInfo]:
    """Return one page of the splits that the caller has a say in; raises ``Invalid`` naming the parameter."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        rows, more = await page_of(conn, queries.SPLITS, asked, caller.account, LASTS, state, work)
        return Page(await _infos(conn, rows), more)


async def _propose(services: Services, caller: Caller, envelope: Envelope, conn: Connection) -> _Kept:
    digest = bytes.fromhex(envelope.payload_digest)
    await conn.fetchrow(LOCK_HEAD, caller.account)
    known = await conn.fetchrow(queries.PROPOSED, digest)
    if known is not None and known["account"] == caller.account:
        return _Kept(known["id"], identifiers.from_uuid("spl", known["id"]), known["pending"])
    payload = await intake.opened(conn, Split, envelope, caller, services.keys.ref)
    number = intake.split_id(payload.split, "split")
    works = await intake.works_of(conn, caller.account, payload)
    replaces = _digest(payload.replaces)
    before = await intake.hold_replaces(conn, works, replaces)
    parties = [] if before is None else await conn.fetch(queries.PARTIES, [before])
    replaced = [_share(row) for row in parties if row["bps"]]
    shares = await intake.parties_of(conn, payload, replaced)
    now = times.now()
    if await conn.fetchval(queries.OPEN_COUNT, caller.account, now - LASTS) >= MOST_OPEN:
        raise Conflict(f"expected at most {MOST_OPEN} open proposals of an account, got one more: decline some first")
    gone = {row["account"]: _share(row) for row in parties if row["bps"] and row["erased_at"] is not None}
    for each in (share for account, share in gone.items() if account not in shares):
        raise Conflict(
            f"shares: expected {each.bps} basis points of {each.account}, who had them when it was erased: nobody can "
            f"agree for it to another share"
        )
    leaving = {row["account"] for row in parties if row["bps"] and row["account"] not in shares}
    try:
        asked = needed(payload, replaced).keys() - {each.account for each in gone.values()}
    except VerificationError as error:
        raise Invalid(error.message) from None
    if not asked:
        raise Invalid.field("shares", "somebody who can sign it beside who proposes it", "nobody who was not erased")
    pending = await translog.submit(conn, "split", payload.split, envelopes.encode(envelope), caller.account)
    kept = await conn.fetchval(
        queries.KEEP_SPLIT,
        number,
        caller.account,
        pending,
        digest,
        replaces,
        len(works),
        times.from_text(payload.issued_at),
    )
    if kept is None:
        raise Conflict("split: expected an identifier that is new, got that of another proposal")
    named = {**dict.fromkeys(leaving, 0), **shares}
    same = await conn.fetchval(
        queries.SAME_OPEN, caller.account, now - LASTS, replaces, works, list(named), list(named.values())
    )
    if same is not None:
        raise Conflict(f"this very split waits already, as {identifiers.from_uuid('spl', same)}: decline that first")
    await conn.execute(queries.KEEP_PARTIES, number, list(named), list(named.values()), caller.account)
    await conn.execute(queries.KEEP_WORKS, number, works)
    for account, bps in sorted(named.items()):
        if account != caller.account and account not in gone:
            what = f"gives you {_percent(bps)}" if bps else "ends your share"
            of = f"{payload.split}, of {many(len(works), 'work')}"
            detail = f"{caller.id} proposes {of}, which {what}; sign it or decline it"
            await events.tell(conn, account, "split-proposed", payload.split, detail)
    return _Kept(number, payload.split, pending)


async def _answer(services: Services, caller: Caller, split: UUID, envelope: Envelope, conn: Connection) -> _Kept:
    owner = await conn.fetchval(queries.OWNER, split)
    if owner is None or await conn.fetchrow(queries.SEEN, caller.account, LASTS, split) is None:
        raise NotFound("there is no such split among those that you have a say in")
    # Whoever restricts the works by a statement of its own comes before the agreement or after it, never between.
    parties = {each["account"]: each for each in await conn.fetch(queries.PARTIES, [split])}
    for account in sorted({owner, *parties}):
        await conn.fetchrow(LOCK_HEAD, account)
    digest = bytes.fromhex(envelope.payload_digest)
    known = await conn.fetchrow(queries.ANSWERED, digest)
    if known is not None and (known["account"], known["split"]) == (caller.account, split):
        return _Kept(split, identifiers.from_uuid("stm", known["id"]), known["pending"])
    payload = await intake.opened(conn, SplitAnswer, envelope, caller, services.keys.ref)
    row = await conn.fetchrow(queries.SPLIT, split)
    assert row is not None
    intake.hold_answer(payload, split, row["digest"])
    parties = {each["account"]: each for each in await conn.fetch(queries.PARTIES, [split])}
    _hold_open(row)
    if payload.answer == "accept":
        if await conn.fetchval(queries.OVERTAKEN, split):
            raise Conflict("another split came into force since this one was proposed; propose it again")
        if caller.account == owner:
            raise NotAllowed("who proposes a split has signed it already: expected the answer of a co-owner")
        if parties[caller.account]["accepted"] is not None:
            raise Conflict("you have signed this split already; until everybody has, you can decline it")
    statement = identifiers.new_uuid()
    name = identifiers.from_uuid("stm", statement)
    works = [each["work"] for each in await conn.fetch(queries.WORKS_OF, split)]
    last = payload.answer == "accept" and not any(
        each["accepted"] is None and not each["proposes"] and not each["waived"]
        for account, each in parties.items()
        if account != caller.account
    )
    changed = 0
    if last:
        changed = await conn.fetchval(NEXT_VERSION)
        await _hold_agreeable(conn, owner, row, parties.values(), works)
    pending = await translog.submit(conn, "split-answer", name, envelopes.encode(envelope), caller.account)
    await conn.execute(queries.KEEP_ANSWER, digest, statement, split, caller.account, payload.answer, pending)
    if payload.answer == "decline":
        await conn.execute(queries.DECLINE, split, pending)
        await _tell(conn, {owner, *parties}, "split-declined", payload.split, f"{caller.id} declined {payload.split}")
        return _Kept(split, name, pending)
    await conn.execute(queries.ACCEPT, split, caller.account, pending)
    if last:
        await conn.execute(queries.AGREE, split, pending)
        await conn.execute(queries.IN_FORCE_FROM, split, pending)
        sharing = [account for account, each in parties.items() if each["bps"] and account != owner]
        await owners.agreed(conn, works, sharing, pending, changed)
        detail = f"everybody has signed {payload.split}, of {many(len(works), 'work')}: it is in force"
        await _tell(conn, {owner, *parties}, "split-agreed", payload.split, detail)
    return _Kept(split, name, pending)


def _hold_open(row: Row) -> None:
    if row["agreed"] is not None:
        raise Conflict("everybody has signed this split: it is in force; propose another one to change it")
    if row["declined"] is not None:
        raise Conflict("this split was declined; propose another one")
    if row["at"] is not None and times.now() > row["at"] + LASTS - _MARGIN:
        raise Conflict(f"this split was to be signed by everybody by {times.to_text(row['at'] + LASTS)}: it has lapsed")


async def _hold_agreeable(conn: Connection, owner: UUID, row: Row, parties: Iterable[Row], works: list[UUID]) -> None:
    """Return only if the split can come into force now; raises ``Conflict``."""
    for each in parties:
        if each["erased_at"] is not None and not each["waived"]:
            raise Conflict(f"{identifiers.from_uuid(each['kind'], each['account'])} was erased; propose another split")
    rows = await conn.fetch(queries.WORKS, owner, works)
    alive = {each["id"] for each in rows if each["withdrawn_at"] is None}
    gone = [work for work in works if work not in alive]
    if gone:
        raise Conflict(f"{identifiers.from_uuid('wrk', gone[0])} was withdrawn; propose a split without it")
    sealed = await conn.fetchval(queries.DOCUMENT, row["id"])
    if sealed is None:
        raise Conflict("who proposed this split was erased; there is nothing left to sign")
    signed = envelopes.read_as(Split, envelopes.parse(sealed))
    digests = {identifiers.from_uuid("wrk", each["id"]): each["digest"].hex() for each in rows}
    for named in signed.works:
        if digests[named.work] != named.digest:
            raise Conflict(f"{named.work} was changed since the split was proposed; propose another one")


async def _tell(conn: Connection, accounts: set[UUID], kind: str, split: str, detail: str) -> None:
    for account in sorted(accounts):
        await events.tell(conn, account, kind, split, detail)


async def _answered(services: Services, caller: Caller, kept: _Kept) -> SplitAccepted:
    receipt = await translog.wait(services.database, kept.pending)
    async with services.database.acquire() as conn:
        return SplitAccepted(await _info(conn, caller, kept.split), kept.statement, receipt)


async def _info(conn: Connection, caller: Caller, split: UUID) -> SplitInfo:
    row = await conn.fetchrow(queries.SEEN, caller.account, LASTS, split)
    if row is None:
        raise NotFound("there is no such split among those that you have a say in")
    return (await _infos(conn, [row]))[0]


async def _infos(conn: Connection, rows: Sequence[Row]) -> list[SplitInfo]:
    parties: dict[UUID, list[SplitParty]] = {}
    for row in await conn.fetch(queries.PARTIES, [row["id"] for row in rows]):
        name = identifiers.from_uuid(row["kind"], row["account"])
        signed = row["proposes"] or row["accepted"] is not None
        parties.setdefault(row["split"], []).append(SplitParty(name, row["bps"], signed))
    return [
        SplitInfo(
            split=identifiers.from_uuid("spl", row["id"]),
            account=identifiers.from_uuid(row["kind"], row["account"]),
            state=row["state"],
            document=row["digest"].hex(),
            replaces=None if row["replaces"] is None else row["replaces"].hex(),
            works=row["works"],
            parties=sorted(parties[row["id"]], key=lambda each: each.account),
            proposed_at=times.to_text(row["proposed_at"]),
            lapses_at=times.to_text(row["at"] + LASTS) if row["state"] == "open" and row["at"] else None,
            log_index=row["index"],
            agreed_index=row["agreed_index"],
        )
        for row in rows
    ]


def _share(row: Row) -> SplitShare:
    return SplitShare(identifiers.from_uuid(row["kind"], row["account"]), row["genesis"], row["bps"])


def _digest(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32 or digest.hex() != text:
        raise Invalid.field("replaces", "the SHA-256 of a split's payload in hex, or null", text)
    return digest


def _percent(bps: int) -> str:
    return f"{bps / 100:g}%"
