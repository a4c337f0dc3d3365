"""Sums are exact: the fees of single uses add up to the fee of the transfer, for one payee with very many uses too."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import identifiers
from licet.statements.kinds import Event
from registry import ledger
from registry.database import Database
from registry.licensing import accrual
from registry.licensing.types import Accrual, Posting

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
ARTIST = identifiers.new_uuid()
PAYEE = identifiers.from_uuid("art", ARTIST)
LICENCE = identifiers.new_id("lic")


def accrued(number: int, amount: int, fee_bps: int, *, currency: str = "USD", escrow: bool = False) -> Accrual:
    event = Event(
        id=sha256(number.to_bytes(8, "big")).hexdigest(),
        licence=LICENCE,
        statement=None,
        work=identifiers.new_id("wrk"),
        atom="train-gen",
        run="2",
        unit="run",
        seq=0,
        quantity=1,
        at="2026-11-22T12:00:00.000Z",
        match="exact",
    )
    return Accrual(accrual.read(event), ARTIST, PAYEE, currency, amount, fee_bps, escrow)


@given(
    st.lists(st.tuples(st.integers(0, 2**45), st.sampled_from([0, 1, 999, 1000, 10_000])), max_size=40), st.randoms()
)
def test_fees_of_single_uses_add_up_to_the_floor_of_the_whole_in_whatever_order_they_come(uses, random):
    accruals = [accrued(number, amount, bps) for number, (amount, bps) in enumerate(uses)]
    fees = accrual.spread(accruals)
    for bps in {bps for _, bps in uses}:
        gross = sum(amount for amount, own in uses if own == bps)
        assert sum(fees[each.reported.id] for each in accruals if each.fee_bps == bps) == gross * bps // 10_000
    assert all(0 <= fees[each.reported.id] <= each.amount for each in accruals)
    random.shuffle(accruals)
    assert accrual.spread(accruals) == fees


@pytest.mark.anyio
async def test_one_payee_with_thousands_of_uses_gets_one_transfer_per_currency_and_standing(database: Database):
    lantern = identifiers.new_id("org")
    number = identifiers.to_uuid(lantern)
    posting = Posting(identifiers.new_id("bat"), number, lantern, identifiers.new_uuid(), AT, 10**15)
    hot = [accrued(number, 1, 1000) for number in range(4_999)]
    rest = [accrued(5_000, 7, 1000, escrow=True), accrued(5_001, 3, 1000, currency="JPY"), accrued(5_002, 0, 1000)]
    async with database.transaction() as conn:
        await accrual.post(conn, posting, [*hot, *rest])
    async with database.acquire() as conn:
        assert await ledger.balances(
            conn, [f"payable:{PAYEE}", f"escrow:{PAYEE}", f"receivable:{lantern}", "fee:registry"]
        ) == {
            (f"escrow:{PAYEE}", "USD"): -7,
            (f"payable:{PAYEE}", "USD"): -4_500,
            (f"payable:{PAYEE}", "JPY"): -3,
            (f"receivable:{lantern}", "USD"): 5_006,
            (f"receivable:{lantern}", "JPY"): 3,
            ("fee:registry", "USD"): -499,
        }
        assert await conn.fetchval("select count(*) from transfers") == 3
        assert await conn.fetchval("select sum(fee) from usage_events") == 499
        assert await ledger.rebuild(conn) == []
