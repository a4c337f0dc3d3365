"""How what agreements owe at a close comes about, step by step, for whoever pays and whoever is paid.

It is computed again by what the close itself computes with; of a month that is not closed yet, as things stand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from licet import identifiers, money, times
from licet.audit.layout import period_of
from licet.errors import InputError
from licet.pricing import Owed, Step
from licet.statements.closes import month_number
from licet.wire.common import Page
from licet.wire.revenue import Share, ShareStep
from registry.accounts.identity import Caller
from registry.agreements import queries
from registry.agreements.allocation import agreement_of, basis_of, owed_in
from registry.errors import Conflict, Invalid, NotFound
from registry.http.paging import Asked, slice_of
from registry.ledger import periods
from registry.licensing.licences import refuse_unshown
from registry.services import Services

_SUMMED: Final = frozenset({"part", "charged"})


class _Alike(NamedTuple):
    """What works have in common whose steps differ in nothing but their own part."""

    account: str
    currency: str
    open: bool
    common: tuple[Step, ...]
    whole: tuple[tuple[str, int, int], ...]  # what is divided, and all weights


async def shares(services: Services, caller: Caller, licence: UUID, period: str, asked: Asked) -> Page[Share]:
    """Return one page of what is owed at the close of ``period``: all for the licensee, else the caller's own.

    Raises ``NotFound`` for a licence that is no agreement of theirs, ``NotAllowed`` for one on works of theirs below
    claim level 2, ``Invalid`` for a month before it or to come, and ``Conflict`` where what it owes cannot be computed.
    """
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        row = await conn.fetchrow(queries.SHARED_WITH, caller.account, licence)
        if row is None:
            await refuse_unshown(conn, caller, licence)
            raise NotFound("there is no such agreement among those that you hold, or have works in")
        found = agreement_of(row)
        this = periods.month_of(times.now()).name
        if period_of(period, "?period").name > this or month_number(found.term.since, period) < 0:
            raise Invalid.field("?period", f"{found.term.since:%Y-%m} to {this}", period)
        basis = await basis_of(conn, found)
        month = await periods.month(conn, period)
    try:
        owed = await owed_in(found, period, basis)
    except InputError as error:
        raise Conflict(f"{found.name}: expected what can be charged: {error.message}") from None
    part = row["part"]
    own = [each for each in owed if part is None or identifiers.to_uuid(each.payee) == part]
    state = "closed" if month is not None and month.sealed_at is not None else "open"
    told = await asyncio.to_thread(_together, own)
    return slice_of(
        [msgspec.structs.replace(each, licence=found.name, period=period, state=state) for each in told], asked
    )


def _together(owed: Iterable[Owed]) -> list[Share]:
    groups: dict[_Alike, list[Owed]] = {}
    for each in owed:
        whole = tuple((step.what, step.amount, step.of) for step in each.steps if step.what == "part")
        common = tuple(step for step in each.steps if step.what not in _SUMMED)
        groups.setdefault(_Alike(each.payee, each.currency or "", each.open, common, whole), []).append(each)
    return [_share(alike, groups[alike]) for alike in sorted(groups, key=_order)]


def _share(alike: _Alike, owed: list[Owed]) -> Share:
    steps = list(alike.common)
    total = sum(each.amount for each in owed)
    for what in ("part", "charged"):
        own = [step for each in owed for step in each.steps if step.what == what]
        if own:
            divided = what == "part"
            steps.append(
                Step(
                    what,
                    sum(step.result for step in own),
                    own[0].amount if divided else sum(step.amount for step in own),
                    sum(step.by for step in own),
                    own[0].of,
                )
            )
    told = [ShareStep(*msgspec.structs.astuple(each)) for each in steps]
    return Share("", "", "open", alike.account, alike.currency or None, money.to_decimal(total), len(owed), alike.open,
                 told)  # fmt: skip


def _order(alike: _Alike) -> tuple[object, ...]:
    return alike.account, alike.currency, alike.open, [msgspec.structs.astuple(each) for each in alike.common]
