"""Reports of revenue: what an organisation made under an agreement in a month, said once, corrected by later ones.

A report is refused unless what follows from it can be charged; whether it is true is for auditors to find out, and its
signature says who said it. At which close it counts is decided under the lock that ends months, so the log shows it
too: the first close that comes after it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

import msgspec

from licet import identifiers, money, times
from licet.audit.layout import period_of
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.closes import Report, month_number
from licet.statements.envelope import Envelope
from licet.statements.kinds import RevenueReport
from licet.statements.revenue import needed, wrong_period, wrong_report
from licet.wire.common import Page
from licet.wire.revenue import Amount, RevenueAccepted, RevenueAwaited, RevenueInfo, RevenueShown
from registry import translog
from registry.accounts.identity import Caller
from registry.accounts.statements import file_if_kept
from registry.agreements import queries
from registry.agreements.allocation import Agreement, agreement_of, basis_of, owed_in
from registry.agreements.given_back import hold_charged
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotAllowed, NotFound
from registry.http import moments
from registry.http.paging import Asked, page_of
from registry.ledger import periods
from registry.licensing import owing
from registry.licensing.queries import LOCK_ORGANISATION
from registry.licensing.signatures import opened
from registry.services import Services
from registry.splits.intake import NONCE


class _Kept(NamedTuple):
    report: UUID
    pending: int


async def report(services: Services, caller: Caller, envelope: Envelope) -> RevenueAccepted:
    """Return once the report is in the published log, and counts at the next close; again has no second effect.

    Raises ``MalformedError`` and ``Invalid`` naming the field, ``Conflict`` for a month that was reported otherwise,
    ``OverLimit`` for what would take the debt too far, and ``Unavailable`` while a month is being closed.
    """
    kept = await services.database.run(partial(_report, services, caller, envelope))
    receipt = await translog.wait(services.database, kept.pending)
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(queries.REVENUE, caller.account, kept.report)
    assert row is not None
    return RevenueAccepted(_info(row), receipt)


async def shown(conn: Connection, caller: Caller, number: UUID) -> RevenueShown:
    """Return one report with its document, for whoever made it and those whose shares follow from it.

    Raises ``NotFound``. Whoever has a share is not told what others' works weigh.
    """
    row = await conn.fetchrow(queries.REVENUE, caller.account, number)
    if row is None:
        raise NotFound("there is no such report among those that you made, or that you have a share in")
    whole = row["organisation"] == caller.account or not row["weights"]
    document = await file_if_kept(conn, row["pending"], "revenue-report") if whole else None
    return RevenueShown(_info(row), document)


async def listed(
    conn: Connection, caller: Caller, asked: Asked, licence: UUID | None, period: str | None
) -> Page[RevenueInfo]:
    """Return one page of the reports that the caller made, or has a share in; raises ``Invalid``."""
    rows, more = await page_of(conn, queries.REVENUES, asked, caller.account, licence, period)
    return Page([_info(row) for row in rows], more)


async def awaited(conn: Connection, caller: Caller, asked: Asked, licence: UUID | None) -> Page[RevenueAwaited]:
    """Return one page of the months of which the caller owes a report, or is owed one; raises ``Invalid``."""
    this = periods.first_moment(periods.month_of(times.now()).start)
    rows, more = await page_of(conn, queries.AWAITED, asked, caller.account, this, licence)
    items = [
        RevenueAwaited(
            identifiers.from_uuid("lic", row["id"]),
            identifiers.from_uuid("org", row["organisation"]),
            row["model"],
            row["version"],
            row["period"],
            row["closed"],
        )
        for row in rows
    ]
    return Page(items, more)


async def _report(services: Services, caller: Caller, envelope: Envelope, conn: Connection) -> _Kept:
    if await conn.fetchval(LOCK_ORGANISATION, caller.account) is None:
        raise NotAllowed("only an organisation reports revenue")
    digest = bytes.fromhex(envelope.payload_digest)
    known = await conn.fetchrow(queries.KNOWN_REPORT, digest, caller.account)
    if known is not None:
        return _Kept(known["id"], known["pending"])
    payload = await opened(conn, RevenueReport, envelope, caller, services.keys.ref)
    number = identifiers.to_uuid(payload.report, "rpt", field="report")
    moments.past(payload.issued_at, "issued_at")
    if len(payload.nonce) not in NONCE:
        raise Invalid.field("nonce", "16 to 128 characters", payload.nonce)
    licence = identifiers.to_uuid(payload.licence, "lic", field="licence")
    row = await conn.fetchrow(queries.OWN_AGREEMENT, licence, caller.account)
    if row is None:
        raise Invalid.field("licence", "an agreement of the caller's", payload.licence)
    found, now = agreement_of(row), times.now()
    _hold_to_time(payload, found, now)
    await _hold_to_last(conn, payload, licence)
    counts_at = await periods.next_close(conn, payload.period)
    figures = [{each.currency: each.amount for each in amounts} for amounts in (payload.revenue, payload.pool)]
    figures.append({each.work: each.weight for each in payload.weights})
    owed = await _hold_to_agreement(conn, payload, found, counts_at, figures)
    await owing.hold_sums(conn, caller.id, owed, services.settings.owed_limit_micro)
    pending = await translog.submit(conn, "revenue-report", payload.report, envelopes.encode(envelope), caller.account)
    kept = await conn.fetchval(
        queries.KEEP_REPORT,
        digest,
        number,
        caller.account,
        licence,
        payload.period,
        counts_at,
        None if payload.supersedes is None else bytes.fromhex(payload.supersedes),
        pending,
        *(msgspec.json.encode(each).decode() for each in figures),
        now,
    )
    if kept is None:
        raise Conflict("report: expected an identifier that is new, got that of another report")
    return _Kept(number, pending)


def _hold_to_time(payload: RevenueReport, found: Agreement, now: datetime) -> None:
    wrong = wrong_period(payload.period, found.term)
    if wrong is not None:
        raise Invalid(wrong)
    if periods.first_moment(period_of(payload.period).start) > now:
        raise Invalid.field("period", f"a month that has begun (it is {times.to_text(now)} here)", payload.period)


async def _hold_to_last(conn: Connection, payload: RevenueReport, licence: UUID) -> None:
    """What is corrected is what was said last: two who correct the same report meet."""
    last = await conn.fetchval(queries.LAST_REPORT, licence, payload.period)
    said = None if last is None else last.hex()
    if payload.supersedes == said:
        return
    if said is None:
        raise Invalid.field("supersedes", f"null, because nothing was reported of {payload.period}", payload.supersedes)
    raise Conflict(f"supersedes: expected {said}, what was reported of {payload.period} last, got {payload.supersedes}")


async def _hold_to_agreement(
    conn: Connection, payload: RevenueReport, found: Agreement, counts_at: str, figures: list[dict[str, int]]
) -> dict[str, int]:
    """Return what the agreement will owe at the close at which the report counts, by currency.

    What it trues up must not have been given back otherwise.
    """
    since = found.term.since
    new = Report(month_number(since, payload.period), month_number(since, counts_at), *figures)
    basis = await basis_of(conn, found, [new])
    wrong = wrong_report(payload, needed(basis.lines), found.weigh)
    if wrong is not None:
        raise Invalid(wrong)
    try:
        found_owed = await owed_in(found, counts_at, basis)
    except InputError as error:
        raise Invalid(f"revenue: expected what can be charged: {error.message}") from None
    await hold_charged(conn, found, basis, found_owed)
    sums: dict[str, int] = defaultdict(int)
    for each in found_owed:
        if each.currency is not None:
            sums[each.currency] += each.amount
    return sums


def _info(row: Row) -> RevenueInfo:
    return RevenueInfo(
        report=identifiers.from_uuid("rpt", row["id"]),
        licence=identifiers.from_uuid("lic", row["licence"]),
        organisation=identifiers.from_uuid("org", row["organisation"]),
        period=row["period"],
        counts_at=row["counts_at"],
        revenue=_amounts(row["revenue"]),
        pool=_amounts(row["pool"]),
        weights=row["weights"],
        document=row["digest"].hex(),
        supersedes=None if row["supersedes"] is None else row["supersedes"].hex(),
        current=row["current"],
        reported_at=times.to_text(row["accepted_at"]),
        log_index=row["index"],
    )


def _amounts(text: str) -> list[Amount]:
    found = msgspec.json.decode(text, type=dict[str, int])
    return [Amount(currency, money.to_decimal(amount)) for currency, amount in sorted(found.items())]
