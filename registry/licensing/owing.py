"""How much one organisation may owe in one currency before it pays.

Sums of a month are kept in 64 bits. Without a bound a thousand charges of the largest amount would be beyond them, and
no month would close any more, for nobody. What is refused leaves nothing behind: who was refused pays, and sends the
same again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from licet import money
from licet.wire.common import FieldError
from registry import ledger
from registry.accounts.spending import spend
from registry.database import Connection
from registry.errors import Conflict
from registry.ledger import Transfer
from registry.licensing.types import Posting

AT_CLOSE: Final = 2 * money.LARGEST
"""What agreements may take it to when a month closes, in micro-units: more than any limit that can be set, so that
what was reported in time is not left out because of what was used since."""


class OverLimit(Conflict):
    """The organisation would owe more than one may; nothing was stored."""

    slug = "over-limit"
    title = "Over the limit of what may be owed"

    def __init__(self, currency: str, limit: int, owed: int, asked: int) -> None:
        most, has, more = (money.written(each, currency) for each in (limit, owed, asked))
        super().__init__(
            f"expected at most {most} owed at a time, got {has} owed and {more} more: "
            "nothing was stored; pay what is owed, or ask the registry for a higher limit, and send it again",
            errors=[FieldError("", f"at most {most} owed", f"{has} owed and {more} more")],
        )


async def hold(conn: Connection, posting: Posting, transfers: Sequence[Transfer]) -> None:
    """Return only if the licensee owes at most the limit of ``posting`` in each currency once ``transfers`` are posted.

    They count against the limit of its token. Whoever calls lets nobody else charge the organisation meanwhile, or
    charges it at a close. Raises ``OverLimit``, ``OverSpendLimit``.
    """
    account = f"receivable:{posting.licensee}"
    asked: dict[str, int] = defaultdict(int)
    for transfer in transfers:
        for entry in transfer.entries:
            if entry.account == account:
                asked[entry.currency] += entry.amount
    await hold_sums(conn, posting.licensee, asked, posting.limit)
    await spend(conn, posting.token, asked, posting.at)


async def hold_sums(conn: Connection, licensee: str, asked: Mapping[str, int], limit: int) -> None:
    """Do the same for micro-units that are ``asked`` of each currency; what lowers a debt is never refused."""
    account = f"receivable:{licensee}"
    if not any(amount > 0 for amount in asked.values()):
        return
    owed = await ledger.balances(conn, [account])
    for currency, amount in sorted(asked.items()):
        before = owed.get((account, currency), 0)
        if amount > 0 and before + amount > limit:
            raise OverLimit(currency, limit, before, amount)
