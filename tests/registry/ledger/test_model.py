"""The ledger does what plain dictionaries would do, in whatever order one posts, holds, resolves, reverses, closes.

``make test`` takes some hundred steps, LICET_FUZZ=20 more than ten thousand.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from licet.statements.periods import Moved
from registry import ledger
from registry.errors import Conflict
from registry.ledger import Entry, PeriodClosed, Transfer, periods
from registry.ledger.pending import held_on

pytestmark = pytest.mark.anyio
TIMES = int(os.environ.get("LICET_FUZZ", "1"))
FIRST = datetime(2020, 1, 22, tzinfo=UTC)
NAMES = ["payable:art_a", "payable:art_b", "escrow:art_a", "receivable:org_x", "fee:registry"]
ACCRUED, REVERSED = 0, 1  # columns of a month; nothing here settles
AMOUNTS = st.integers(-(2**53 - 1), 2**53 - 1).filter(bool)


@st.composite
def balanced(draw: st.DrawFn) -> tuple[Entry, ...]:
    """Entries of one or two currencies that add up to zero: two, or three with a remainder on a third account."""
    entries: list[Entry] = []
    for currency in draw(st.lists(st.sampled_from(["USD", "CNY"]), min_size=1, max_size=2, unique=True)):
        first, second, third = draw(st.permutations(NAMES))[:3]
        amount = draw(AMOUNTS)
        part = draw(st.integers(min(amount, 0), max(amount, 0)))
        sides = [(first, amount), (second, part - amount), (third, -part)]
        entries += [Entry(name, currency, side) for name, side in sides if side]
    return tuple(entries)


class LedgerMachine(RuleBasedStateMachine):
    """One connection in one transaction that is rolled back: every example starts with an empty ledger."""

    runner: asyncio.Runner
    conn: asyncpg.Connection
    steps: Counter[str]
    transfers = Bundle("transfers")
    waiting = Bundle("waiting")

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[tuple[str, str], int] = defaultdict(int)
        self.posted: dict[str, tuple[Entry, ...]] = {}
        self.reversed: dict[str, str] = {}
        self.held: dict[str, tuple[Entry, ...]] = {}
        self.resolved: dict[str, tuple[str, bool]] = {}  # how, and whether it was posted
        self.at = FIRST
        self.moved: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])  # this month, as a close has it
        self.closed: dict[str, dict[tuple[str, str], tuple[int, ...]]] = {}
        self.transaction = self.conn.transaction()
        self.run(self.transaction.start())

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def id_of(self, key: str) -> Any:
        return self.run(self.conn.fetchval("select id from transfers where key = $1", key))

    async def _refused(self, transfer: Transfer) -> None:
        """A transfer of a month that has ended is refused, and leaves nothing."""
        with pytest.raises(PeriodClosed):
            async with self.conn.transaction():
                await ledger.post(self.conn, [transfer])

    async def _close(self, owed: Transfer) -> None:
        month, late = periods.month_of(self.at).name, msgspec.structs.replace(owed, key="late")
        await periods.end(self.conn, month, bytes(32), self.at)
        await self._refused(late)
        await periods.closing(self.conn, month)
        assert await ledger.post(self.conn, [owed]) == [owed.key]
        await periods.seal(self.conn, month, self.at)
        assert await ledger.post(self.conn, [owed]) == []
        await self._refused(late)  # though it says that it closes the month
        await periods.closing(self.conn, "")
        await periods.count(self.conn, month)
        statement = await self.conn.fetchval(
            "insert into log_pending (kind, subject, envelope) values ('period-close', $1, '') returning id", month
        )
        await self.conn.execute(
            "update periods set log_first = 0, log_end = 0, batches = 0, batches_root = secret, pending = $2 "
            "where period = $1",
            month,
            statement,
        )

    def teardown(self) -> None:
        """Nothing is ever taken back, so what went wrong at any step is still there at the end."""
        try:
            assert self.run(ledger.rebuild(self.conn)) == []
            for month, model in self.closed.items():
                for found in (periods.kept, periods.moved):
                    assert self.run(self._read(found(self.conn, month))) == {
                        place: columns for place, columns in model.items() if any(columns)
                    }
        finally:
            self.run(self.transaction.rollback())

    @rule(target=transfers, key=st.text("abc", min_size=1, max_size=2), entries=balanced())
    def post(self, key: str, entries: tuple[Entry, ...]) -> str:
        transfer = Transfer(key, "usage", self.at, "lic_x", entries)
        if key in self.posted and (key in self.reversed.values() or set(self.posted[key]) != set(entries)):
            with pytest.raises(Conflict):
                self.run(ledger.post(self.conn, [transfer]))
            return key
        new = self.run(ledger.post(self.conn, [transfer]))
        assert new == ([] if key in self.posted else [key])
        if new:
            self.posted[key] = entries
            self._add(entries, ACCRUED)
        return key

    @rule(target=transfers, entries=balanced())
    def close(self, entries: tuple[Entry, ...]) -> str:
        """The month ends, what is owed at its close is posted, and it closes with what everything came to in it."""
        month = periods.month_of(self.at)
        owed = Transfer(f"{month.name}/pool", "usage", self.at, "lic_x", entries)
        self.run(self._close(owed))
        self.posted[owed.key] = entries
        self._add(entries, ACCRUED)
        before = self.closed[max(self.closed)] if self.closed else {}
        self.closed[month.name] = {
            place: (sum(before.get(place, (0,))), *self.moved[place]) for place in before.keys() | self.moved.keys()
        }
        self.moved.clear()
        self.at = periods.first_moment(month.end) + timedelta(days=21)
        return owed.key

    @precondition(lambda self: self.closed)
    @rule(target=transfers, data=st.data(), entries=balanced())
    def late(self, data: st.DataObject, entries: tuple[Entry, ...]) -> str:
        """What is late is refused in its own month, and goes into the open one."""
        month = data.draw(st.sampled_from(sorted(self.closed)))
        at = datetime.fromisoformat(f"{month}-28T23:59:59.999+00:00")
        key = f"late-{len(self.posted)}"
        self.run(self._refused(Transfer(key, "usage", at, "lic_x", entries)))
        self.post(key, entries)
        return key

    @rule(target=waiting, number=st.integers(0, 2), entries=balanced())
    def pend(self, number: int, entries: tuple[Entry, ...]) -> str:
        key = f"wait-{number}"
        transfer = Transfer(key, "usage", self.at, "lic_x", entries)
        if key in self.held and set(self.held[key]) != set(entries):
            with pytest.raises(Conflict):
                self.run(ledger.pend(self.conn, [transfer]))
            return key
        assert self.run(ledger.pend(self.conn, [transfer])) == ([] if key in self.held else [key])
        self.held.setdefault(key, entries)
        return key

    @rule(target=transfers, key=waiting, under=st.sampled_from("mn"), posting=st.booleans())
    def resolve(self, key: str, under: str, posting: bool) -> Any:
        under = f"{under}-{key}"
        number = self.id_of(key)
        action = (
            ledger.post_pending(self.conn, number, kind="usage", key=under, at=self.at, source="lic_x")
            if posting
            else ledger.void(self.conn, number, key=under, at=self.at, source="lic_x")
        )
        if self.resolved.get(key, (under, posting)) != (under, posting):
            with pytest.raises(Conflict):
                self.run(action)
            return multiple()
        self.run(action)
        if key not in self.resolved and posting:
            self.posted[under] = self.held[key]
            self._add(self.held[key], ACCRUED)
        self.resolved[key] = (under, posting)
        return under if posting else multiple()

    @staticmethod
    async def _read(found: AsyncIterator[Moved]) -> dict[tuple[str, str], tuple[int, ...]]:
        return {each[:2]: each[2:] async for each in found if each.account in NAMES and any(each[2:])}

    @rule(key=transfers)
    def post_again(self, key: str) -> None:
        if key not in self.reversed.values():
            assert self.run(ledger.post(self.conn, [Transfer(key, "usage", self.at, "lic_x", self.posted[key])])) == []

    @rule(key=transfers, under=st.text("xyz", min_size=1, max_size=1))
    def reverse(self, key: str, under: str) -> None:
        number = self.run(self.conn.fetchval("select id from transfers where key = $1", key))
        action = ledger.reverse(self.conn, number, key=under, at=self.at, source="dispute")
        if self.reversed.get(key) == under:
            assert self.run(action) == self.run(ledger.reversal(self.conn, number))
        elif key in self.reversed or under in self.posted:
            with pytest.raises(Conflict):
                self.run(action)
        else:
            self.run(action)
            self.reversed[key] = under
            negated = tuple(Entry(entry.account, entry.currency, -entry.amount) for entry in self.posted[key])
            self.posted[under] = negated
            self._add(negated, REVERSED)

    @invariant()
    def balances_are_those_of_the_model_and_what_waits_is_held_apart(self) -> None:
        expected = defaultdict(int, self.model)
        for key, entries in self.held.items():
            if key not in self.resolved:
                for entry in entries:
                    expected[held_on(entry.account), entry.currency] += entry.amount
        found = self.run(ledger.balances(self.conn, [*NAMES, *map(held_on, NAMES)]))
        assert {place: amount for place, amount in found.items() if amount} == {
            place: amount for place, amount in expected.items() if amount
        }

    def _add(self, entries: tuple[Entry, ...], column: int) -> None:
        self.steps["posted"] += 1
        for entry in entries:
            self.model[entry.account, entry.currency] += entry.amount
            self.moved[entry.account, entry.currency][column] += entry.amount

    @invariant()
    def count(self) -> None:
        self.steps["taken"] += 1


def run_machine(dsn: str) -> None:
    LedgerMachine.steps = Counter()
    with asyncio.Runner() as runner:
        LedgerMachine.runner = runner
        LedgerMachine.conn = runner.run(asyncpg.connect(dsn))
        try:
            run_state_machine_as_test(
                LedgerMachine, settings=settings(max_examples=250 * TIMES, stateful_step_count=50)
            )
        finally:
            runner.run(LedgerMachine.conn.close())


@pytest.mark.hypothesis
@pytest.mark.timeout(1200)  # ten thousand steps, each a transaction
async def test_the_ledger_is_its_model(dsn: str):
    await asyncio.to_thread(run_machine, dsn)
    print(dict(LedgerMachine.steps))
    assert LedgerMachine.steps["taken"] >= 10_000
