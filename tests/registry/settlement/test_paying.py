"""Invoices are paid by what the bank booked, in part and beyond, once, and what nobody can tell is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from licet import identifiers, money, times
from registry import ledger
from registry.database import Database
from registry.errors import Conflict, Invalid
from registry.settlement import banking, billing, invoicing, queries, service
from registry.settlement.references import is_reference, reference
from tests.registry.settlement.bankfile import ACCOUNT, Booked, file, statement
from tests.registry.settlement.books import Office, account, balances, nothing_is_wrong, owe

pytestmark = pytest.mark.anyio
USD = money.MICRO
BANK = f"bank:{ACCOUNT.lower()}"
SUSPENSE = f"suspense:{ACCOUNT.lower()}"
NOW = times.to_text(times.now())[:7]


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


async def debtor(office: Office, *amounts: int, currency: str = "USD") -> str:
    async with office.database.transaction() as conn:
        organisation = await account(conn)
        for amount in amounts:
            await owe(conn, organisation, amount, currency)
    return organisation


async def issue(office: Office, **wanted: Any) -> list[invoicing.Issued]:
    return await billing.issue(office.services, NOW, **wanted)


async def record(office: Office, name: str, *booked: Booked) -> list[banking.Recorded]:
    return await banking.record(office.services, file(statement(name, *booked)), f"{name}.xml")


async def states(office: Office) -> list[tuple[int, str, str]]:
    async with office.database.acquire() as conn:
        rows = await conn.fetch(f"select * from ({queries._INVOICE}) i order by number")
        await nothing_is_wrong(conn)
    return [(row["number"], row["state"], money.to_decimal(int(row["paid"]))) for row in rows]


async def books(office: Office) -> dict[tuple[str, str], int]:
    async with office.database.acquire() as conn:
        found = await balances(conn)
    return {place: amount for place, amount in found.items() if not place[0].startswith("payable:")}


async def test_what_is_owed_is_invoiced_once_in_whole_cents(office: Office):
    lantern = await debtor(office, 10 * USD + 3_456, 5_000)
    (first,) = await issue(office)
    assert (first.number, first.kind, first.due) == (1, "invoice", 10_000_000)
    assert is_reference(first.reference)
    assert await issue(office) == []
    async with office.database.transaction() as conn:
        await owe(conn, lantern, 7_000)
    (second,) = await issue(office)  # 0.003456 + 0.005 were left of the first
    assert (second.number, second.due) == (2, 10_000)
    async with office.database.acquire() as conn:
        shown = await service.shown(conn, None, second.id)
        assert (shown.invoice.total, shown.invoice.carried_in, shown.invoice.carried_out) == (
            "0.007",
            "0.008456",
            "0.005456",
        )
        await nothing_is_wrong(conn)


async def test_what_is_less_than_the_minimum_waits(database: Database):
    office = Office(database, invoice_minimum="5USD")
    lantern = await debtor(office, 3 * USD)
    assert await issue(office) == []
    async with office.database.transaction() as conn:
        await owe(conn, lantern, 2 * USD)
        await owe(conn, lantern, 1 * USD, "EUR")
    assert [(each.currency, each.due) for each in await issue(office)] == [("EUR", USD), ("USD", 5 * USD)]
    async with office.database.transaction() as conn:
        await owe(conn, lantern, 1 * USD)
    assert len(await issue(office, small=True)) == 1


async def test_months_to_come_are_not_invoiced_and_later_ones_wait(office: Office):
    lantern = await debtor(office, USD)
    with pytest.raises(Invalid, match="period: expected a month that has begun"):
        await billing.issue(office.services, "2126-01")
    last = times.to_text(times.now().replace(day=1) - timedelta(days=1))[:7]
    assert await billing.issue(office.services, last) == []
    async with office.database.transaction() as conn:
        await owe(conn, lantern, 2 * USD, at=times.now().replace(day=1) - timedelta(days=1))
    assert [each.due for each in await billing.issue(office.services, last)] == [2 * USD]


async def test_a_payment_pays_once_in_part_wholly_and_beyond(office: Office):
    lantern = await debtor(office, 10 * USD)
    (invoice,) = await issue(office)
    part = Booked("4", reference="A1", structured=[invoice.reference])
    assert (await record(office, "S1", part))[0].new == 1
    assert await states(office) == [(1, "partly-paid", "4")]
    assert (await record(office, "S1", part))[0][1:] == (0, 1, 0)
    assert (await record(office, "S2", part))[0][1:] == (0, 1, 0)  # told of twice by the bank
    assert await states(office) == [(1, "partly-paid", "4")]
    await record(office, "S3", Booked("9", reference="A2", text=f"rest of {invoice.reference}"))
    assert await states(office) == [(1, "paid", "10")]
    assert await books(office) == {(BANK, "USD"): 13 * USD, (f"receivable:{lantern}", "USD"): -3 * USD}
    async with office.database.transaction() as conn:
        await owe(conn, lantern, 5 * USD)
    await issue(office)  # what stood to its credit pays of the next
    assert await states(office) == [(1, "paid", "10"), (2, "partly-paid", "3")]


async def test_one_payment_pays_several_invoices(office: Office):
    lantern = await debtor(office, 10 * USD)
    await issue(office)
    async with office.database.transaction() as conn:
        await owe(conn, lantern, 5 * USD)
    await issue(office)
    await record(office, "S1", Booked("14", reference="A", structured=[reference(2), reference(1)]))
    assert await states(office) == [(1, "paid", "10"), (2, "partly-paid", "4")]


async def test_what_nobody_can_tell_is_kept_listed_and_matched_later(office: Office):
    lantern = await debtor(office, 10 * USD)
    await issue(office)
    beacon = await debtor(office, 10 * USD)
    await issue(office)
    (recorded,) = await record(
        office,
        "S1",
        Booked("1", reference="A1"),
        Booked("2", reference="A2", structured=[reference(99)]),
        Booked("3", reference="A3", structured=[reference(1), reference(2)]),
        Booked("4", "EUR", reference="A4", structured=[reference(1)]),
        Booked("5", reference="A5", credit=False),
        Booked("6", reference="A6", credit=False, reversal=True, end_to_end="E9"),
    )
    assert recorded.suspense == 6
    async with office.database.acquire() as conn:
        waiting = {each["key"]: each for each in await service.entries(conn, suspense=True)}
        await nothing_is_wrong(conn)
    assert {key: each["suspense"] for key, each in waiting.items()} == {
        "A1": "no-reference",
        "A2": "unknown-reference",
        "A3": "several-payers",
        "A4": "currency",
        "A5": "unknown-debit",
        "A6": "unknown-return",
    }
    assert (await books(office))[SUSPENSE, "USD"] == 5 * USD
    assert (await books(office))[SUSPENSE, "EUR"] == -4 * USD
    await banking.match(office.services, waiting["A1"]["entry"], invoices=["1"])
    await banking.match(office.services, waiting["A2"]["entry"], organisation=lantern)
    await banking.match(office.services, waiting["A3"]["entry"], invoices=[reference(2)])
    await banking.match(office.services, waiting["A5"]["entry"], charges=True)
    with pytest.raises(Invalid, match="an invoice in EUR, the payment's currency, got 'USD'"):
        await banking.match(office.services, waiting["A4"]["entry"], invoices=["1"])
    with pytest.raises(Conflict, match="not in suspense"):
        await banking.match(office.services, waiting["A1"]["entry"], invoices=["1"])
    assert [(number, paid) for number, _, paid in await states(office)] == [(1, "3"), (2, "3")]
    found = await books(office)
    assert found[SUSPENSE, "USD"] == 6 * USD
    assert found["charges:bank", "USD"] == 5 * USD
    assert found[f"receivable:{lantern}", "USD"] + found[f"receivable:{beacon}", "USD"] == 14 * USD


async def test_a_payment_that_is_taken_back_is_taken_back_once_whichever_comes_first(office: Office):
    lantern = await debtor(office, 10 * USD)
    await issue(office)
    paid = Booked("10", reference="A1", structured=[reference(1)], end_to_end="E1")
    back = Booked("10", reference="A2", credit=False, returned=True, end_to_end="E1")
    again = Booked("10", reference="A3", credit=False, reversal=True, end_to_end="E1")
    await record(office, "S2", back)
    assert await states(office) == [(1, "open", "0")]
    await record(office, "S1", paid)
    assert await states(office) == [(1, "open", "0")]
    assert await books(office) == {(f"receivable:{lantern}", "USD"): 10 * USD}
    (recorded,) = await record(office, "S3", again)  # nothing is left that it could take back
    assert recorded.suspense == 1
    await record(office, "S4", Booked("10", reference="A4", structured=[reference(1)]))
    assert await states(office) == [(1, "paid", "10")]


async def test_a_statement_or_entry_with_other_content_is_refused_by_name_and_nothing_of_its_file_is_kept(
    office: Office,
):
    await record(office, "S1", Booked("1", reference="A1"))
    with pytest.raises(Conflict, match=f"statement S1 of {ACCOUNT} was recorded with other content"):
        await record(office, "S1", Booked("2", reference="A1"))
    with pytest.raises(Conflict, match=r"entry A1 of .* was recorded with other content"):
        await record(office, "S2", Booked("7", reference="A9"), Booked("2", reference="A1"))
    with pytest.raises(Invalid, match=r"S3.xml: line 4: statement S3: expected a statement of DE89.*, got one of 12"):
        await banking.record(office.services, file(statement("S3", account="12")), "S3.xml")
    assert await books(office) == {(BANK, "USD"): USD, (SUSPENSE, "USD"): -USD}


async def test_a_reversal_of_what_was_invoiced_is_a_credit_note_that_pays(office: Office):
    async with office.database.transaction() as conn:
        lantern = await account(conn)
        transfer = await owe(conn, lantern, 4 * USD)
        await owe(conn, lantern, 6 * USD)
    (invoice,) = await issue(office)
    async with office.database.transaction() as conn:
        await ledger.reverse(conn, transfer, key="refund", at=times.now(), source="lic_refund")
    (note,) = await issue(office)
    assert (note.number, note.kind, note.due) == (2, "credit-note", -4 * USD)
    assert await states(office) == [(1, "partly-paid", "4"), (2, "used", "-4")]
    await record(office, "S1", Booked("6", reference="A", structured=[invoice.reference]))
    assert await states(office) == [(1, "paid", "10"), (2, "used", "-4")]
    assert (await books(office)) == {(BANK, "USD"): 6 * USD}


async def test_a_payment_by_hand_is_recorded_once_for_its_reference(office: Office):
    lantern = await debtor(office, 10 * USD)
    await issue(office)
    given: dict[str, Any] = {"reference": "cash 1", "reason": "paid at the counter"}
    first = await banking.record_by_hand(office.services, lantern, 4 * USD, "USD", **given)
    assert await banking.record_by_hand(office.services, lantern, 4 * USD, "USD", **given) == first
    with pytest.raises(Conflict, match="entry cash 1 of MANUAL was recorded with other content"):
        await banking.record_by_hand(office.services, lantern, 5 * USD, "USD", **given)
    with pytest.raises(Invalid, match="an invoice in EUR"):
        await banking.record_by_hand(
            office.services, lantern, 4 * USD, "EUR", reference="x", reason="y", invoices=["1"]
        )
    assert await states(office) == [(1, "partly-paid", "4")]
    assert identifiers.from_uuid("pay", first)


async def test_one_debtor_that_cannot_be_invoiced_keeps_nobody_from_an_invoice(office: Office):
    fine, beyond = await debtor(office, 5 * USD), await debtor(office, *[money.LARGEST] * 1030)
    also = await debtor(office, 7 * USD)
    issued = await issue(office)
    assert {identifiers.from_uuid("org", each.organisation) for each in issued} == {fine, also}
    assert [each.number for each in issued] == [1, 2]  # without a gap
    with pytest.raises(asyncpg.DataError):
        await issue(office, organisation=identifiers.to_uuid(beyond))
    assert await issue(office) == []
