"""Disputes, contests, refunds, splits and the end of escrow in any order: sums are zero, and nobody is paid twice."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet import identifiers, times
from licet.pricing import Owed
from licet.statements.owed import fee_of
from licet.statements.splits import divide
from registry import ledger
from registry.agreements.allocation import charges_of
from registry.errors import Conflict, Invalid, NotFound
from registry.ledger import Entry, Transfer
from registry.licensing.types import Posting
from registry.settlement import escrow, refunding
from tests.registry.settlement.books import Kept, Office, account, balances, nothing_is_wrong

CHARGES, WORKS = 4, 3
FEE_BPS = 1234
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["contest", "stands", "refunded", "refund"]), st.integers(0, CHARGES - 1)),
        st.tuples(st.sampled_from(["split", "lost", "contested", "quiet"]), st.integers(0, WORKS - 1)),
        st.tuples(st.sampled_from(["owner", "winner"]), st.integers(0, 2)),
        st.tuples(st.just("settle"), st.sampled_from([0, 0, 100, 181])),
    ),
    min_size=1,
    max_size=14,
)
AMOUNTS = st.tuples(  # what an agreement owes for a work may be less than nothing, where it is trued up
    st.one_of(
        st.lists(st.integers(-9_999_999, 9_999_999), min_size=WORKS, max_size=WORKS),
        st.lists(st.integers(-9_999_999, 9_999_999), min_size=2, max_size=2).map(lambda two: [*two, -sum(two)]),
    ),
    st.lists(st.integers(0, 9_999_999), min_size=(CHARGES - 1) * WORKS, max_size=(CHARGES - 1) * WORKS),
).map(lambda parts: parts[0] + parts[1])


class Case:
    """An artist without a claim level earned by four charges with three works.

    The first is an agreement's at a close, the last is shared by two.
    """

    def __init__(self, conn: Any, amounts: list[int]) -> None:
        self.conn, self.amounts = conn, amounts
        self.office = Office(Kept(conn))
        self.works = [identifiers.new_uuid() for _ in range(WORKS)]
        self.charges: list[str] = []
        self.gross: dict[str, int] = {}

    async def begin(self) -> None:
        conn = self.conn
        self.owner, self.friend, self.winner = [await account(conn, "art", level=0) for _ in range(3)]
        self.lab = await account(conn)
        for work in self.works:
            await conn.execute(
                "insert into work_states (work, account, statement, own, terms, version) "
                "values ($1, $2, $1, $3, $3, 1)",
                work, _number(self.owner), bytes(32),
            )  # fmt: skip
        old = await self.share([], 2500)
        await self.agree()
        for number in range(1, CHARGES):
            await self.charge(number, old if number == CHARGES - 1 else None)

    async def share(self, works: list[UUID], bps: int) -> UUID:
        """Return a split between the owner and her friend that both have signed."""
        number, conn = identifiers.new_uuid(), self.conn
        agreed = [
            await conn.fetchval("insert into log_pending (kind, subject) values ('split', 's') returning id")
            for _ in range(2)
        ]
        await conn.execute(
            "insert into splits (id, account, pending, digest, works, proposed_at, agreed) "
            "values ($1, $2, $3, $4, 1, now(), $5)",
            number, _number(self.owner), agreed[0], sha256(number.bytes).digest(), agreed[1],
        )  # fmt: skip
        for who, part in ((self.owner, bps), (self.friend, 10_000 - bps)):
            await conn.execute(
                "insert into split_parties (split, account, bps, proposes) values ($1, $2, $3, false)",
                number, _number(who), part,
            )  # fmt: skip
        for work in works:
            await conn.execute(
                "insert into split_works (split, work, since) values ($1, $2, $3)", number, work, agreed[1]
            )
        return number

    async def agree(self) -> None:
        """What an agreement owes at a close waits, also where it comes to nothing for all of its works together."""
        licence, at = identifiers.new_uuid(), times.now()
        source, own = identifiers.from_uuid("lic", licence), self.amounts[:WORKS]
        names = [identifiers.from_uuid("wrk", work) for work in self.works]
        owed = [Owed(name, self.owner, "USD", amount, ()) for name, amount in zip(names, own, strict=True)]
        posting = Posting(source, _number(self.lab), self.lab, None, at, 10**15)
        for each in charges_of(posting, f"{at:%Y-%m}", owed, dict.fromkeys(names, True), FEE_BPS, {}):
            await ledger.post(self.conn, [each.transfer])
            found = await self.conn.fetchval("select id from transfers where key = $1", each.transfer.key)
            for part in each.works:
                await self.conn.execute("insert into escrow_works values ($1, $2, $3, $4)", found, *part)
            self.charges.append(identifiers.from_uuid("tra", found))
        for work in self.works:
            await self.conn.execute(
                "insert into licence_works (licence, work, account, statement, terms_hash, atom, model, currency, "
                "amount, match, escrow, agreed) values ($1, $2, $3, $2, $4, 'train-gen', 'subscription', 'USD', 1, "
                "'exact', true, '{}')",
                licence, work, _number(self.owner), bytes(32),
            )  # fmt: skip
        self.gross[source] = sum(own)

    async def charge(self, number: int, split: UUID | None) -> None:
        batch, at = identifiers.new_uuid(), times.now()
        source = identifiers.from_uuid("bat", batch)
        own = self.amounts[number * WORKS : (number + 1) * WORKS]
        fees = [fee_of(amount, FEE_BPS) for amount in own]
        gross, fee = sum(own), sum(fees)
        if not gross:
            return
        for work, amount, part in zip(self.works, own, fees, strict=True):
            await self.conn.execute(
                "insert into usage_events (id, organisation, licence, work, atom, run, unit, seq, quantity, at, match, "
                "batch, artist, currency, amount, fee, escrow, posted_at, split) values ($1, $2, $3, $4, 'train-gen', "
                "'1', 'run', 0, 1, $5, 'exact', $3, $6, 'USD', $7, $8, true, $5, $9)",
                sha256(batch.bytes + work.bytes).digest(), _number(self.lab), batch, work, at, _number(self.owner),
                amount, part, split,
            )  # fmt: skip
        name = self.owner if split is None else identifiers.from_uuid("spl", split)
        shares = {self.owner: gross - fee}
        if split is not None:
            shares = divide(gross - fee, {self.owner: 2500, self.friend: 7500})
        entries = (
            Entry(f"receivable:{self.lab}", "USD", gross),
            *(Entry(f"escrow:{who}", "USD", -part) for who, part in shares.items() if part),
            *([Entry("fee:registry", "USD", -fee)] if fee else []),
        )
        key = f"{source}/escrow:{name}/USD"
        if len(entries) > 1:
            await ledger.post(self.conn, [Transfer(key, "usage", at, source, entries)])
            found = await self.conn.fetchval("select id from transfers where key = $1", key)
            self.charges.append(identifiers.from_uuid("tra", found))
            self.gross[source] = gross

    async def take(self, what: str, number: int) -> None:
        """Do one thing, or be refused."""
        services, work = self.office.services, self.works[number % WORKS]
        try:
            if what == "settle":
                await escrow.settle(services, times.now() + timedelta(days=number))
            elif what in ("owner", "winner"):
                who = self.owner if what == "owner" else self.winner
                await self.conn.execute("update accounts set level = $2 where id = $1", _number(who), number)
            elif what == "split":
                known = "select exists (select from split_works where work = $1)"
                if not await self.conn.fetchval(known, work):
                    await self.share([work], 3333)
            elif what == "lost":
                await self.conn.execute(
                    "update work_states set lost_to = $2, contested = true where work = $1", work, _number(self.winner)
                )
            elif what in ("contested", "quiet"):
                await self.conn.execute(
                    "update work_states set contested = $2 or lost_to is not null where work = $1",
                    work, what == "contested",
                )  # fmt: skip
            elif number < len(self.charges):
                await self.of_a_charge(what, self.charges[number])
        except (Conflict, Invalid, NotFound):
            pass  # refused, with nothing done

    async def of_a_charge(self, what: str, charge: str) -> None:
        services = self.office.services
        if what == "contest":
            await refunding.contest(services, charge, "not hers")
        elif what == "refund":
            await refunding.refund(services, charge, "by hand")
        else:
            await refunding.decide(services, charge, refunded=what == "refunded")

    async def hold(self, *, over: bool = False) -> None:
        """Per charge: what is charged is what is credited, none of it twice, and nobody is below nothing."""
        sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in await self.conn.fetch(
            "select t.source, a.name, e.amount from transfers t join entries e on e.transfer = t.id "
            "join ledger_accounts a on a.id = e.account"
        ):
            sums[row["source"]][row["name"]] += row["amount"]
        for source, found in sums.items():
            owed = found[f"receivable:{self.lab}"]
            assert sum(found.values()) == 0
            if source.startswith("bat") or min(self.amounts) >= 0:
                assert 0 <= owed <= self.gross[source]
                assert all(amount <= 0 for name, amount in found.items() if not name.startswith("receivable:")), found
            if over:
                assert not any(amount for name, amount in found.items() if name.startswith("escrow:")), found
        await nothing_is_wrong(self.conn)


def test_whatever_happens_in_whatever_order_nobody_is_paid_twice_and_all_of_it_ends(
    conn: tuple[asyncio.Runner, Any],
) -> None:
    runner, opened = conn

    @settings(max_examples=40, deadline=None)
    @given(steps=STEPS, amounts=AMOUNTS)
    def holds(steps: list[tuple[str, int]], amounts: list[int]) -> None:
        runner.run(played(opened, steps, amounts))

    holds()


@pytest.mark.parametrize("lost", range(WORKS))
def test_a_lost_work_takes_its_own_part_also_of_works_that_come_to_nothing_together(
    conn: tuple[asyncio.Runner, Any], lost: int
) -> None:
    runner, opened = conn

    @settings(max_examples=30, deadline=None)
    @given(two=st.lists(st.integers(-9_999_999, 9_999_999), min_size=2, max_size=2))
    def holds(two: list[int]) -> None:
        runner.run(won(opened, [*two, -sum(two)], lost))

    holds()


async def won(opened: Any, amounts: list[int], lost: int) -> None:
    """Three works that were trued up to nothing together: whoever won one has exactly what it is owed, less its fee."""
    outer = opened.transaction()
    await outer.start()
    try:
        case = Case(opened, [*amounts, *[0] * ((CHARGES - 1) * WORKS)])
        await case.begin()
        parts = {
            row["work"]: (row["amount"], row["fee"])
            for row in await opened.fetch("select work, amount, fee from escrow_works")
        }
        assert {work: amount for work, (amount, _) in parts.items()} == {
            work: amount for work, amount in zip(case.works, amounts, strict=True) if amount
        }
        for what, number in (("owner", 2), ("winner", 2), ("lost", lost), ("settle", 0)):
            await case.take(what, number)
        await case.hold(over=True)
        found = {name: -amount for (name, _), amount in (await balances(opened)).items()}
        amount, fee = parts.get(case.works[lost], (0, 0))
        assert found.get(f"payable:{case.winner}", 0) == amount - fee
        rest = [part for work, part in parts.items() if work != case.works[lost]]
        assert found.get(f"payable:{case.owner}", 0) == sum(amount - fee for amount, fee in rest)
        assert found.get(f"receivable:{case.lab}", 0) == 0
    finally:
        await outer.rollback()


async def played(opened: Any, steps: list[tuple[str, int]], amounts: list[int]) -> None:
    outer = opened.transaction()
    await outer.start()
    try:
        case = Case(opened, amounts)
        await case.begin()
        for what, number in steps:
            await case.take(what, number)
            await case.hold()
        for number in range(CHARGES):
            await case.take("stands", number)
        for number in range(WORKS):
            await case.take("quiet", number)
        for what, number in (("owner", 2), ("winner", 2), ("settle", 0)):
            await case.take(what, number)
        await case.hold(over=True)
        before = await opened.fetchval("select count(*) from transfers")
        await case.take("settle", 365)
        assert await opened.fetchval("select count(*) from transfers") == before
    finally:
        await outer.rollback()


def _number(name: str) -> UUID:
    return identifiers.to_uuid(name)
