"""Whatever the bank says, in whatever order and how often: the ledger is what a plain model of payments says."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from licet import money, times
from registry.settlement import banking, billing
from registry.settlement.references import reference
from tests.registry.settlement.bankfile import ACCOUNT, Booked, file, statement
from tests.registry.settlement.books import Kept, Office, account, balances, nothing_is_wrong, owe

BANK, SUSPENSE = f"bank:{ACCOUNT.lower()}", f"suspense:{ACCOUNT.lower()}"

#: (invoice 1 to 3, or none that exists; amount in cents; EUR instead of USD; taken back)
PAYMENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 2_000), st.booleans(), st.booleans()), min_size=1, max_size=6
)


def test_balances_are_what_a_plain_model_says(conn: tuple[asyncio.Runner, Any]) -> None:
    runner, opened = conn

    @settings(max_examples=25, deadline=None)
    @given(payments=PAYMENTS, data=st.data())
    def holds(payments: list[tuple[int, int, bool, bool]], data: st.DataObject) -> None:
        booked: list[Booked] = []
        expected: dict[tuple[str, str], int] = defaultdict(int)
        for number, (invoice, cents, euros, back) in enumerate(payments):
            currency = "EUR" if euros else "USD"
            amount = f"{cents // 100}.{cents % 100:02d}"
            named = [reference(invoice)] if invoice else []
            booked.append(Booked(amount, currency, reference=f"P{number}", structured=named, end_to_end=f"E{number}"))
            if back:
                booked.append(
                    Booked(
                        amount, currency, credit=False, reference=f"R{number}", reversal=True, end_to_end=f"E{number}"
                    )
                )
                continue
            expected[BANK, currency] += cents
            told = invoice and not euros
            expected[f"receivable:{1 + (invoice == 3)}" if told else SUSPENSE, currency] -= cents
        files = data.draw(st.permutations(booked))
        cut = data.draw(st.integers(0, len(files)))
        parts = [files[:cut], files[cut:]]
        sent = [*data.draw(st.lists(st.sampled_from([0, 1]), max_size=3)), 0, 1]
        early = data.draw(st.booleans())  # paid before it was invoiced
        runner.run(played(opened, parts, sent, expected, early=early))

    holds()


async def played(
    opened: Any, parts: list[list[Booked]], sent: list[int], expected: dict[tuple[str, str], int], *, early: bool
) -> None:
    outer = opened.transaction()
    await outer.start()
    try:
        office = Office(Kept(opened))
        names = [await account(opened), await account(opened)]
        expected = dict(expected)
        month = times.to_text(times.now())[:7]
        if early and parts[0]:
            await send(office, parts, 0)
        for payer, amount in ((0, 5), (0, 7), (1, 11)):
            await owe(opened, names[payer], amount * money.MICRO)
            await billing.issue(office.services, month)
        for place in sent:
            if parts[place]:
                await send(office, parts, place)
        found = await balances(opened)
        await nothing_is_wrong(opened)
        owed = {f"receivable:{names[0]}": 12 * money.MICRO, f"receivable:{names[1]}": 11 * money.MICRO}
        wanted = {("payable:art_x", "USD"): -23 * money.MICRO}
        for (side, currency), cents in expected.items():
            against = f"receivable:{names[int(side[-1]) - 1]}" if side.startswith("receivable") else side
            wanted[against, currency] = wanted.get((against, currency), 0) + cents * 10_000
        for name, amount in owed.items():
            wanted[name, "USD"] = wanted.get((name, "USD"), 0) + amount
        assert found == {place: amount for place, amount in wanted.items() if amount}
    finally:
        await outer.rollback()


async def send(office: Office, parts: list[list[Booked]], place: int) -> None:
    await banking.record(office.services, file(statement(f"S{place}", *parts[place])), "bank.xml")
