"""What an agreement was charged is given back once: by a refund, or by a report that trues it up, not by both.

A window of months is charged at the close with which it ends, and at each that trues it up: a report of any of its
months concerns all of these charges, and a charge all reports of the windows that are in it. Who reports takes a lock
on the charges' transfers first, as who refunds one or contests it does: so of the two one comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from licet.pricing import Owed
from licet.statements.closes import Report, Span, closes_of, month_after, month_number, spans_of
from registry.agreements import queries
from registry.agreements.allocation import Agreement, Basis, agreement_of, basis_of, owed_in
from registry.database import Connection
from registry.errors import Conflict


async def hold_charged(conn: Connection, found: Agreement, basis: Basis, owed: Sequence[Owed]) -> None:
    """What the last report of ``basis`` trues up stands, until this is committed; raises ``Conflict``.

    ``owed``: what the close at which it counts owes. A report that corrects none may true up what was given back, as
    long as it takes nothing of it: else a month could never be reported any more.
    """
    reports, new = basis.divided.reports[:-1], basis.divided.reports[-1]
    spans = spans_of(basis.lines, new.month)
    closes = {close for span in spans for close in closes_of(span, reports)}
    months = [_name(found, close) for close in sorted(closes)]
    charges = [row["id"] for row in await conn.fetch(queries.LOCK_CHARGES, found.name, months)]
    if not (_corrects(new, reports) or _takes_back(found, spans, owed)):
        return
    given: str | None = await conn.fetchval(queries.GIVEN_BACK, charges)
    if given is not None:
        raise Conflict(
            f"what was charged for {given} was given back, or waits for a decision: expected it to stand before the "
            f"report of {_name(found, new.month)} is corrected, or takes from it"
        )


async def trued_up(conn: Connection, licence: UUID, period: str) -> str | None:
    """Return what was reported since an agreement was charged for ``period``, and trues that up; None for nothing.

    The lock of the charge is the caller's.
    """
    row = await conn.fetchrow(queries.ANY_AGREEMENT, licence)
    if row is None or not row["reported"]:
        return None
    found = agreement_of(row)
    basis, close = await basis_of(conn, found), month_number(found.term.since, period)
    reports = basis.divided.reports
    told = {close, *(each.month for each in reports if each.close == close)}
    spans = {span for month in told for span in spans_of(basis.lines, month) if span.last <= close}
    for number, each in enumerate(reports):
        own = {span for span in spans if span.first <= each.month <= span.last}
        if each.close <= close or not own:
            continue
        name = _name(found, each.month)
        if _corrects(each, reports[:number]):
            return f"the report of {name} was corrected since, which trues it up"
        if _takes_back(found, own, await owed_in(found, _name(found, each.close), basis)):
            return f"{name} was reported since, which takes back of it"
    return None


def _corrects(report: Report, earlier: Iterable[Report]) -> bool:
    return any(each.month == report.month for each in earlier)


def _takes_back(found: Agreement, spans: Iterable[Span], owed: Iterable[Owed]) -> bool:
    """Return whether anything is less than it was charged, of what ``owed`` trues up of ``spans``."""
    ends = {month_after(found.term.since, span.last) for span in spans}
    late = {(end.year, end.month) for end in ends}
    return any(each.amount < 0 and (each.steps[0].by, each.steps[0].of) in late for each in owed if each.steps)


def _name(found: Agreement, month: int) -> str:
    first = month_after(found.term.since, month)
    return f"{first.year:04d}-{first.month:02d}"
