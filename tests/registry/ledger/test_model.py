"""The ledger does what a plain dictionary would do, whatever is posted, repeated and reversed in whatever order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from registry import ledger
from registry.errors import Conflict
from registry.ledger import Entry, Transfer

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 22, tzinfo=UTC)
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

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[tuple[str, str], int] = defaultdict(int)
        self.posted: dict[str, tuple[Entry, ...]] = {}
        self.reversed: dict[str, str] = {}
        self.transaction = self.conn.transaction()
        self.run(self.transaction.start())

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def teardown(self) -> None:
        self.run(self.transaction.rollback())

    @rule(target=transfers, key=st.text("abc", min_size=1, max_size=2), entries=balanced())
    def post(self, key: str, entries: tuple[Entry, ...]) -> str:
        transfer = Transfer(key, "usage", AT, "lic_x", entries)
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

    @rule(key=transfers)
    def post_again(self, key: str) -> None:
        if key not in self.reversed.values():
            assert self.run(ledger.post(self.conn, [Transfer(key, "usage", AT, "lic_x", self.posted[key])])) == []

    @rule(key=transfers, under=st.text("xyz", min_size=1, max_size=1))
    def reverse(self, key: str, under: str) -> None:
        number = self.run(self.conn.fetchval("select id from transfers where key = $1", key))
        action = ledger.reverse(self.conn, number, key=under, at=AT, source="dispute")
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
            run_state_machine_as_test(LedgerMachine, settings=settings(max_examples=25, stateful_step_count=20))
        finally:
            runner.run(LedgerMachine.conn.close())


async def test_the_ledger_is_its_model(dsn: str):
    await asyncio.to_thread(run_machine, dsn)
