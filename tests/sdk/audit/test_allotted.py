"""What is charged at a close is what agreements come to, whole and once; one negative vector for each way to lie."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from licet import identifiers
from licet.audit import layout, verify_bundle
from licet.audit.layout import EventProof
from licet.audit.tables import LedgerRow, TransferRow
from licet.canonical import encode, to_base64
from licet.log import merkle
from licet.statements import kinds
from licet.statements.owed import fee_of
from licet.terms import Price, Revocation, Terms, preset
from tests.sdk.audit.stage import FEE_BPS, Records, identifier
from tests.sdk.audit.test_closed_bundle import ClosedStage, refused

MONTHLY = preset("paid", Price(model="subscription", amount="10", currency="USD", period="P1M"))
BOUNDED = preset("paid", Price(model="per-output", amount="0.01", currency="USD", minimum="2", cap="4", period="P2M"))
FIRM = MONTHLY.rules["train-gen"]
TAKEN = Terms({**MONTHLY.rules, "train-gen": FIRM.model_copy(update={"revocation": Revocation(notice_days=7)})})
THIRD = preset("paid", Price(model="revenue-share", share_bps=3000, currency="USD", minimum="1"))
LAST = "2026-11-30T23:59:59.999Z"
LICENCE = identifier("lic", "agreed")
change = msgspec.structs.replace
Charge = tuple[TransferRow, list[LedgerRow]]


class AgreedStage(ClosedStage):
    """Two works at ten dollars a month since November, two at a cent an output, counted since October, and two for a
    third of what was made with them, of which a hundred dollars were reported. Of two more at ten dollars a month since
    October one was taken back in it; two revocations beside that have no effect."""

    def licence(self, name: str, consents: list[str], time: str) -> None:
        if name == "early":  # the first of all: what is agreed in October belongs behind it
            self.consent("Mei", MONTHLY, 2, "2026-10-10T00:00:00.000Z", "monthly")
            self.consent("Tomas", BOUNDED, 2, "2026-10-10T00:00:00.000Z", "bounded")
            self.consent("Mei", THIRD, 2, "2026-10-10T00:00:00.000Z", "third")
            super().licence("counted", ["bounded"], "2026-10-11T00:00:00.000Z")
            self.consent("Mei", TAKEN, 2, "2026-10-10T00:00:00.000Z", "taken")
            super().licence("taken", ["taken"], "2026-10-11T00:00:00.000Z")
            gone, stays = (work.work for work in self.digests["taken"])
            self.revoke("taken back", "taken", "Mei", gone)
            self.revoke("of another's work", "taken", "Tomas", stays)
            self.revoke("of what is firm", "counted", "Tomas", *(work.work for work in self.digests["bounded"]))
            first = self.run("counted", "2", "2026-10-12T00:00:00.000Z", 120)
            self.batch("first outputs", first, "2026-10-12T00:00:00.000Z")
        super().licence(name, consents, time)

    def _reverse(self, time: str) -> None:
        super()._reverse(time)
        super().licence("agreed", ["monthly"], "2026-11-09T00:00:00.000Z")
        more = self.run("counted", "3", "2026-11-10T00:00:00.000Z", 180)
        self.batch("more outputs", more, "2026-11-10T00:00:00.000Z")
        super().licence("shared", ["third"], "2026-11-10T00:00:00.000Z")
        lantern = self.people["Lantern Labs"]
        said = kinds.RevenueReport(
            self.ref, identifier("rpt", "november"), lantern.id, lantern.genesis, identifier("lic", "shared"),
            "2026-11",
            [kinds.Budget("USD", 100_000_000)], [], [], None, "2026-11-20T00:00:00.000Z", "n",
        )  # fmt: skip
        self.statement("rpt", "november", said, lantern.key, "2026-11-20T00:00:00.000Z")
        self.charge("shared", "Mei", 30_000_000, "escrow")
        self.charge("agreed", "Mei", 20_000_000, "escrow")
        self.charge("taken", "Mei", 10_000_000, "escrow")
        self.charge("counted", "Tomas", 2 * (120 + 180) * 10_000, "payable")

    def revoke(self, name: str, licence: str, who: str, *works: str) -> None:
        person, time = self.people[who], "2026-10-20T00:00:00.000Z"
        said = kinds.LicenceRevoke(
            self.ref, identifier("dut", name), identifier("lic", licence), person.id, person.genesis, [*works], "",
            time, "n",
        )  # fmt: skip
        self.statement("dut", name, said, person.key, time)

    def charge(self, licence: str, who: str, gross: int, side: str, month: str = "2026-11") -> None:
        """Post what an agreement owes for ``month`` at the close of November."""
        source, fee = identifier("lic", licence), fee_of(gross, FEE_BPS)
        credited = f"{side}:{self.people[who].id}"
        owing = f"receivable:{self.people['Lantern Labs'].id}"
        lines = [(owing, gross), (credited, fee - gross), ("fee:registry", -fee)]
        self.transfer(f"{source}/{month}/{credited}/USD", "allocation", source, "USD", lines, LAST)
        transfer, entries = self.transfers[-1]
        self.transfers[-1] = (change(transfer, memo=month), entries)

    def part(self, name: str) -> Records:
        """With what was reported of what is shared, and what she took back."""
        found = super().part(name)
        report = identifier("rpt", "november")
        found.statements.append(("revenue-report", report, self.statements[report][1]))
        if name == "Mei":
            self.show(found, "taken back")
        return found

    def show(self, found: Records, *revoked: str) -> None:
        """Put revocations of months before into a bundle."""
        here = {each[1] for each in found.statements}
        numbers = [identifier("dut", each) for each in revoked]
        for each in numbers:
            if each in self.statements and each not in here:
                kind, index = self.statements[each]
                found.statements.append((kind, each, index))

    def records(self, period: str = "2026-11") -> Records:
        """With the outputs of October, which count in November too."""
        found = super().records(period)
        source = identifier("bat", "first outputs")
        if period == "2026-11":
            self.show(found, "taken back", "of another's work", "of what is firm")
        if period == "2026-11" and source in self.batches:
            rows = self.batches[source]
            tree = merkle.Tree(merkle.leaf_hash(bytes.fromhex(row.salt or "") + encode(row.event)) for row in rows)
            for at, row in enumerate(rows):
                found.events.append(change(row, effect="earlier", payee=None, currency=None))
                path = [to_base64(each) for each in tree.inclusion_proof(at)]
                found.proofs.append(EventProof(source, row.id, at, path))
            found.events.sort(key=lambda row: (row.source, row.id))
            found.proofs.sort(key=lambda each: (each.source, each.event))
            found.statements.append(("usage-batch", source, self.statements[source][1]))
        return found


@pytest.fixture(scope="module")
def over() -> AgreedStage:
    return AgreedStage()


def test_what_is_charged_at_a_close_is_computed_again(over: AgreedStage, tmp_path: Path) -> None:
    report = verify_bundle(over.write(over.closed(), tmp_path / "b.zip"), over.trust)
    said = {check.name: check.detail for check in report.checks}
    assert said["allocations"].startswith("4 agreements charged for 7 works")
    part = verify_bundle(over.write(over.closed("Mei"), tmp_path / "part.zip"), over.trust)
    assert {check.name: check.detail for check in part.checks}["allocations"].startswith("3 agreements charged for 5")


def charged(records: Records, licence: str = "agreed") -> int:
    return next(
        place
        for place, (transfer, _) in enumerate(records.transfers)
        if (transfer.kind, transfer.source) == ("allocation", identifier("lic", licence))
    )


def edit(make: Callable[[TransferRow, list[LedgerRow]], Charge], licence: str = "agreed") -> Callable[[Records], None]:
    def edited(records: Records) -> None:
        place = charged(records, licence)
        records.transfers[place] = make(*records.transfers[place])

    return edited


def shifted(licence: str = "agreed", **by: int) -> Callable[[Records], None]:
    def moved(transfer: TransferRow, rows: list[LedgerRow]) -> Charge:
        return transfer, [change(row, amount=row.amount + by.get(row.account.partition(":")[0], 0)) for row in rows]

    return edit(moved, licence)


def renamed(old: str, new: str) -> Callable[[Records], None]:
    def moved(transfer: TransferRow, rows: list[LedgerRow]) -> Charge:
        named = [change(row, account=row.account.replace(old, new)) for row in rows]
        return change(transfer, key=transfer.key.replace(old, new)), sorted(named, key=lambda row: row.account)

    return edit(moved)


def removed(licence: str) -> Callable[[Records], None]:
    return lambda records: records.transfers.pop(charged(records, licence)) and None


def again(records: Records) -> None:
    transfer, rows = records.transfers[charged(records)]
    number = identifiers.from_uuid("tra", UUID(int=10**6))
    records.transfers.append((change(transfer, transfer=number), [change(row, transfer=number) for row in rows]))


def without_outputs_of_october(records: Records) -> None:
    source = identifier("bat", "first outputs")
    records.events = [row for row in records.events if row.source != source]
    records.proofs = [each for each in records.proofs if each.source != source]
    records.statements = [each for each in records.statements if each[1] != source]


def without_what_was_taken_back(records: Records) -> None:
    records.statements = [each for each in records.statements if each[1] != identifier("dut", "taken back")]


def of_nobody(transfer: TransferRow, rows: list[LedgerRow]) -> Charge:
    nothing = identifier("lic", "nothing")
    return change(transfer, source=nothing, key=transfer.key.replace(transfer.source, nothing)), rows


def of_a_plain_licence(transfer: TransferRow, rows: list[LedgerRow]) -> Charge:
    late = identifier("lic", "late")
    return change(transfer, source=late, key=transfer.key.replace(transfer.source, late)), rows


LIES: dict[str, tuple[Callable[[Records], None], str]] = {
    "a larger amount": (shifted(receivable=1, escrow=-1), "expected .* micro-units of USD|expected {"),
    "a smaller amount": (shifted(receivable=-1, escrow=1), "expected .* micro-units of USD|expected {"),
    "less of the revenue than was reported": (
        shifted("shared", receivable=-1_000_000, escrow=876_600, fee=123_400), "expected 30000000 micro-units of USD"),
    "a share that is left out": (removed("shared"), "expected 30000000 micro-units of USD"),
    "a larger fee": (shifted(fee=-1, escrow=1), "expected {"),
    "a smaller fee": (shifted(fee=1, escrow=-1), "expected {"),
    "somebody else is credited": (renamed(identifier("art", "Mei"), identifier("art", "Ada")), "micro-units"),
    "somebody else is charged": (
        renamed(identifier("org", "Lantern Labs"), identifier("org", "Candle")), "of org_"),
    "a charge that is left out": (removed("agreed"), "expected 20000000 micro-units of USD"),
    "another charge that is left out": (removed("counted"), "expected 6000000 micro-units of USD"),
    "a charge twice": (again, "got 40000000"),
    "a charge of another month": (
        edit(lambda t, rows: (change(t, memo="2026-10", key=t.key.replace("2026-11", "2026-10")), rows)),
        "at the close of 2026-11"),
    "a charge that another month is written on": (
        edit(lambda t, rows: (change(t, memo="2026-10"), rows)), "at the close of 2026-11"),
    "a charge that adds is called one that takes back": (
        edit(lambda t, rows: (change(t, key=f"{t.key}/less"), rows)), "at the close of 2026-11"),
    "a charge in the middle of the month": (
        edit(lambda t, rows: (change(t, at="2026-11-20T00:00:00.000Z"), rows)), "at the close of 2026-11"),
    "a charge of no statement": (edit(of_nobody), "expected the licence"),
    "a charge of what is owed by use": (edit(of_a_plain_licence), "of an agreement alone"),
    "a work that was taken back is charged": (
        shifted("taken", receivable=10_000_000, escrow=-8_766_000, fee=-1_234_000),
        "expected 10000000 micro-units of USD .* got 20000000"),
    "a revocation that is left out": (
        without_what_was_taken_back, "expected 20000000 micro-units of USD .* got 10000000"),
    "outputs of the month before that are left out": (
        without_outputs_of_october, "expected 4000000 micro-units of USD"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_charge_at_a_close_that_lies(over: AgreedStage, tmp_path: Path, lie: str) -> None:
    make, said = LIES[lie]
    records = over.closed()
    make(records)
    records.transfers.sort(key=lambda each: each[0].at)
    message = refused(over, over.write(records, tmp_path / "b.zip"), "allocations")
    assert layout.TRANSFERS in message
    assert re.search(said, message), message


def test_an_open_month_may_be_charged_later_and_never_in_part(over: AgreedStage, tmp_path: Path) -> None:
    records = over.records()
    records.transfers = [each for each in records.transfers if each[0].kind != "allocation"]
    report = verify_bundle(over.write(records, tmp_path / "open.zip"), over.trust)
    assert {check.name: check.detail for check in report.checks}["allocations"].startswith("0 agreements")
    records = over.records()
    shifted(receivable=1, escrow=-1)(records)
    refused(over, over.write(records, tmp_path / "b.zip"), "allocations")


def test_a_use_that_was_alone_in_its_batch_and_is_reported_again(over: AgreedStage, tmp_path: Path) -> None:
    class Alone(AgreedStage):
        """A batch of one use in October, the same use in a batch of November."""

        def batch(self, name: str, events: list[Any], time: str) -> None:
            if name == "october":
                super().batch("alone", events[:1], time)
                events = events[1:]
            if name == "second":
                events = [*events, self.run("early", "0", "2026-11-06T00:00:00.000Z")[0]]
            super().batch(name, events, time)

    stage = Alone()
    assert sum(row.effect == "earlier" and row.source == identifier("bat", "alone") for row in stage.records().events)
    verify_bundle(stage.write(stage.records(), tmp_path / "b.zip"), stage.trust)
