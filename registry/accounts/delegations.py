"""The delegations that an account has given."""

from __future__ import annotations

from uuid import UUID

from licet import identifiers
from licet.money import to_decimal
from licet.statements import envelope as envelopes
from licet.statements.kinds import Delegation
from licet.wire.accounts import DelegationInfo
from licet.wire.common import Money, Page
from registry.accounts import queries
from registry.database import Connection, Row
from registry.http.paging import Asked, page_of


async def listed(conn: Connection, account: UUID, asked: Asked, keyid: str | None) -> Page[DelegationInfo]:
    """Return one page of the delegations that are in the log; raises ``Invalid`` naming the parameter."""
    rows, more = await page_of(conn, queries.DELEGATIONS, asked, account, keyid)
    return Page([_info(row) for row in rows], more)


def _info(row: Row) -> DelegationInfo:
    payload = envelopes.read_as(Delegation, envelopes.parse(row["envelope"]))
    return DelegationInfo(
        statement=identifiers.from_uuid("stm", row["id"]),
        keyid=payload.keyid,
        scope=payload.scope,
        works=payload.limit.works,
        budget=[Money(to_decimal(each.amount), each.currency) for each in payload.limit.budget],
        valid_until=payload.valid_until,
        log_index=row["index"],
    )
