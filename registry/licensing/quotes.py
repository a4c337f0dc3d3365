"""Quotes: what the wanted works cost now. A quote fixes fee and rounding for 15 minutes, never permission or price."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from licet import identifiers, money, times
from licet.statements.agreed import agreement
from licet.statements.kinds import Budget, LicenceLine, Total, Use
from licet.statements.licences import quote_digest
from licet.statements.owed import allocated, due_at_accept, totals
from licet.wire.common import Page
from licet.wire.licensing import LeftOut, Quote, QuoteInfo, QuoteRequest
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.errors import Invalid, NotFound
from registry.http.paging import Asked, page_of
from registry.licensing import queries
from registry.licensing.answered import Answered, answered
from registry.licensing.offers import Taking, declared, name, request_of
from registry.licensing.standing import Standing, standing, work_ids
from registry.observing.meters import count_once_committed
from registry.services import Services

MAX_WORKS: Final = 100_000
_FORGOTTEN_AFTER: Final = timedelta(days=1)


async def quote(services: Services, caller: Caller, wanted: QuoteRequest) -> Quote:
    """Return an offer for those of the wanted works that can be licensed now; the others are named with a reason.

    Raises ``Invalid`` or ``InputError`` naming the field. Nothing is taken; an offer that nobody accepts is forgotten.
    """
    if not 1 <= len(wanted.works) <= MAX_WORKS:
        raise Invalid.field("works", f"1 to {MAX_WORKS} works", f"{len(wanted.works)} works")
    now = times.now()
    use = declared(wanted.use, request_of(wanted.use, caller.id, now))
    name(wanted.run, "run")
    if wanted.dataset is not None:
        identifiers.to_uuid(wanted.dataset, "dst", field="dataset")
    budget = _budget(wanted.budget)
    works = work_ids(wanted.works)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        found = await standing(conn, caller.account, caller.id, use, works, now)
        asked = None
        if wanted.request is not None:
            asked = await answered(conn, caller.account, use, wanted.request, now)
            _hold_to_asked(works, asked)
    issued = _Issue(services.settings.fee_bps, now, now + services.settings.quote_ttl)
    offer = await asyncio.to_thread(_offer, found, wanted, use, budget, issued, asked)
    async with services.database.transaction() as conn:
        await conn.execute(queries.FORGET_QUOTES, now - _FORGOTTEN_AFTER)
        number = identifiers.to_uuid(offer.quote)
        body = msgspec.json.encode(offer)
        await conn.execute(queries.ADD_QUOTE, number, caller.account, body, now, issued.expires_at)
        count_once_committed("licet_quotes_total", "offered" if offer.lines else "empty")
    return offer


async def stored(services: Services, organisation: UUID, number: UUID) -> Quote:
    """Return an offer that was made to ``organisation``; raises ``NotFound`` if there is none, or no longer."""
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(queries.QUOTE, number, organisation)
    if row is None:
        raise NotFound("there is no such quote; a quote that nobody took is forgotten after a day")
    return await asyncio.to_thread(msgspec.json.decode, row["body"], type=Quote)


async def listed(conn: Connection, organisation: UUID, asked: Asked, *, active: bool | None = None) -> Page[QuoteInfo]:
    """Return one page of the offers that were made to ``organisation``; raises ``Invalid`` naming the parameter."""
    rows, more = await page_of(conn, queries.QUOTES, asked, organisation, active)
    items = [
        QuoteInfo(
            identifiers.from_uuid("quo", row["id"]), times.to_text(row["issued_at"]), times.to_text(row["expires_at"])
        )
        for row in rows
    ]
    return Page(items, more)


class _Issue(msgspec.Struct, frozen=True):
    fee_bps: int
    issued_at: datetime
    expires_at: datetime


def _offer(
    found: Standing, wanted: QuoteRequest, use: Use, budget: Mapping[str, int], issued: _Issue, asked: Answered | None
) -> Quote:
    taking = Taking(wanted.agreement, None if asked is None else asked.offered)
    lines, left, end = found.lines(sorted(wanted.works, key=lambda each: each.work), taking)
    if budget or wanted.fit_budget:
        lines = _budgeted(lines, left, budget)
    if wanted.fit_budget:
        lines = _fitted(lines, left, budget)
    sums = due(lines)
    offer = Quote(
        quote=identifiers.new_id("quo"),
        organisation=found.organisation,
        use=use,
        dataset=wanted.dataset,
        run=wanted.run,
        lines=lines,
        left_out=sorted(left, key=lambda each: each.work),
        totals=sums,
        budget=[Budget(currency, amount) for currency, amount in sorted(budget.items())],
        over_budget=any(total.amount > budget.get(total.currency, 0) for total in sums),
        fee_bps=issued.fee_bps,
        issued_at=times.to_text(issued.issued_at),
        expires_at=times.to_text(issued.expires_at),
        digest="",
        valid_until=None if end is None else times.to_text(end),
        agreement=agreement(lines, issued.issued_at, wanted.weigh, None if asked is None else asked.document),
    )
    return msgspec.structs.replace(offer, digest=quote_digest(offer))


def due(lines: Sequence[LicenceLine]) -> list[Total]:
    """Return what accepting these lines makes owed, per currency; raises ``InputError`` beyond 2^53 micro-units."""
    return totals((line.currency, line.work, due_at_accept(line)) for line in lines)


def _hold_to_asked(works: Sequence[UUID], asked: Answered) -> None:
    for place, work in enumerate(works):
        if work not in asked.works:
            name = identifiers.from_uuid("wrk", work)
            raise Invalid.field(f"works[{place}].work", "a work that the request asks for", name)


def _budget(budgets: Sequence[Budget]) -> dict[str, int]:
    amounts: dict[str, int] = {}
    for place, each in enumerate(budgets):
        money.currency(each.currency, f"budget[{place}].currency")
        if not 0 <= each.amount <= money.LARGEST or each.currency in amounts:
            raise Invalid.field(f"budget[{place}]", f"0 to {money.LARGEST} micro-units, each currency once", each)
        amounts[each.currency] = each.amount
    return amounts


def _budgeted(lines: Sequence[LicenceLine], left: list[LeftOut], budget: Mapping[str, int]) -> list[LicenceLine]:
    """Leave out what is priced in a currency without a budget: it needs an agreement (semantics 22)."""
    kept: list[LicenceLine] = []
    for line in lines:
        if line.currency is None or line.currency in budget or allocated(line):
            kept.append(line)
        else:
            left.append(LeftOut(line.work, "needs-agreement"))
    return kept


def _fitted(lines: Sequence[LicenceLine], left: list[LeftOut], budget: Mapping[str, int]) -> list[LicenceLine]:
    """Keep what fits into the budgets, the cheapest first, then by work id; the rest is over budget."""
    remaining = dict(budget)
    kept: list[LicenceLine] = []
    for line in sorted(lines, key=lambda each: (due_at_accept(each), each.work)):
        if line.currency is not None and not allocated(line):
            rest = remaining[line.currency] - due_at_accept(line)
            if rest < 0:
                left.append(LeftOut(line.work, "over-budget"))
                continue
            remaining[line.currency] = rest
        kept.append(line)
    return sorted(kept, key=lambda line: line.work)
