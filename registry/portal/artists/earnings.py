"""Money: what is owed, held and on its way; each charge, down to uses, terms, signatures and proof; and each entry."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.periods import ACCRUALS
from registry.accounts.identity import Caller
from registry.closing import reading
from registry.database import Connection, Row
from registry.disputes.subjects import may_dispute
from registry.http.paging import Asked, Cursor, page_of
from registry.portal.artists import money_queries as queries
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following
from registry.services import Services
from registry.settlement import charging
from registry.settlement.escrow import RETURNS_AFTER
from registry.settlement.routes import Currency, Month
from registry.usage import money
from registry.usage.routes import Source as OfSource

A_PAGE: Final = 50


class Source(NamedTuple):
    """What a charge came of, as far as the artist is shown it: a licence, or a report of uses."""

    id: str
    team: str
    models: list[str]
    dataset: str | None  # its name where it is public, else its number
    uses: int
    at: str
    log_index: int | None
    keys: list[str]  # that signed it, where that is asked for; none once it was erased


class Charged(NamedTuple):
    """One charge of a month, in one currency."""

    charge: str
    kind: str
    currency: str
    amount: Decimal
    source: Source | None


@get(everywhere("/earnings"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def earnings(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    period: Month = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """Balances in each currency, and the charges behind them, of all months or of one."""
    asked = Asked.of(request, "-at", A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        balance = await money.balance(conn, caller)
        page = await charging.listed(conn, caller.id, asked, period=period)
    now = times.now()
    return ROOM.page(
        request, "earnings", here="earnings", tab="earnings", lines=balance.lines, charges=page.items, period=period,
        trusted=caller.level >= 2, days=RETURNS_AFTER.days,
        disputable={each.charge for each in page.items if may_dispute(each, now)},
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/earnings/charges/{charge:str}"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def charge(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    charge: FromPath[str],
    cursor: Cursor = None,
) -> Response[bytes]:
    """One charge: for which uses, under which terms, who signed, and where it is proven."""
    number = identifiers.to_uuid(charge, "tra", field="path:charge")
    asked = Asked.of(request, "id", A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        parts = await charging.shown(conn, caller.id, number)
        name = parts[0].source
        source = (await sources(conn, caller, [name], signed=True)).get(name)
        listing = queries.BATCH_USES if name.startswith("bat_") else queries.LICENCE_USES
        uses, more = await page_of(conn, listing, asked, caller.account, identifiers.to_uuid(name))
        closed = await reading.closed(conn, parts[0].period)
    return ROOM.page(
        request, "charge", here="earnings", charge=parts[0], parts=parts, source=source, closed=closed,
        uses=[use_of(row) for row in uses], trusted=caller.level >= 2,
        disputable=any(may_dispute(each, times.now()) for each in parts),
        more=following(request, more), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/earnings/uses"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def uses(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    period: Month = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """Who used what in a month, by team and dataset, the newest first; by default in this one."""
    month = period or times.to_text(times.now())[:7]
    asked = Asked.of(request, "-at", A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        page = await charging.listed(conn, caller.id, asked, period=month)
        standing = [each for each in page.items if each.state != "refunded"]
        known = await sources(conn, caller, {each.source for each in standing})
    charged = [
        Charged(each.charge, each.kind, each.currency, Decimal(each.amount), known.get(each.source))
        for each in standing
    ]  # fmt: skip
    return ROOM.page(
        request, "uses", here="earnings", tab="uses", period=month, groups=grouped(charged),
        trusted=caller.level >= 2, months=beside(month), more=following(request, page.next),
        start=f"{request.url.path}?period={month}" if cursor else None,
    )  # fmt: skip


@get(everywhere("/earnings/entries"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def entries(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    account: FromQuery[money.Side | None] = None,
    currency: Currency = None,
    source: OfSource = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """The entries of the ledger on the artist's own accounts: what her balances add up from."""
    asked = Asked.of(request, "-at", A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        page = await money.entries(conn, caller, asked, side=account, currency=currency, source=source)
        balance = await money.balance(conn, caller)
        moved = [identifiers.to_uuid(each.transfer) for each in page.items]
        charged = await conn.fetch(queries.CHARGES_AMONG, moved, sorted(ACCRUALS))
    total = next((each for each in balance.lines if (each.account, each.currency) == (account, currency)), None)
    return ROOM.page(
        request, "entries", here="earnings", tab="entries", entries=page.items, total=None if source else total,
        filtered=bool(account or currency or source),
        charged={identifiers.from_uuid("tra", row["id"]) for row in charged},
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


async def sources(conn: Connection, caller: Caller, names: Iterable[str], *, signed: bool = False) -> dict[str, Source]:
    """Return those of ``names`` (``lic_…``, ``bat_…``) that ``caller`` is shown, ``signed`` with the keys, by names."""
    found = list(names)
    licences = [identifiers.to_uuid(each) for each in found if each.startswith("lic_")]
    batches = [identifiers.to_uuid(each) for each in found if each.startswith("bat_")]
    rows = await conn.fetch(queries.SOURCES, caller.account, licences, batches, signed)
    return {(source := _source(row)).id: source for row in rows}


def _source(row: Row) -> Source:
    dataset = row["title"] or (row["dataset"] and identifiers.from_uuid("dst", row["dataset"]))
    signed = [] if row["envelope"] is None else envelopes.parse(row["envelope"]).signatures
    return Source(
        identifiers.from_uuid(row["kind"], row["id"]), row["name"], sorted(row["models"]), dataset, row["uses"],
        times.to_text(row["at"]), row["index"], [each.keyid for each in signed],
    )  # fmt: skip


def use_of(row: Row) -> dict[str, Any]:
    """Return a use as pages show it: work and statement by name, the net amount in micro-units."""
    return {
        **{name: row[name] for name in ("id", "title", "atom", "run", "unit", "quantity", "currency", "amount", "fee")},
        "work": identifiers.from_uuid("wrk", row["work"]),
        "statement": None if row["statement"] is None else identifiers.from_uuid("stm", row["statement"]),
        "at": times.to_text(row["at"]),
    }


def grouped(charged: Iterable[Charged]) -> list[tuple[str | None, str | None, list[Charged], dict[str, Decimal], int]]:
    """Return charges by team and dataset (None: not shown, none), with their sums by currency and how many uses."""
    groups: dict[tuple[str, str], list[Charged]] = {}
    for each in charged:
        place = ("", "") if each.source is None else (each.source.team, each.source.dataset or "")
        groups.setdefault(place, []).append(each)
    found = []
    for (team, dataset), members in sorted(groups.items()):
        sums: dict[str, Decimal] = {}
        for each in members:
            sums[each.currency] = sums.get(each.currency, Decimal(0)) + each.amount
        counted = {each.source.id: each.source.uses for each in members if each.source is not None}
        found.append((team or None, dataset or None, members, dict(sorted(sums.items())), sum(counted.values())))
    return found


def beside(month: str) -> tuple[str, str | None]:
    """Return the month before ``month``, and the one after it, None where that has not begun."""
    year, number = int(month[:4]), int(month[5:])
    before = f"{year - (number == 1):04d}-{(number - 2) % 12 + 1:02d}"
    after = f"{year + (number == 12):04d}-{number % 12 + 1:02d}"
    return before, after if after <= times.to_text(times.now())[:7] else None


ROUTES: Final = [earnings, charge, uses, entries]
