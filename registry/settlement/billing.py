"""A month's invoices: everything that is owed up to its end, and payments that waited for them."""

from __future__ import annotations

from uuid import UUID

import structlog

from licet import identifiers, times
from registry.database import FATAL
from registry.errors import Invalid, NotFound
from registry.observing.meters import count_once_committed
from registry.services import Services
from registry.settlement import queries
from registry.settlement.banking import look_again
from registry.settlement.invoicing import PREFIX, Issued, issue_to

log = structlog.get_logger("registry.settlement")


async def issue(
    services: Services, period: str, *, organisation: UUID | None = None, small: bool = False
) -> list[Issued]:
    """Everything owed by transfers up to the end of ``period`` is invoiced; what was issued now is returned.

    An amount below the setting's minimum waits for the next, unless ``small``. Doing it again issues nothing. An
    organisation that cannot be invoiced is logged and counted, and waits; the others are not kept from theirs, unless
    it alone was asked for. Raises ``Invalid`` for a ``period`` that is no month.
    """
    now = times.now()
    if not is_month(period) or period > times.to_text(now)[:7]:
        raise Invalid.field("period", "a month that has begun, such as 2026-11", period)
    async with services.database.transaction() as conn:
        await conn.execute(queries.LOCK)
        if organisation is None:
            found = [row["name"] for row in await conn.fetch(queries.DEBTORS)]
        elif await conn.fetchval(queries.ORGANISATION, organisation) is None:
            raise NotFound("there is no such organisation")
        else:
            found = [PREFIX + identifiers.from_uuid("org", organisation)]
        issued: list[Issued] = []
        for name in found:
            try:
                async with conn.transaction():  # a savepoint: what fails of one takes nothing from the others
                    made = await issue_to(services, conn, name, period, now, small=small)
            except FATAL:
                raise
            except Exception:
                if organisation is not None:
                    raise
                log.exception("invoices.failed", account=name, period=period)
                count_once_committed("licet_invoices_failed_total")
                continue
            issued += made
        await look_again(conn, now)  # whoever paid before
        return issued


def is_month(text: str) -> bool:
    """Return whether ``text`` is a month such as 2026-11."""
    year, _, month = text.partition("-")
    return text.isascii() and len(text) == 7 and year.isdigit() and month.isdigit() and 1 <= int(month) <= 12
