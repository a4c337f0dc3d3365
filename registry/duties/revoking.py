"""An artist revokes a licence: the notice of its terms begins with the log entry, and its effect is due at the end.

The organisation's row is held first and her consent head after it, as acceptances do: a licence, a run or a batch of
the same organisation came before the revocation, or comes after it and knows of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.counted import many
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import LicenceRevoke
from licet.statements.revoking import condition
from licet.terms import Revocation, intern
from licet.wire.duties import DutyAccepted, Effect, Revocable, RevocableWorks
from registry import translog
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.consent.queries.statements import LOCK_HEAD
from registry.database import Connection, Row
from registry.duties import queries
from registry.duties.shown import accepted
from registry.errors import Conflict, Invalid, NotFound
from registry.licensing.licences import agreed_of
from registry.licensing.queries import LOCK_ORGANISATION
from registry.services import Services
from registry.splits.intake import opened


class CountedWorks(NamedTuple):
    """How many works are revoked on one condition."""

    works: int
    notice_days: int
    effect: Effect


class Counted(NamedTuple):
    """What of a licence the caller can revoke, as `Revocable` says it, with how many works in the place of which."""

    name: str  # of the organisation
    model: str
    version: str
    valid_until: str | None
    groups: list[CountedWorks]
    firm: int
    revoked: int


class _Kept(NamedTuple):
    duty: UUID
    pending: int


class _SortedOut(NamedTuple):
    groups: dict[tuple[int, Effect], list[Row]]
    firm: list[Row]
    revoked: list[Row]


async def revocable(services: Services, caller: Caller, licence: UUID) -> Revocable:
    """Return what of ``licence`` the caller can revoke, and on which conditions; raises ``NotFound``.

    At every claim level, as `revoke` does: nobody has to sign what they may not read.
    """
    row, sorted_out = await _sorted_out(services, caller, licence, queries.GROUPED)

    def named(rows: list[Row]) -> list[str]:
        works: list[UUID] = sorted(chain.from_iterable(each["works"] for each in rows))
        return [identifiers.from_uuid("wrk", each) for each in works]

    groups = [RevocableWorks(named(rows), *each) for each, rows in sorted(sorted_out.groups.items())]
    return Revocable(
        identifiers.from_uuid("lic", licence),
        identifiers.from_uuid("org", row["organisation"]),
        row["name"],
        row["model"],
        row["version"],
        _until(row),
        groups,
        named(sorted_out.firm),
        named(sorted_out.revoked),
    )


async def counted(services: Services, caller: Caller, licence: UUID) -> Counted:
    """Return the same in numbers, read without a row for each work; raises ``NotFound``."""
    row, sorted_out = await _sorted_out(services, caller, licence, queries.COUNTED)

    def summed(rows: list[Row]) -> int:
        return sum(each["works"] for each in rows)

    groups = [CountedWorks(summed(rows), *each) for each, rows in sorted(sorted_out.groups.items())]
    return Counted(
        row["name"],
        row["model"],
        row["version"],
        _until(row),
        groups,
        summed(sorted_out.firm),
        summed(sorted_out.revoked),
    )


async def revoke(services: Services, caller: Caller, licence: UUID, envelope: Envelope) -> DutyAccepted:
    """Return once the revocation is in the published log: nothing granted after it counts beyond the notice.

    Sending it again has no second effect. Raises ``NotFound`` for a licence without works of the caller's,
    ``MalformedError`` and ``Invalid`` naming the field, and ``Conflict`` for a licence that has ended, for a work that
    was revoked before or whose terms allow no revocation, and for works on several conditions.
    """
    kept = await services.database.run(partial(_revoke, services, caller, licence, envelope))
    return await accepted(services, caller, kept.duty, identifiers.from_uuid("dut", kept.duty), kept.pending)


async def _revoke(services: Services, caller: Caller, licence: UUID, envelope: Envelope, conn: Connection) -> _Kept:
    row = await conn.fetchrow(queries.LICENCE, caller.account, licence)
    if row is None:
        raise _nobodys()
    await conn.fetchval(LOCK_ORGANISATION, row["organisation"])
    await conn.fetchrow(LOCK_HEAD, caller.account)
    digest = bytes.fromhex(envelope.payload_digest)
    known = await conn.fetchrow(queries.REVOKED, digest)
    if known is not None and (known["account"], known["licence"]) == (caller.account, licence):
        return _Kept(known["id"], known["pending"])
    payload = await opened(conn, LicenceRevoke, envelope, caller, services.keys.ref)
    duty = identifiers.to_uuid(payload.duty, "dut", field="duty")
    if identifiers.to_uuid(payload.licence, "lic", field="licence") != licence:
        raise Invalid.field("licence", "the licence in the path", payload.licence)
    now = times.now()
    if row["valid_until"] is not None and row["valid_until"] <= now:
        raise Conflict(f"{payload.licence} ended at {times.to_text(row['valid_until'])}: there is nothing to revoke")
    works, agreed = await _held(conn, caller, row, payload)
    pending = await translog.submit(conn, "licence-revoke", payload.duty, envelopes.encode(envelope), caller.account)
    kept = await conn.fetchval(
        queries.KEEP,
        duty,
        licence,
        row["organisation"],
        caller.account,
        pending,
        digest,
        agreed.notice_days,
        agreed.effect,
        len(works),
        now,
    )
    if kept is None:
        raise Conflict("duty: expected an identifier that is new, got that of another duty")
    await conn.execute(queries.KEEP_WORKS, licence, duty, works)
    detail = (
        f"{caller.id} revokes {payload.licence} for {many(len(works), 'work')}, with {many(agreed.notice_days, 'day')} "
        f"of notice; then {agreed.effect} is due for the model {row['model']}@{row['version']}"
    )
    await events.tell(conn, row["organisation"], "licence-revoked", payload.duty, detail)
    return _Kept(duty, pending)


async def _held(conn: Connection, caller: Caller, row: Row, payload: LicenceRevoke) -> tuple[list[UUID], Revocation]:
    """Return the works of ``payload`` and the one condition that all of them are revoked on."""
    works = [identifiers.to_uuid(each, "wrk", field=f"works[{place}]") for place, each in enumerate(payload.works)]
    lines = {each["work"]: each for each in await conn.fetch(queries.LINES, row["id"], caller.account, works)}
    for place, work in enumerate(works):
        if work not in lines:
            raise Invalid.field(f"works[{place}]", f"a work of yours under {payload.licence}", payload.works[place])
        if lines[work]["duty"] is not None:
            duty = identifiers.from_uuid("dut", lines[work]["duty"])
            raise Conflict(f"{payload.works[place]}: expected a work that was not revoked, got one of {duty}")
    agreed = await conditions(conn, row["atoms"], list(lines.values()))
    first = agreed[alike(lines[works[0]])]
    for place, work in enumerate(works):
        found = agreed[alike(lines[work])]
        if first is None or found is None:
            raise Conflict(f"{payload.works[place]}: the terms that it was licensed under allow no revocation")
        if found != first:
            raise Conflict(
                f"{payload.works[place]}: expected works on one condition, {_words(first)}, got {_words(found)}: "
                "revoke it by a statement of its own"
            )
    assert first is not None
    return works, first


async def _sorted_out(services: Services, caller: Caller, licence: UUID, grouped: str) -> tuple[Row, _SortedOut]:
    """Return the licence, and rows of ``grouped`` by what becomes of their works; raises ``NotFound``."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        row = await conn.fetchrow(queries.LICENCE, caller.account, licence)
        if row is None:
            raise _nobodys()
        rows = await conn.fetch(grouped, licence, caller.account)
        found = await conditions(conn, row["atoms"], rows)
    sorted_out = _SortedOut({}, [], [])
    for each in rows:
        agreed = found[alike(each)]
        if each["revoked"]:
            sorted_out.revoked.append(each)
        elif agreed is None:
            sorted_out.firm.append(each)
        else:
            sorted_out.groups.setdefault((agreed.notice_days, agreed.effect), []).append(each)
    return row, sorted_out


async def conditions(
    conn: Connection, atoms: Sequence[str], lines: Iterable[Row]
) -> Mapping[tuple[bytes, str | None], Revocation | None]:
    """Return on which condition ``lines`` of a licence for ``atoms`` are revoked, once for those that are `alike`."""
    distinct = {alike(each) for each in lines}
    terms = {
        each["hash"]: intern(each["encoded"])
        for each in await conn.fetch(queries.TERMS, list({each for each, _ in distinct}))
    }
    return {(digest, agreed): condition(agreed_of(agreed), terms[digest], atoms) for digest, agreed in distinct}


def alike(line: Row) -> tuple[bytes, str | None]:
    """Return what the condition of a line of a licence depends on: its terms, and what was agreed beside them."""
    return line["terms_hash"], line["agreed"]


def _until(licence: Row) -> str | None:
    return None if licence["valid_until"] is None else times.to_text(licence["valid_until"])


def _words(found: Revocation) -> str:
    return f"{found.effect} after {many(found.notice_days, 'day')}"


def _nobodys() -> NotFound:
    return NotFound("there is no such licence with works of yours")
