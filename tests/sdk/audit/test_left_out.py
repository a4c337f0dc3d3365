"""What a close left out is charged by a later one, whole, once and for its own month; a vector for each way to lie."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from licet import identifiers
from licet.audit import verify_bundle
from licet.audit.layout import BundleLeftOut
from licet.audit.tables import LedgerRow
from tests.sdk.audit.stage import Records, identifier
from tests.sdk.audit.test_allotted import AgreedStage
from tests.sdk.audit.test_closed_bundle import refused

TAKEN, AGREED = identifier("lic", "taken"), identifier("lic", "agreed")
Counts = tuple[int | msgspec.UnsetType, int | msgspec.UnsetType]
change = msgspec.structs.replace


class LateStage(AgreedStage):
    """Two works at ten dollars that the close of October left out, and that of November charged."""

    left_out: Counts = (1, 0)

    def _reverse(self, time: str) -> None:
        super()._reverse(time)
        self.charge("taken", "Mei", 20_000_000, "escrow", month="2026-10")

    def records(self, period: str = "2026-11") -> Records:
        found = super().records(period)
        if period == "2026-11":
            found.left_out = [BundleLeftOut(TAKEN, "2026-10", "2026-11-03T09:00:00.000Z", "2026-11")]
        return found

    def part(self, name: str) -> Records:
        found = super().part(name)
        found.left_out = self.records().left_out if name == "Mei" else []
        return found


@pytest.fixture(scope="module")
def over() -> LateStage:
    return LateStage()


@pytest.mark.parametrize("who", [None, "Mei"])
def test_what_was_left_out_is_computed_for_its_own_month(over: LateStage, tmp_path: Path, who: str | None) -> None:
    report = verify_bundle(over.write(over.closed(who), tmp_path / "b.zip"), over.trust)
    said = {check.name: check.detail for check in report.checks}["allocations"]
    assert "; 1 charge of months before that their closes had left out" in said


def late(records: Records) -> int:
    (place,) = [at for at, (transfer, _) in enumerate(records.transfers) if transfer.memo == "2026-10"]
    return place


def dropped(records: Records) -> None:
    records.transfers.pop(late(records))


def doubled(records: Records) -> None:
    transfer, rows = records.transfers[late(records)]
    number = identifiers.from_uuid("tra", UUID(int=10**6))
    records.transfers.append((change(transfer, transfer=number), [change(row, transfer=number) for row in rows]))


def of_month(month: str) -> Callable[[Records], None]:
    def moved(records: Records) -> None:
        place = late(records)
        transfer, rows = records.transfers[place]
        key = transfer.key.replace("2026-10", month)
        records.transfers[place] = (change(transfer, memo=month, key=key), rows)

    return moved


def smaller(records: Records) -> None:
    place = late(records)
    transfer, rows = records.transfers[place]
    by = {"receivable": -1_000_000, "escrow": 876_600, "fee": 123_400}
    moved: list[LedgerRow] = [change(row, amount=row.amount + by[row.account.partition(":")[0]]) for row in rows]
    records.transfers[place] = (transfer, moved)


def listed(*rows: BundleLeftOut) -> Callable[[Records], None]:
    def said(records: Records) -> None:
        records.left_out = [*rows]

    return said


def without_the_close_of_october(records: Records) -> None:
    records.statements = [each for each in records.statements if each[1] != identifier("stm", "october")]


SINCE = "2026-11-03T09:00:00.000Z"
ROW = BundleLeftOut(TAKEN, "2026-10", SINCE, "2026-11")
LIES: dict[str, tuple[Callable[[Records], None], str]] = {
    "the late charge is dropped": (dropped, "expected 20000000 micro-units of USD .* got 0"),
    "the late charge is doubled": (doubled, "expected 20000000 micro-units of USD .* got 40000000"),
    "the late charge is for another month": (of_month("2026-09"), "that was left out, got one for 2026-09"),
    "the late charge is for this month": (of_month("2026-11"), "expected 20000000 .* got 0|expected 10000000 .* got 3"),
    "the late charge is for a month to come": (of_month("2026-12"), "at the close of 2026-11"),
    "the late charge is for no month": (of_month("2026-13"), "at the close of 2026-11"),
    "a part of the late charge": (smaller, "expected 20000000 micro-units of USD .* got 19000000"),
    "it is not listed": (listed(), "that was left out, got one for 2026-10"),
    "it is said to wait still": (listed(change(ROW, posted=None)), "expected no charge of what was left out"),
    "it was posted in another month": (listed(change(ROW, posted="2026-10")), "posted at the close of 2026-11"),
    "it is listed twice": (listed(ROW, ROW), "once, in order"),
    "it is of an agreement that is not here": (
        listed(ROW, change(ROW, licence=identifier("lic", "nothing"))), "in order|an agreement that is here"),
    "the close that left it out is not here": (without_the_close_of_october, "expected the close of 2026-09"),
    "what was charged is said to be left out": (
        listed(BundleLeftOut(TAKEN, "2026-10", SINCE, "2026-11"), BundleLeftOut(TAKEN, "2026-11", SINCE, None)),
        "expected no charge of what was left out"),
    "a charge of this month that is left out, and not said to be": (
        lambda records: records.transfers.pop(own(records)) and None, "expected 20000000 micro-units"),
}  # fmt: skip


def own(records: Records) -> int:
    return next(at for at, (each, _) in enumerate(records.transfers) if each.key.startswith(f"{AGREED}/2026-11/"))


@pytest.mark.parametrize("lie", LIES)
def test_a_late_charge_that_lies(over: LateStage, tmp_path: Path, lie: str) -> None:
    make, said = LIES[lie]
    records = over.closed()
    make(records)
    records.transfers.sort(key=lambda each: each[0].at)
    message = refused(over, over.write(records, tmp_path / "b.zip"), "allocations")
    assert re.search(said, message), message


def saying(october: int | msgspec.UnsetType, november: int | msgspec.UnsetType) -> LateStage:
    """The same months, whose closes say that they left out so many charges."""

    class Saying(LateStage):
        left_out: Counts = (october, november)

    return Saying()


@pytest.mark.parametrize("who", [None, "Mei"])
def test_no_charge_is_called_left_out_that_the_close_did_not_count(tmp_path: Path, who: str | None) -> None:
    over = saying(0, 0)
    message = refused(over, over.write(over.closed(who), tmp_path / "b.zip"), "allocations")
    assert re.search("expected (at most )?0 charges that the close of 2026-10 left out, got 1", message), message
    message = refused(over, over.write(over.records(), tmp_path / "open.zip"), "allocations")  # of the open month
    assert "expected 0 charges that the close of 2026-10 left out, got 1" in message


def test_what_the_close_counts_is_listed_in_the_books_of_all_and_may_be_another_account_s_in_a_part(
    tmp_path: Path,
) -> None:
    for left_out, month, found in (((2, 0), "2026-10", 1), ((1, 1), "2026-11", 0)):
        over = saying(*left_out)
        message = refused(over, over.write(over.closed(), tmp_path / "b.zip"), "allocations")
        assert f"charges that the close of {month} left out, got {found}" in message
        verify_bundle(over.write(over.closed("Mei"), tmp_path / "part.zip"), over.trust)


def test_a_close_goes_on_saying_what_it_left_out(tmp_path: Path) -> None:
    over = saying(1, msgspec.UNSET)
    message = refused(over, over.write(over.closed(), tmp_path / "b.zip"), "period-chain")
    assert "2026-11: left_out: expected a number, as that of 2026-10 has, got none" in message
    before = saying(msgspec.UNSET, 0)  # a release before said nothing
    verify_bundle(before.write(before.closed(), tmp_path / "b.zip"), before.trust)


def test_what_is_left_out_of_a_month_and_waits_is_told(over: LateStage, tmp_path: Path) -> None:
    records = over.records()  # of the open month: its closes may still charge it
    records.transfers = [each for each in records.transfers if each[0].kind != "allocation"]
    records.left_out = [change(ROW, posted=None), BundleLeftOut(TAKEN, "2026-11", "2026-12-03T09:00:00.000Z", None)]
    report = verify_bundle(over.write(records, tmp_path / "open.zip"), over.trust)
    said = {check.name: check.detail for check in report.checks}["allocations"]
    assert "2 charges were left out when the month closed, and are not yet computed" in said
