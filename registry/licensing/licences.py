"""Licences that were granted: whole for the organisation that holds one, their own lines for owners of works in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from licet import identifiers, money, times
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import Agreed, Licence, LicenceLine, Total
from licet.wire.common import Page, Receipt
from licet.wire.licensing import LicenceEnding, LicenceGranted, LicenceInfo, Posted
from registry import translog
from registry.accounts.identity import Caller
from registry.consent.queries.statements import PLANNED_ANEW
from registry.database import Connection, Row
from registry.errors import NotAllowed, NotFound, Unavailable
from registry.http.paging import Asked, page_of
from registry.licensing import queries
from registry.services import Services

_MOST_ADDED: Final = 100  # lines of a licence that a list adds up rather than read what was signed


async def granted(services: Services, caller: Caller, number: UUID) -> LicenceGranted:
    """Return one licence as ``caller`` may see it; raises ``NotFound`` for none, or none that is theirs to see.

    Raises ``NotAllowed`` for one on works of theirs that is shown from a higher claim level on.
    """
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        part, agreed, envelope, receipt = await _published(conn, caller, number)
        lines = [line_of(each) for each in await conn.fetch(queries.LINES, number, part)]
        posted = await _accrued(conn, number, part, agreed=agreed)
    return LicenceGranted(identifiers.from_uuid("lic", number), envelope, lines, posted, receipt)


class Tariff(NamedTuple):
    """What works of a licence cost that cost the same, and how many they are: ``amount`` counts micro-units."""

    use: str
    model: str
    currency: str | None
    amount: int
    works: int


class Shown(NamedTuple):
    """One licence as pages show it: the lines that ``caller`` may see in numbers, and one page of them."""

    signed: Licence
    log_index: int
    lines: Page[LicenceLine]
    tariffs: list[Tariff]  # the most frequent first
    posted: list[Posted]  # where it was asked for, as is the next
    grounds: dict[tuple[bytes, Agreed | msgspec.UnsetType], int]  # works by terms and what is agreed beside them

    @property
    def works(self) -> int:
        """How many lines there are on all pages."""
        return sum(each.works for each in self.tariffs)


async def shown(conn: Connection, caller: Caller, number: UUID, asked: Asked, *, posted: bool = False) -> Shown:
    """Return the same with one page of its lines and without a row for each other, and what was ``posted``.

    Raises as `granted` does, and ``Invalid`` for a cursor of something else.
    """
    part, agreed, envelope, receipt = await _published(conn, caller, number)
    rows, more = await page_of(conn, queries.LINES_PAGED, asked, number, part)
    tariffs = [Tariff(*each) for each in await conn.fetch(queries.TARIFFS, number, part)]
    page = Page([line_of(each) for each in rows], more)
    rows = await conn.fetch(queries.GROUNDS, number, part) if posted else []
    grounds = {(each["terms_hash"], agreed_of(each["agreed"])): each["works"] for each in rows}
    accrued = await _accrued(conn, number, part, agreed=agreed) if posted else []
    return Shown(envelopes.read_as(Licence, envelope), receipt.log_index, page, tariffs, accrued, grounds)


async def _accrued(conn: Connection, number: UUID, part: UUID | None, *, agreed: bool) -> list[Posted]:
    await conn.execute(PLANNED_ANEW)  # a plan for every licence reads what was reported under it, too
    return [_posted(each) for each in await conn.fetch(queries.POSTED[agreed, part is None], number, part)]


async def _published(conn: Connection, caller: Caller, number: UUID) -> tuple[UUID | None, bool, Envelope, Receipt]:
    """Return whose lines ``caller`` may see of a licence (None: everybody's), whether it is an agreement, what was
    signed, and its receipt; raises as `granted` does.
    """
    row = await conn.fetchrow(queries.VISIBLE, caller.account, number)
    if row is None:
        await refuse_unshown(conn, caller, number)
        raise NotFound("there is no such licence")
    receipt = await translog.receipt(conn, row["pending"])
    if receipt is None:
        raise Unavailable("the licence is not in the published log yet; ask again in a moment")
    evidence = await translog.evidence(conn, row["pending"])
    return row["part"], row["agreement"], envelopes.parse(evidence.envelope), receipt


async def refuse_unshown(conn: Connection, caller: Caller, licence: UUID) -> None:
    """Raise ``NotAllowed`` if ``caller`` has works in ``licence`` but a claim level at which that is not shown.

    They know of it already: what it made them owed names it.
    """
    level: int | None = await conn.fetchval(queries.UNSHOWN, caller.account, licence)
    if level is not None:
        name = identifiers.from_uuid("lic", licence)
        raise NotAllowed(f"how works of yours are used under {name} is shown from claim level 2 on; yours is {level}")


class Wanted(NamedTuple):
    """Which licences a list holds; None where it does not matter. ``active``: in force at this moment."""

    model: str | None = None
    version: str | None = None
    q: str | None = None
    active: bool | None = None


async def listed(conn: Connection, caller: Caller, asked: Asked, wanted: Wanted) -> Page[LicenceInfo]:
    """Return one page of the licences that ``caller`` holds, or that hold works of theirs.

    Where they only own works in it, works and totals are those of their own lines. Raises ``Invalid``.
    """
    rows, more = await page_of(conn, queries.LICENCES, asked, caller.account, *wanted)
    shown = ([row["id"] for row in rows], [row["part"] for row in rows])
    totals = await _signed_totals(conn, rows)
    works: Counter[UUID] = Counter({row["id"]: row["works"] for row in rows if row["id"] in totals})
    endings: dict[UUID, list[LicenceEnding]] = {row["id"]: [] for row in rows}
    for each in await conn.fetch(queries.ENDINGS, *shown):
        over = None if each["over_at"] is None else times.to_text(each["over_at"])
        endings[each["licence"]].append(LicenceEnding(each["works"], over))
    rest = [row for row in rows if row["id"] not in totals]
    totals |= {row["id"]: [] for row in rest}
    for each in await conn.fetch(queries.TOTALS, [row["id"] for row in rest], [row["part"] for row in rest]):
        works[each["licence"]] += each["works"]
        if each["currency"] is not None:
            totals[each["licence"]].append(Total(each["currency"], int(each["amount"]), each["works"]))
    items = [
        LicenceInfo(
            licence=identifiers.from_uuid("lic", row["id"]),
            organisation=identifiers.from_uuid("org", row["organisation"]),
            model=row["model"],
            version=row["version"],
            dataset=None if row["dataset"] is None else identifiers.from_uuid("dst", row["dataset"]),
            works=works[row["id"]],
            totals=totals[row["id"]],
            log_index=row["index"],
            issued_at=times.to_text(row["issued_at"]),
            valid_until=None if row["valid_until"] is None else times.to_text(row["valid_until"]),
            agreement=row["agreement"],
            revoked=endings[row["id"]],
        )
        for row in rows
    ]
    return Page(items, more)


async def _signed_totals(conn: Connection, rows: Sequence[Row]) -> dict[UUID, list[Total]]:
    """Return what was signed that the larger ones of licences cost that are shown whole.

    It is what their lines add up to, unless what they agreed is summed up otherwise.
    """
    whole = [row["id"] for row in rows if row["part"] is None and row["works"] > _MOST_ADDED and not row["agreement"]]
    if not whole:
        return {}
    return {
        row["id"]: envelopes.read_as(Licence, envelopes.parse(row["envelope"])).totals
        for row in await conn.fetch(queries.SIGNED, whole)
    }


def line_of(row: Row) -> LicenceLine:
    """Return a line as it was signed."""
    return LicenceLine(
        work=identifiers.from_uuid("wrk", row["work"]),
        account=identifiers.from_uuid(row["kind"], row["account"]),
        statement=identifiers.from_uuid("stm", row["statement"]),
        terms_hash=row["terms_hash"].hex(),
        atom=row["atom"],
        model=row["model"],
        currency=row["currency"],
        amount=row["amount"],
        match=row["match"],
        escrow=row["escrow"],
        agreed=agreed_of(row["agreed"]),
    )


def agreed_of(stored: str | None) -> Agreed | msgspec.UnsetType:
    """Return what a line that is ``stored`` says beside one amount."""
    return msgspec.UNSET if stored is None else msgspec.json.decode(stored, type=Agreed)


def _posted(row: Row) -> Posted:
    return Posted(
        account=identifiers.from_uuid(row["kind"], row["artist"]),
        currency=row["currency"],
        amount=money.to_decimal(int(row["amount"])),
        fee=money.to_decimal(int(row["fee"])),
        works=row["works"],
        escrow=row["escrow"],
        split=None if row["split"] is None else identifiers.from_uuid("spl", row["split"]),
    )
