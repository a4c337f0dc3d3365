"""A bundle of a closed month proves the close and every line that it shows; one negative vector for each way to lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet.audit import layout, verify_bundle
from licet.audit.closed import PlacedLine, among_all
from licet.audit.layout import ClosedLine, ClosedNode, PeriodReport
from licet.canonical import to_base64
from licet.errors import VerificationError
from licet.log import entry as entries
from licet.log import merkle
from licet.log.sums import SumTree
from licet.statements import kinds
from licet.statements.periods import Moved, Placed, batches_root, lines_of, placed, salt_of, stated
from tests.sdk.audit.stage import PERIOD, Records, Stage, balances_of, identifier, repacked, unpacked

SALTS = bytes(range(32))
CLOSED = ["period-close", "period-batches", "period-sums", "period-lines", "period-chain"]
change = msgspec.structs.replace


class ClosedStage(Stage):
    """November is closed, on the fourth of December; each lie about it is logged as well, for bundles to show.

    ``left_out``: what the closes of October and November say that they left out; a release before said nothing.
    """

    left_out: tuple[int | msgspec.UnsetType, int | msgspec.UnsetType] = (msgspec.UNSET, msgspec.UNSET)

    def licence(self, name: str, consents: list[str], time: str) -> None:
        if name == "late":  # the first of November: October is over, and what it ended with begins November
            october = self.records("2026-10")
            self.close("october", self._october(october), time="2026-11-03T09:00:00.000Z")
        super().licence(name, consents, time)

    def _october(self, records: Records) -> kinds.PeriodClose:
        trees = self._trees(balances_of(records, records.about.period))
        batches = self._batches(range(records.opening, len(self.log.entries)))
        return kinds.PeriodClose(
            registry=self.ref,
            period="2026-10",
            previous=None,
            trees=self._stated(trees),
            log_first=records.opening,
            log_end=len(self.log.entries),
            batches=len(batches),
            batches_root=batches_root(batches).hex(),
            issued_at="2026-11-03T00:00:00.000Z",
            left_out=self.left_out[0],
        )

    def _batches(self, month: range) -> list[tuple[int, bytes]]:
        kinds_of = {at: entries.parse(self.log.entries[at]).kind for at in month}
        return [(at, merkle.leaf_hash(self.log.entries[at])) for at in month if kinds_of[at] == "usage-batch"]

    def _play(self) -> None:
        super()._play()
        records = self.records()
        rows = balances_of(records, records.about.period)
        self.trees = self._trees(rows)
        end = sum(time < records.about.period.end for time in self.log.times)
        batches = self._batches(range(records.opening, end))
        october = identifier("stm", "october")
        before = self.log.logged[self.statements[october][1]][0].payload_digest
        honest = kinds.PeriodClose(
            registry=self.ref,
            period=PERIOD,
            previous=before,
            trees=self._stated(self.trees),
            log_first=records.opening,
            log_end=end,
            batches=len(batches),
            batches_root=batches_root(batches).hex(),
            issued_at="2026-12-04T00:00:00.000Z",
            left_out=self.left_out[1],
        )
        less = [change(row, opening=row.opening // 2) if row.opening else row for row in rows]
        office = self.working["office"]
        self.close("honest", honest)
        self.close("other sums", change(honest, trees=self._stated(self._trees(less))))
        self.close("another month", change(honest, period="2026-10"))
        self.close("another registry", change(honest, registry=kinds.RegistryRef("registry.example/two", self.ref.key)))
        self.close("another key", honest, self.working["licence"])
        self.close(
            "a batch less", change(honest, batches=len(batches) - 1, batches_root=batches_root(batches[1:]).hex())
        )
        self.close("another root of batches", change(honest, batches_root=batches_root(batches[1:]).hex()))
        self.close("fewer entries", change(honest, log_end=end - 1))
        self.close("entries of before", change(honest, log_first=records.opening - 1))
        unbalanced = [change(honest.trees[0], owed=str(int(honest.trees[0].owed) + 1)), *honest.trees[1:]]
        self.close("sums that do not add up", change(honest, trees=unbalanced), office)

        self.close("no month before", change(honest, previous=None))
        self.close("another month before", change(honest, previous="0" * 64))

    def close(
        self, name: str, payload: kinds.PeriodClose, signer: Any = None, time: str = "2026-12-04T00:00:00.000Z"
    ) -> None:
        self.statement("stm", name, payload, signer or self.working["office"], time)

    def _trees(self, rows: Any) -> dict[Any, list[Placed]]:
        moved = [Moved(*(getattr(row, name) for name in Moved._fields)) for row in rows]
        return {place: placed(place[0], lines, SALTS) for place, lines in lines_of(moved).items()}

    @staticmethod
    def _stated(trees: dict[Any, list[Placed]]) -> list[kinds.PeriodTree]:
        return [
            stated(side, currency, SumTree([each.node for each in lying]).root)
            for (side, currency), lying in trees.items()
        ]

    def closed(self, who: str | None = None, close: str = "honest") -> Records:
        """Return the records of November with the close called ``close``: of everything, or the part of ``who``."""
        records = self.records() if who is None else self.part(who)
        number = identifier("stm", close)
        kind, index = self.statements[number]
        october = identifier("stm", "october")
        if october not in {each[1] for each in records.statements}:
            records.statements.append((layout.CLOSE, october, self.statements[october][1]))
        records.statements.append((kind, number, index))
        records.closing = index + 1
        account = None if who is None else self.people[who].id
        records.closed = [
            line
            for (side, _), lying in self.trees.items()
            for at in range(len(lying))
            for line in [self._line(side, lying, at, alone=account is not None)]
            if account in (None, line.payee)
        ]
        return records

    @staticmethod
    def _line(side: Any, lying: list[Placed], at: int, *, alone: bool) -> ClosedLine:
        line = lying[at].line
        found = among_all(side, line, salt_of(SALTS, side, line.payee, line.currency))
        if not alone:
            return found
        proof = SumTree([each.node for each in lying]).proof(at)
        nodes = [ClosedNode(to_base64(node.hash), [str(each) for each in node.sums]) for node in proof]
        return change(found, place=at, proof=nodes)


@pytest.fixture(scope="module")
def over() -> ClosedStage:
    return ClosedStage()


def refused(over: Stage, path: Path, check: str) -> str:
    with pytest.raises(VerificationError) as refusal:
        verify_bundle(path, over.trust)
    assert refusal.value.details["check"] == check, refusal.value.message
    return refusal.value.message


def test_everything_of_a_closed_month_is_proven(over: ClosedStage, tmp_path: Path) -> None:
    path = over.write(over.closed(), tmp_path / "b.zip")
    report = verify_bundle(path, over.trust)
    assert [check.name for check in report.checks][-5:] == CLOSED
    assert (report.state, report.closed_by) == ("closed", over.statements[identifier("stm", "honest")][1])
    assert msgspec.json.decode(unpacked(path)[layout.PERIOD], type=PeriodReport).state == "closed"
    page = unpacked(path)[layout.README].decode()
    assert "The period is closed" in page
    assert b"the period is closed" in unpacked(path)[layout.HLEDGER]


@pytest.mark.parametrize("who", ["Mei", "Tomas", "Ada", "Lantern Labs"])
def test_an_account_proves_its_own_lines_and_sees_no_other(over: ClosedStage, tmp_path: Path, who: str) -> None:
    records = over.closed(who)
    if who == "Lantern Labs":
        records = over.closed()
        own = over.people[who].id
        records.about = records.about._replace(account=own)
        records.closed = [
            over._line(side, lying, at, alone=True)
            for (side, _), lying in over.trees.items()
            for at, each in enumerate(lying)
            if each.line.payee == own
        ]
    path = over.write(records, tmp_path / "b.zip")
    report = verify_bundle(path, over.trust)
    assert [check.name for check in report.checks][-5:] == CLOSED
    assert len(report.placed) == len(records.closed or []) > 0
    for each in report.placed:
        assert over.trees[each.side, each.currency][each.place].line.payee == over.people[who].id
        assert isinstance(each, PlacedLine)
    listed = unpacked(path)[layout.LINES].decode()
    assert not [one.id for name, one in over.people.items() if name != who and one.id in listed]


@pytest.mark.parametrize("who", [None, "Mei"])
@pytest.mark.parametrize(
    ("close", "check", "said"),
    [
        ("other sums", "period-sums", "expected all lines of the tree|leads to the total"),
        ("another month", "period-close", "expected one statement that closes it, got 0"),
        ("another registry", "statements", "got one for registry.example/two"),
        ("another key", "statements", "sign"),
        ("a batch less", "period-batches", "usage batches under"),
        ("another root of batches", "period-batches", "usage batches under"),
        ("fewer entries", "period-batches", "the month's entries"),
        ("entries of before", "period-batches", "the month's entries"),
        ("sums that do not add up", "period-close", "add up"),
        ("no month before", "period-chain", "names before it"),
        ("another month before", "period-chain", "names before it"),
    ],
)
def test_a_close_that_lies(
    over: ClosedStage, tmp_path: Path, who: str | None, close: str, check: str, said: str
) -> None:
    message = refused(over, over.write(over.closed(who, close), tmp_path / "b.zip"), check)
    assert any(each in message for each in said.split("|")), message


def test_a_month_that_does_not_begin_as_the_one_before_ended(over: ClosedStage, tmp_path: Path) -> None:
    records = over.closed()
    records.statements = [each for each in records.statements if each[1] != identifier("stm", "october")]
    assert "names before it" in refused(over, over.write(records, tmp_path / "b.zip"), "period-chain")

    class Forgetful(ClosedStage):
        """October is closed with less than what was owed, or before its last entry."""

        def _october(self, records: Records) -> kinds.PeriodClose:
            honest = super()._october(records)
            if self.origin.endswith("entries"):
                return change(honest, log_end=honest.log_end - 1)
            return change(honest, trees=[])

    for name, said in (("money", "expected to begin with (0, 0)"), ("entries", "whose entries end at")):
        stage = Forgetful(name)
        assert said in refused(stage, stage.write(stage.closed(), tmp_path / "b.zip"), "period-chain")
    open_month = Forgetful("money")
    path = open_month.write(open_month.records(), tmp_path / "open.zip")
    assert "expected to begin as 2026-10 ended" in refused(open_month, path, "period-chain")


def test_a_close_without_a_signature(over: ClosedStage, tmp_path: Path) -> None:
    members = unpacked(over.write(over.closed(), tmp_path / "b.zip"))
    name = layout.statement_member("period-close", identifier("stm", "honest"))
    file = msgspec.json.decode(members[name])
    file["envelope"]["signatures"] = []
    members[name] = msgspec.json.encode(file, order="sorted")
    refused(over, repacked(tmp_path / "b.zip", members, over.working["office"]), "statements")


def test_the_close_of_another_registry_or_of_a_stranger(over: ClosedStage, tmp_path: Path) -> None:
    path = over.write(over.closed(), tmp_path / "b.zip")
    with pytest.raises(VerificationError) as refusal:
        verify_bundle(path, ClosedStage("two").trust)
    assert refusal.value.details["check"] == "registry-keys"
    other = ClosedStage("two")
    members = unpacked(path)
    name = layout.statement_member("period-close", identifier("stm", "honest"))
    members[name] = unpacked(other.write(other.closed(), tmp_path / "other.zip"))[name]
    refused(over, repacked(tmp_path / "b.zip", members, over.working["office"]), "statements")


def without(line: int) -> Callable[[list[ClosedLine]], list[ClosedLine]]:
    return lambda lines: [each for at, each in enumerate(lines) if at != line % len(lines)]


def more(lines: list[ClosedLine]) -> list[ClosedLine]:
    first = lines[-1]
    columns = [str(int(each) + (at in (2, 5))) for at, each in enumerate(first.columns)]
    return [*lines[:-1], change(first, columns=columns)]


LIES: dict[str, Callable[[list[ClosedLine]], list[ClosedLine]]] = {
    "the first left out": without(0),
    "the last left out": without(-1),
    "none": lambda _: [],
    "one twice": lambda lines: [*lines, lines[-1]],
    "a millionth more": more,
    "of somebody else": lambda lines: [change(lines[0], payee=identifier("art", "Nobody")), *lines[1:]],
    "in another currency": lambda lines: [change(lines[0], currency="CNY"), *lines[1:]],
    "on another side": lambda lines: [change(lines[0], side="registry"), *lines[1:]],
    "another salt": lambda lines: [change(lines[0], salt=to_base64(bytes(32))), *lines[1:]],
    "a number with a zero before it": lambda lines: [change(lines[0], columns=["00", *lines[0].columns[1:]])],
    "a column less": lambda lines: [change(lines[0], columns=lines[0].columns[1:])],
}


@pytest.mark.parametrize("who", [None, "Mei"])
@pytest.mark.parametrize("lie", LIES)
def test_lines_that_lie(over: ClosedStage, tmp_path: Path, who: str | None, lie: str) -> None:
    records = over.closed(who)
    records.closed = LIES[lie](records.closed or [])
    path = over.write(records, tmp_path / "b.zip")
    with pytest.raises(VerificationError) as refusal:
        verify_bundle(path, over.trust)
    assert refusal.value.details["check"] in ("period-sums", "period-lines"), refusal.value.message
    assert refusal.value.details["member"] == layout.LINES


def test_a_line_that_is_proven_and_not_what_the_balances_say(over: ClosedStage, tmp_path: Path) -> None:
    """Whoever leaves out a line together with its balance is found by the transfers; one alone by the balances."""
    records = over.closed("Mei")
    records.balances = [
        change(row, opening=row.opening - 1, closing=row.closing - 1)
        for row in balances_of(records, records.about.period)
    ]
    assert "that follows from the balances" in refused(over, over.write(records, tmp_path / "b.zip"), "period-lines")


def test_a_proof_that_is_missing_or_of_another_place(over: ClosedStage, tmp_path: Path) -> None:
    honest = over.closed("Mei").closed or []
    assert honest[0].place is not None
    for changed in ({"proof": None}, {"place": None}, {"place": honest[0].place + 1}, {"place": -1}):
        records = over.closed("Mei")
        records.closed = [change(honest[0], **changed), *honest[1:]]
        refused(over, over.write(records, tmp_path / "b.zip"), "period-sums")


def test_the_state_and_the_close_go_together(over: ClosedStage, tmp_path: Path) -> None:
    unsaid, bare, twice = over.closed(), over.closed(), over.closed()
    unsaid.closed = None
    refused(over, over.write(unsaid, tmp_path / "b.zip"), "period-close")
    bare.statements = bare.statements[:-1]
    refused(over, over.write(bare, tmp_path / "b.zip"), "period-close")
    number = identifier("stm", "other sums")
    twice.statements.append((*over.statements[number][:1], number, over.statements[number][1]))
    twice.closing = over.statements[number][1] + 1
    refused(over, over.write(twice, tmp_path / "b.zip"), "period-close")
    members = unpacked(over.write(over.closed(), tmp_path / "b.zip"))
    del members[layout.LINES]
    refused(over, repacked(tmp_path / "b.zip", members, over.working["office"]), "period-sums")
