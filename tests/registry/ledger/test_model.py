"""The ledger does what plain dictionaries would do, in whatever order one posts, holds, resolves, reverses, closes."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from registry import ledger
from registry.errors import Conflict
from registry.ledger import Entry, PeriodClosed, Transfer, periods
from registry.ledger.pending import held_on

pytestmark = pytest.mark.anyio
TIMES = int(os.environ.get("LICET_FUZZ", "1"))
FIRST = datetime(2020, 1, 22, tzinfo=UTC)
NAMES = ["payable:art_a", "payable:art_b", "escrow:art_a", "receivable:org_x", "fee:registry"]
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
        self.closed: dict[str, dict[tuple[str, str], int]] = {}
        self.transaction = self.conn.transaction()
        self.run(self.transaction.start())

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def id_of(self, key: str) -> Any:
        return self.run(self.conn.fetchval("select id from transfers where key = $1", key))

    async def _refused(self, at: datetime) -> None:
        """A transfer of ``at`` is refused, and leaves nothing."""
        entries = (Entry(NAMES[0], "USD", 1), Entry(NAMES[1], "USD", -1))
        with pytest.raises(PeriodClosed):
            async with self.conn.transaction():
                await ledger.post(self.conn, [Transfer("late", "usage", at, "lic_x", entries)])

    async def _close(self) -> None:
        month = periods.month_of(self.at).name
        await periods.end(self.conn, month, bytes(32), self.at)
        await self._refused(self.at)
        await periods.seal(self.conn, month, self.at)
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
            self._add(entries, 1)
        return key

    @rule()
    def close(self) -> None:
        self.run(self._close())
        self.closed[periods.month_of(self.at).name] = dict(self.model)
        self.at = periods.first_moment(periods.month_of(self.at).end) + timedelta(days=21)

    @precondition(lambda self: self.closed)
    @rule(data=st.data())
    def late(self, data: st.DataObject) -> None:
        month = data.draw(st.sampled_from(sorted(self.closed)))
        self.run(self._refused(datetime.fromisoformat(f"{month}-28T23:59:59.999+00:00")))

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

    @rule(key=waiting, under=st.sampled_from("mn"), posting=st.booleans())
    def resolve(self, key: str, under: str, posting: bool) -> None:
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
            return
        self.run(action)
        if key not in self.resolved and posting:
            self._add(self.held[key], 1)
        self.resolved[key] = (under, posting)

    @invariant()
    def what_waits_is_held_apart(self) -> None:
        expected: dict[tuple[str, str], int] = defaultdict(int)
        for key, entries in self.held.items():
            if key not in self.resolved:
                for entry in entries:
                    expected[held_on(entry.account), entry.currency] += entry.amount
        found = self.run(ledger.balances(self.conn, [held_on(name) for name in NAMES]))
        assert {place: amount for place, amount in found.items() if amount} == {
            place: amount for place, amount in expected.items() if amount
        }

    @invariant()
    def closed_months_stay_as_they_were(self) -> None:
        for month, model in self.closed.items():
            assert self.run(self._kept(month)) == {place: amount for place, amount in model.items() if amount}

    async def _kept(self, month: str) -> dict[tuple[str, str], int]:
        found = {each[:2]: sum(each[2:]) async for each in periods.kept(self.conn, month)}
        return {place: amount for place, amount in found.items() if amount and place[0] in NAMES}

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
            self._add(negated, 1)

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        assert {place: amount for place, amount in self.run(ledger.balances(self.conn, NAMES)).items() if amount} == {
            place: amount for place, amount in self.model.items() if amount
        }

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert self.run(ledger.rebuild(self.conn)) == []

    def _add(self, entries: tuple[Entry, ...], sign: int) -> None:
        for entry in entries:
            self.model[entry.account, entry.currency] += sign * entry.amount


def run_machine(dsn: str) -> None:
    with asyncio.Runner() as runner:
        LedgerMachine.runner = runner
        LedgerMachine.conn = runner.run(asyncpg.connect(dsn))
        try:
            run_state_machine_as_test(
                LedgerMachine, settings=settings(max_examples=25 if TIMES == 1 else 50 * TIMES, stateful_step_count=20)
            )
        finally:
            runner.run(LedgerMachine.conn.close())


@pytest.mark.hypothesis
async def test_the_ledger_is_its_model(dsn: str):
    await asyncio.to_thread(run_machine, dsn)
