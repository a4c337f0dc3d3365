"""What is payable is paid once, to where its owner said; what comes back is payable again; escrow is never paid."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from licet import identifiers, money, times
from licet.errors import InputError
from licet.wire.settlement import PayoutSet
from registry import ledger
from registry.accounts.identity import Caller
from registry.database import Database
from registry.errors import Conflict, Invalid, NotFound, StartError
from registry.settlement import banking, documents, escrow, pain, refunding, remitting, service, verification
from registry.settlement.sealing import Payee, seal, unseal
from tests.registry.settlement.bankfile import ACCOUNT, Booked, file, statement
from tests.registry.settlement.books import Office, account, balances, nothing_is_wrong, owe

pytestmark = pytest.mark.anyio
USD = money.MICRO
IBAN = "GB29NWBK60161331926819"
LONG_AGO = times.now() - timedelta(days=60)
NOW = times.to_text(times.now())[:7]
NAME = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, data=tmp_path, payout_minimum="5USD", payout_change_hold="0d")


async def payee(office: Office, name: str | None = "Mei Lin 林美") -> str:
    async with office.database.transaction() as conn:
        who = await account(conn, "art")
    if name is not None:
        caller = Caller(identifiers.to_uuid(who), "art", name, 2, frozenset(), identifiers.new_uuid(), times.now())
        await remitting.set_payout(office.services, caller, PayoutSet(name, "GB", IBAN))
    return who


async def earned(office: Office, who: str, amount: int, **given: Any) -> Any:
    async with office.database.transaction() as conn:
        return await owe(conn, await account(conn), amount, payee=who, **{"at": LONG_AGO, **given})


async def books(office: Office, who: str) -> dict[str, str]:
    async with office.database.acquire() as conn:
        await nothing_is_wrong(conn)
        found = await balances(conn)
    sides = {name.removesuffix(f":{who}"): amount for (name, _), amount in found.items() if name.endswith(f":{who}")}
    return {side: money.to_decimal(-amount) for side, amount in sides.items()}


async def prepare(office: Office) -> remitting.Prepared:
    return await remitting.prepare(office.services, NOW)


async def record(office: Office, name: str, *booked: Booked) -> list[banking.Recorded]:
    return await banking.record(office.services, file(statement(name, *booked)), f"{name}.xml")


async def test_what_is_payable_is_paid_once_and_held_while_it_can_be_contested(office: Office):
    mei = await payee(office)
    await earned(office, mei, 20 * USD + 1_234)
    await earned(office, mei, 7 * USD, at=times.now())
    await earned(office, mei, 50 * USD, side="escrow")
    prepared = await prepare(office)
    ((number, who, currency, amount),) = prepared.paid
    assert (who, currency, amount) == (mei, "USD", 20 * USD)
    assert await books(office, mei) == {"payable": "7.001234", "transit": "20", "escrow": "50"}
    assert (await prepare(office)).paid == []
    name = identifiers.from_uuid("rem", number)
    assert prepared.file is not None
    order = await remitting.order(office.services, prepared.file)
    assert order == await remitting.order(office.services, prepared.file)
    root = documents.read(order, pain.MESSAGE, "order.xml")
    said = {each.tag.removeprefix(NAME): each.text for each in root.iter() if len(each) == 0}
    assert (said["EndToEndId"], said["InstdAmt"]) == (name, "20")
    assert [each.text for each in root.iter(f"{NAME}Nm")][-1] == "Mei Lin 林美"
    assert [each.text for each in root.iter(f"{NAME}IBAN")] == [ACCOUNT, IBAN]
    took = Booked("20", reference="B1", credit=False, end_to_end=name)
    await record(office, "S1", took)
    await record(office, "S2", took)
    assert await books(office, mei) == {"payable": "7.001234", "escrow": "50"}
    (again,) = await record(office, "S3", Booked("20", reference="B2", credit=False, end_to_end=name))
    assert again.suspense == 1


@pytest.mark.parametrize("returned_first", [False, True])
async def test_what_comes_back_is_payable_again_once(office: Office, returned_first: bool):
    mei = await payee(office)
    await earned(office, mei, 20 * USD)
    ((number, *_),) = (await prepare(office)).paid
    name = identifiers.from_uuid("rem", number)
    took = Booked("20", reference="B1", credit=False, end_to_end=name)
    back = Booked("20", reference="B2", returned=True, end_to_end=name)
    for place, each in enumerate([back, took] if returned_first else [took, back]):
        await record(office, f"S{place}", each)
    assert await books(office, mei) == {"payable": "20"}
    (again,) = await record(office, "S3", Booked("20", reference="B3", returned=True, end_to_end=name))
    assert again.suspense == 1
    assert [amount for *_, amount in (await prepare(office)).paid] == [20 * USD]
    assert await books(office, mei) == {"transit": "20"}


async def entry_of(office: Office, key: str) -> str:
    async with office.database.acquire() as conn:
        (found,) = [each["entry"] for each in await service.entries(conn, suspense=True) if each["key"] == key]
        return str(found)


async def test_what_the_bank_keeps_of_a_remittance_is_the_registrys_to_bear(office: Office):
    mei = await payee(office)
    await earned(office, mei, 20 * USD)
    ((number, *_),) = (await prepare(office)).paid
    name = identifiers.from_uuid("rem", number)
    took = Booked("20.50", reference="B1", credit=False, end_to_end=name)  # with the charge for it
    back = Booked("12.25", reference="B2", returned=True, end_to_end="NOTPROVIDED", text="account closed")
    other = Booked("20", "EUR", reference="B3", returned=True, end_to_end=name)
    more = Booked("21", reference="B4", returned=True, end_to_end=name)
    for place, each in enumerate([took, back, other, more]):
        assert [each.suspense for each in await record(office, f"S{place}", each)] == [1]
    assert await books(office, mei) == {"transit": "20"}
    with pytest.raises(Invalid, match="remittance: expected one in EUR"):
        await banking.match(office.services, await entry_of(office, "B3"), remittance=name)
    with pytest.raises(Invalid, match="remittance: expected one of not less than 21, got '20'"):
        await banking.match(office.services, await entry_of(office, "B4"), remittance=name)
    with pytest.raises(NotFound, match="there is no remittance"):
        await banking.match(office.services, await entry_of(office, "B1"), remittance=identifiers.new_id("rem"))
    with pytest.raises(Invalid, match="expected one of"):
        await banking.match(office.services, await entry_of(office, "B1"), remittance=name, charges=True)
    assert await banking.match(office.services, await entry_of(office, "B1"), remittance=name) == USD // 2
    assert await books(office, mei) == {}
    assert await banking.match(office.services, await entry_of(office, "B2"), remittance=name) == 7_750_000
    assert await books(office, mei) == {"payable": "20"}
    async with office.database.acquire() as conn:
        assert (await balances(conn))["charges:bank", "USD"] == 8_250_000
    again = Booked("19", reference="B5", returned=True, end_to_end=name)
    await record(office, "S9", again)
    with pytest.raises(Conflict, match="came back already"):
        await banking.match(office.services, await entry_of(office, "B5"), remittance=name)
    assert [amount for *_, amount in (await prepare(office)).paid] == [20 * USD]
    assert await books(office, mei) == {"transit": "20"}
    async with office.database.transaction() as conn:
        await conn.execute("update bank_entries set amount = amount + 1 where key = 'B2'")
        assert any("what the bank kept" in each for each in await verification.rebuild(conn))
        await conn.execute("update bank_entries set amount = amount - 1 where key = 'B2'")


async def test_what_the_bank_never_took_is_taken_back_by_hand_once(office: Office):
    mei = await payee(office)
    await earned(office, mei, 20 * USD)
    prepared = await prepare(office)
    name = identifiers.from_uuid("rem", prepared.paid[0][0])
    await remitting.cancel(office.services, name, "the bank refused the order")
    assert await books(office, mei) == {"payable": "20"}
    with pytest.raises(Conflict, match="is cancelled"):
        await remitting.cancel(office.services, name, "again")
    with pytest.raises(NotFound):
        await remitting.order(office.services, prepared.file or identifiers.new_uuid())
    (late,) = await record(office, "S1", Booked("20", reference="B1", credit=False, end_to_end=name))
    assert late.suspense == 1
    assert len((await prepare(office)).paid) == 1


async def test_nobody_is_paid_without_details_or_to_new_ones_or_too_little(database: Database, tmp_path: Path):
    office = Office(database, data=tmp_path, payout_minimum="5USD", payout_change_hold="7d")
    some, nobody = await payee(office), await payee(office, None)
    for who in (some, nobody):
        await earned(office, who, 20 * USD)
    assert {(who, why.partition(",")[0]) for who, _, _, why in (await prepare(office)).waiting} == {
        (some, "payout details changed"),
        (nobody, "no payout details"),
    }
    small = Office(database, data=tmp_path, payout_minimum="21USD", payout_change_hold="0d")
    who = await payee(small)
    await earned(office, who, 20 * USD)
    assert (who, "USD", 20 * USD, "less than the minimum") in (await prepare(small)).waiting


async def test_a_charge_that_is_reversed_or_contested_is_not_paid_and_owed_back_if_it_was(office: Office):
    mei = await payee(office)
    first = await earned(office, mei, 20 * USD)
    second = await earned(office, mei, 30 * USD)
    name = identifiers.from_uuid("tra", second)
    await refunding.contest(office.services, name, "not our picture")
    await refunding.contest(office.services, name, "not our picture")
    assert await books(office, mei) == {"payable": "20", "escrow": "30"}
    with pytest.raises(Conflict, match="is contested"):
        await refunding.refund(office.services, name, "x")
    assert [amount for *_, amount in (await prepare(office)).paid] == [20 * USD]
    await refunding.decide(office.services, name, refunded=True)
    await refunding.decide(office.services, name, refunded=True)
    with pytest.raises(Conflict, match="it refunded"):
        await refunding.decide(office.services, name, refunded=False)
    assert await books(office, mei) == {"transit": "20"}
    await refunding.refund(office.services, identifiers.from_uuid("tra", first), "a mistake")
    assert await books(office, mei) == {"payable": "-20", "transit": "20"}
    await earned(office, mei, 23 * USD)
    assert (await prepare(office)).waiting == [(mei, "USD", 3 * USD, "less than the minimum")]
    with pytest.raises(Invalid, match="expected a charge"):
        await refunding.refund(office.services, identifiers.from_uuid("tra", await _refund_of(office, first)), "x")


async def _refund_of(office: Office, transfer: Any) -> Any:
    async with office.database.acquire() as conn:
        return await ledger.reversal(conn, transfer)


async def test_a_contested_charge_that_stands_is_paid_after_all(office: Office):
    mei = await payee(office)
    name = identifiers.from_uuid("tra", await earned(office, mei, 30 * USD))
    await refunding.contest(office.services, name, "not our picture")
    await refunding.decide(office.services, name, refunded=False)
    assert await books(office, mei) == {"payable": "30"}


async def test_escrow_that_nothing_is_known_of_stays(office: Office):
    mei = await payee(office)
    await earned(office, mei, 30 * USD, side="escrow")
    assert await escrow.settle(office.services, times.now() + timedelta(days=400)) == (0, 0)
    assert await books(office, mei) == {"escrow": "30"}


def test_sealed_details_open_with_their_key_and_row_alone(tmp_path: Path):
    who, row, mei = identifiers.new_uuid(), identifiers.new_uuid(), Payee("林美", "CN", "GB", iban=IBAN)
    sealed = seal(tmp_path / "keys", who, row, mei)
    assert IBAN.encode() not in sealed
    assert unseal(tmp_path / "keys", who, row, sealed) == mei
    assert (tmp_path / "keys" / "payouts.key").stat().st_mode & 0o077 == 0
    for wrong in ((row, row), (who, who)):
        with pytest.raises(StartError, match="expected the key that payout details were sealed with"):
            unseal(tmp_path / "keys", *wrong, sealed)


def test_an_order_is_valid_and_says_what_another_library_says():
    from sepaxml import SepaTransfer

    day = times.now().date()
    orders = [
        pain.Order(f"E{n}", Payee(name, "GB", iban=IBAN), "EUR", n * 10_000, "about")
        for n, name in enumerate(["Ana", "李明"], 123)
    ]
    ours = pain.write("M1", "Licet", ACCOUNT, orders, times.now(), day, transliterate=True)
    theirs = SepaTransfer({"name": "Licet", "IBAN": ACCOUNT, "batch": True, "currency": "EUR"}, "pain.001.001.09")
    for each in orders:
        theirs.add_payment(
            {"name": each.payee.name, "IBAN": each.payee.iban, "amount": each.amount // 10_000, "execution_date": day,
             "description": each.about, "endtoend_id": each.name}
        )  # fmt: skip
    names = ("EndToEndId", "InstdAmt", "IBAN", "Ustrd", "Nm", "NbOfTxs", "Cd", "ChrgBr", "ReqdExctnDt")

    def said(data: bytes) -> list[tuple[str, str]]:
        return [
            (tag, str(each.text).strip())
            for each in etree.fromstring(data).iter()
            if (tag := str(each.tag).partition("}")[2]) in names and len(each) == 0
        ]

    assert [each for each in said(ours) if each[0] != "InstdAmt"] == [
        each for each in said(theirs.export()) if each[0] != "InstdAmt"
    ]
    assert ("Nm", "Li Ming") in said(ours)


def test_orders_of_any_name_and_currency_are_valid():
    for currency, amount, text in (("JPY", 1234 * USD, "1234"), ("KWD", 1_234_000, "1.234"), ("USD", 10_000, "0.01")):
        order = pain.Order("E1", Payee("林美" * 100, "GB", iban=IBAN), currency, amount, "x" * 300)
        made = pain.write("M1", "登记处", ACCOUNT, [order], times.now(), times.now().date(), transliterate=False)
        assert f'Ccy="{currency}">{text}<'.encode() in made
    with pytest.raises(InputError, match="M1: line"):
        pain.write("M1", "", ACCOUNT, [], times.now(), times.now().date(), transliterate=False)
