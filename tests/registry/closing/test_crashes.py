"""A close that is cut at any step goes on to the same bytes, and what is changed afterwards is found."""

from __future__ import annotations

import re
from typing import Any

import pytest

from licet import canonical, identifiers
from licet.audit.layout import period_of
from licet.statements import envelope as envelopes
from registry import closing, ledger, translog
from registry.auditing import verify
from registry.closing import steps
from registry.closing.steps import SOONEST
from registry.database import Connection
from registry.ledger import Entry, Transfer, periods
from tests.registry.closing.conftest import Clock
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio

# Accounts of nobody, who is told nothing.
PAYABLE, ESCROW = f"payable:{identifiers.new_id('art')}", f"escrow:{identifiers.new_id('art')}"
RECEIVABLE = f"receivable:{identifiers.new_id('org')}"


class Cut(Exception):
    """The process died here."""


async def post(site: Running, key: str, amount: int, at: Any) -> None:
    sides = ((RECEIVABLE, amount), (PAYABLE, 3 - amount), (ESCROW, -2), ("fee:registry", -1))
    entries = tuple(Entry(account, currency, each) for account, each in sides for currency in ("USD", "CNY"))
    async with site.services.database.transaction() as conn:
        await ledger.post(conn, [Transfer(key, "settlement-test", at, "lic_x", entries)])


async def allocated(conn: Connection, period: str) -> None:
    """Post what is owed for the month at its close, as a hook does: again has no effect."""
    at = periods.first_moment(period_of(period).start)
    entries = (Entry(RECEIVABLE, "USD", 50), Entry(PAYABLE, "USD", -50))
    await ledger.post(conn, [Transfer(f"{period}/pool", "allocation", at, "lic_x", entries)])


async def test_a_close_that_is_cut_goes_on_to_the_same_bytes(
    site: Running, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    first, database = clock.month, site.services.database
    monkeypatch.setattr(steps, "HOOKS", [allocated])
    monkeypatch.setattr(steps, "SEALED_HOOKS", [])  # nobody is there whom one could invoice
    await post(site, "a", 10, clock.now())
    clock.next_month()
    await post(site, "b", 20, clock.now())
    stated: list[bytes] = []
    seal = envelopes.seal

    def recorded(payload: Any, key: Any) -> Any:
        stated.append(canonical.encode(payload))
        return seal(payload, key)

    monkeypatch.setattr(envelopes, "seal", recorded)
    for where, name in (
        (periods, "end"),
        (steps, "_allocate"),
        (periods, "seal"),
        (steps, "_count"),
        (steps, "_state"),
    ):
        step = getattr(where, name)

        async def cut(*arguments: Any, step: Any = step) -> None:
            await step(*arguments)
            raise Cut

        for _ in range(2):
            monkeypatch.setattr(where, name, cut)
            with pytest.raises(Cut):
                await closing.close_due(site.services, clock.now(), SOONEST)
            monkeypatch.setattr(where, name, step)
    done = await closing.close_due(site.services, clock.now(), SOONEST)
    assert done is not None
    assert done[0] == first
    assert await closing.close_month(site.services, first, clock.now()) == done[1]
    assert "period" not in capsys.readouterr().out  # commands print one document there
    assert len(stated) == 3
    assert len(set(stated)) == 1
    await translog.wait(database, done[1])
    assert await closing.close_due(site.services, clock.now(), SOONEST) is None

    async with database.acquire() as conn:
        owed = await ledger.balances(conn, [PAYABLE, ESCROW])
        boundary = await conn.fetchval("select count(*) from period_balances")
    assert owed == {
        (ESCROW, "CNY"): -4,
        (ESCROW, "USD"): -4,
        (PAYABLE, "CNY"): -24,
        (PAYABLE, "USD"): -74,
    }
    assert boundary == 8
    assert await verify(site.services) == []

    for table, change, said in (
        ("period_balances", "settled = settled - 1, closing = closing - 1", "expected"),
        ("period_lines", "sums[3] = sums[3] + 1", "lines that follow"),
        ("period_trees", "root = sha256(root)", "tree over its lines|trees: expected"),
    ):
        async with database.transaction() as conn:
            await conn.execute(f"alter table {table} disable trigger user")
            await conn.execute(f"create table kept as select * from {table}")
            await conn.execute(f"update {table} set {change} where currency = 'CNY'")
        found = [each for each in await verify(site.services) if each.part in {"months", "ledger"}]
        assert found, table
        assert any(re.search(said, each.message) for each in found), (table, found)
        async with database.transaction() as conn:
            await conn.execute(f"delete from {table}")
            await conn.execute(f"insert into {table} select * from kept")
            await conn.execute("drop table kept")
            await conn.execute(f"alter table {table} enable trigger user")
