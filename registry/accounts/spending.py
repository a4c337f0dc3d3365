"""What a token may charge in a month: a limit that whoever made it has set, held where charges are posted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from licet import money
from licet.wire.common import FieldError
from registry.accounts import queries
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.errors import Conflict, NotAllowed

CHARGING = frozenset({"license", "usage"})


class OverSpendLimit(Conflict):
    """The token would charge more in this month than it may; nothing was stored."""

    slug = "over-spend-limit"
    title = "Over the token's spend limit"


async def spend(conn: Connection, token: UUID | None, asked: Mapping[str, int], at: datetime) -> None:
    """The micro-units ``asked`` of each currency count against the limit of ``token``, in the month (UTC) of ``at``.

    What lowers a debt lowers what was spent, to nothing at least. A session's id, or a token without a limit, passes.
    Raises ``OverSpendLimit``. Whoever calls posts the charges in the same transaction.
    """
    if token is None or not any(asked.values()):
        return
    month = at.astimezone(UTC).strftime("%Y-%m")
    row = await conn.fetchrow(queries.LOCK_SPENDING, token, month)
    if row is None:
        return
    limit, code, spent = row["spend_limit"], row["spend_currency"], row["spent"]
    for currency, amount in sorted(asked.items()):
        most, before = (limit, spent) if currency == code else (0, 0)
        if amount > 0 and before + amount > most:
            raise _over(currency, most, before, amount)
    await conn.execute(queries.SPEND, token, month, max(0, spent + asked.get(code, 0)))


def hold_unlimited(caller: Caller, scopes: Iterable[str]) -> None:
    """Raise ``NotAllowed`` where a token with a limit would make one without, or one whose charges count apart."""
    if caller.limited and CHARGING.intersection(scopes):
        charging = " or ".join(sorted(CHARGING))
        raise NotAllowed(
            f"expected a token without a spend limit to make one with {charging}, got one that has a limit"
        )


def _over(currency: str, limit: int, spent: int, asked: int) -> OverSpendLimit:
    most, has, more = (money.written(each, currency) for each in (limit, spent, asked))
    return OverSpendLimit(
        f"expected at most {most} charged in a month by this token, got {has} charged and {more} more: "
        "nothing was stored; send it again with another token, or next month",
        errors=[FieldError("", f"at most {most} a month", f"{has} charged and {more} more")],
    )
