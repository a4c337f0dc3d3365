"""What waits is nobody's: it is posted or voided once, by new transfers; a posted one is reversed as others are."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from registry import ledger
from registry.database import Connection, Database
from registry.errors import Conflict, NotFound
from registry.ledger import Entry, Transfer

pytestmark = pytest.mark.anyio
AT = datetime(2024, 3, 5, 12, tzinfo=UTC)
NAMES = ("receivable:org_x", "payable:art_a", "pending:receivable_org_x", "pending:payable_art_a")
ENTRIES = (
    Entry("receivable:org_x", "USD", 100),
    Entry("payable:art_a", "USD", -100),
    Entry("receivable:org_x", "CNY", 7),
    Entry("payable:art_a", "CNY", -7),
)


async def held(conn: Connection) -> UUID:
    assert await ledger.pend(conn, [Transfer("p", "usage", AT, "lic_x", ENTRIES)]) == ["p"]
    assert await ledger.pend(conn, [Transfer("p", "usage", AT, "lic_x", ENTRIES)]) == []
    found: UUID = await conn.fetchval("select id from transfers where key = 'p'")
    return found


async def balance(conn: Connection) -> dict[tuple[str, str], int]:
    return {place: amount for place, amount in (await ledger.balances(conn, NAMES)).items() if amount}


async def test_what_waits_is_owed_to_nobody_until_it_is_posted_and_then_once(database: Database):
    async with database.transaction() as conn:
        pending = await held(conn)
        assert set(await balance(conn)) == {(name, each) for name in NAMES[2:] for each in ("USD", "CNY")}
        posted = await ledger.post_pending(conn, pending, kind="usage", key="k", at=AT, source="lic_x")
        assert await balance(conn) == {(each.account, each.currency): each.amount for each in ENTRIES}
        assert await ledger.post_pending(conn, pending, kind="usage", key="k", at=AT, source="lic_x") == posted
        for again in ("k2", "p"):
            with pytest.raises(Conflict, match="posted already"):
                await ledger.post_pending(conn, pending, kind="usage", key=again, at=AT, source="lic_x")
        with pytest.raises(Conflict, match="posted already"):
            await ledger.void(conn, pending, key="v", at=AT, source="lic_x")
        await ledger.reverse(conn, posted, key="r", at=AT, source="lic_x")
        assert await balance(conn) == {}
        assert await ledger.rebuild(conn) == []


async def test_what_is_voided_leaves_nothing_and_is_never_posted(database: Database):
    async with database.transaction() as conn:
        pending = await held(conn)
        with pytest.raises(Conflict, match="never reversed"):
            await ledger.reverse(conn, pending, key="r", at=AT, source="lic_x")
        with pytest.raises(Conflict, match="belongs to another"):
            await ledger.void(conn, pending, key="p", at=AT, source="lic_x")
        gone = await ledger.void(conn, pending, key="v", at=AT, source="lic_x")
        assert await ledger.void(conn, pending, key="v", at=AT, source="lic_x") == gone
        assert await balance(conn) == {}
        with pytest.raises(Conflict, match="voided already"):
            await ledger.post_pending(conn, pending, kind="usage", key="k", at=AT, source="lic_x")
        with pytest.raises(NotFound):
            await ledger.void(conn, gone, key="w", at=AT, source="lic_x")
        with pytest.raises(InputError, match="not pending ones"):
            twice = (Entry("pending:a_x", "USD", 1), Entry("fee:registry", "USD", -1))
            await ledger.pend(conn, [Transfer("q", "usage", AT, "lic_x", twice)])
        assert await ledger.rebuild(conn) == []


@given(st.integers(0, 2**53), st.dictionaries(st.sampled_from(NAMES), st.integers(0, 10**6), min_size=1))
def test_a_division_gives_everything_away_and_less_than_a_unit_each_to_the_residue(amount, weights):
    if not any(weights.values()):
        with pytest.raises(InputError):
            ledger.divided(amount, weights)
        return
    parts = ledger.divided(amount, weights)
    assert sum(parts.values()) == amount
    assert parts.get(ledger.RESIDUE, 0) < len(weights)
    total = sum(weights.values())
    assert all(parts.get(name, 0) == amount * weight // total for name, weight in weights.items())
