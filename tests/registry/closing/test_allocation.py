"""What agreements owe at a close is in the ledger before the month is sealed, once, whole, by splits and in escrow."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import identifiers, times
from licet.audit import verify_bundle
from licet.errors import InputError
from licet.pricing import Owed
from licet.statements.closes import owed_at_close
from licet.statements.trust import Trust
from licet.terms import Price, Revocation, Terms, preset
from registry import closing
from registry.accounts.operators import invite
from registry.agreements.allocation import allocate, charges_of
from registry.agreements.left_out import left_out
from registry.auditing import verify
from registry.closing.steps import SOONEST
from registry.ledger import periods
from registry.licensing.types import Posting
from registry.splits.sharing import Sharing
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_closing import close_all
from tests.registry.duties.talks import revoke
from tests.registry.harness import Running
from tests.registry.market import balance, granted, problem, shelf, trainer
from tests.registry.splits.owners import agreed

pytestmark = pytest.mark.anyio

MONTHLY = preset("paid", Price(model="subscription", amount="10", currency="USD", period="P1M"))
BOUNDED = preset("paid", Price(model="per-output", amount="0.01", currency="USD", minimum="2", cap="4", period="P1M"))
LONG = preset("paid", Price(model="per-output", amount="0.01", currency="USD", minimum="2", period="P2M"))
LICENCE, WHO = identifiers.new_id("lic"), identifiers.new_uuid()
POSTING = Posting(LICENCE, WHO, identifiers.from_uuid("org", WHO), None, times.now(), 10**15)
PAYEES = [identifiers.new_id("art") for _ in range(3)]
WORKS = [identifiers.new_uuid() for _ in range(6)]
SPLIT = Sharing(identifiers.new_uuid(), bytes(32), {PAYEES[0]: 3333, PAYEES[1]: 3333, PAYEES[2]: 3334})


@st.composite
def owing(draw: st.DrawFn) -> tuple[list[Owed], dict[str, bool]]:
    works = [identifiers.from_uuid("wrk", work) for work in WORKS]
    owed = [
        Owed(work, draw(st.sampled_from(PAYEES)), currency, draw(st.integers(0, 10**12)), ())
        for work in works
        for currency in draw(st.lists(st.sampled_from(["USD", "EUR"]), unique=True))
    ]
    return owed, {work: draw(st.booleans()) for work in works}


async def charged_in_bundles(
    site: Running, asking: Sequence[httpx.AsyncClient], period: str, folder: Path
) -> list[int]:
    """Return how many works each bundle computes the charge of again; every one verifies."""
    trust, found = Trust(site.services.keys.origin, site.services.keys.root.public.hex()), []
    for who in asking:
        answer = await who.get("/v1/audit/bundle", params={"period": period})
        assert answer.status_code == 200, answer.text
        (folder / "bundle.zip").write_bytes(answer.content)
        said = {check.name: check.detail for check in verify_bundle(folder / "bundle.zip", trust).checks}
        told = re.search(r"charged for ([0-9]+) work", said["allocations"])
        assert told is not None
        found.append(int(told[1]))
    return found


@given(owing(), st.integers(0, 10_000), st.sets(st.sampled_from(WORKS)), st.randoms(use_true_random=False))
def test_all_that_is_owed_is_charged_and_credited_once_in_whatever_order(owed, fee_bps, split, chance: random.Random):
    lines, escrow = owed
    shared = dict.fromkeys(split, SPLIT)
    charges = charges_of(POSTING, "2026-11", lines, escrow, fee_bps, shared)
    for charge in charges:
        (gross,) = [entry.amount for entry in charge.transfer.entries if entry.account.startswith("receivable:")]
        (fee, *_) = [-entry.amount for entry in charge.transfer.entries if entry.account == "fee:registry"] or [0]
        assert [sum(each) for each in list(zip(*charge.works, strict=True))[1:]] == [gross, fee]
        assert all(0 <= part <= amount for _, amount, part in charge.works)
    found = [charge.transfer for charge in charges]
    mixed = chance.sample(lines, len(lines))
    assert charges_of(POSTING, "2026-11", mixed, escrow, fee_bps, shared) == charges
    assert len({each.key for each in found}) == len(found)
    for currency in ("USD", "EUR"):
        entries = [entry for each in found for entry in each.entries if entry.currency == currency]
        gross = sum(each.amount for each in lines if each.currency == currency)
        assert sum(entry.amount for entry in entries) == 0
        assert sum(entry.amount for entry in entries if entry.amount > 0) == gross
        fees = -sum(entry.amount for entry in entries if entry.account == "fee:registry")
        assert gross * fee_bps // 10_000 - len(found) <= fees <= gross * fee_bps // 10_000
    for each in found:
        sides = {entry.account.partition(":")[0] for entry in each.entries} - {"receivable", "fee"}
        assert len(sides) <= 1


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=5).map(lambda few: [*few, -sum(few)]),
    st.booleans(),
    st.sets(st.sampled_from(WORKS)),
    st.integers(0, 10_000),
)
def test_works_that_come_to_nothing_together_are_charged_apart_where_they_wait(
    amounts: list[int], waits: bool, split: set[UUID], fee_bps: int
):
    owed = [
        Owed(identifiers.from_uuid("wrk", work), PAYEES[0], "USD", amount, ())
        for work, amount in zip(WORKS, amounts, strict=False)
    ]
    shared = dict.fromkeys(split, SPLIT)
    charges = charges_of(POSTING, "2026-11", owed, {each.work: waits for each in owed}, fee_bps, shared)
    assert len({each.transfer.key for each in charges}) == len(charges)
    assert sum(entry.amount for each in charges for entry in each.transfer.entries) == 0
    receivable = [entry.amount for each in charges for entry in each.transfer.entries if "receivable" in entry.account]
    assert sum(receivable) == sum(amounts)
    held = [(work, amount) for each in charges for work, amount, _ in each.works]
    if waits:  # whose each will be is not known: none of it may vanish
        assert sorted(held) == sorted((work, amount) for work, amount in zip(WORKS, amounts, strict=False) if amount)
    for each in charges:
        assert sum(amount for _, amount, _ in each.works) != 0


def test_a_sum_that_money_cannot_hold_is_refused():
    lines = [Owed(identifiers.from_uuid("wrk", work), PAYEES[0], "USD", 2**53 - 1, ()) for work in WORKS[:2]]
    with pytest.raises(InputError, match="totals"):
        charges_of(POSTING, "2026-11", lines, {each.work: False for each in lines}, 0, {})


async def test_a_close_charges_agreements_once_by_splits_and_in_escrow(site: Running, clock: Clock, tmp_path: Path):
    first = clock.month
    mine, shared, weak, long = (
        await shelf(site, MONTHLY, 1),
        await shelf(site, BOUNDED, 1),
        await shelf(site, MONTHLY, 1, level=0),
        await shelf(site, LONG, 1),
    )
    for each in (shared, long):
        await agreed(each.owner, each.works, [(each.owner, 7500), (mine.owner, 2500)])
    lab = await trainer(site)
    wanted = [*mine.wanted(), *shared.wanted(), *weak.wanted(), *long.wanted()]
    licence = granted(await lab.accept(await lab.quote(wanted, None, agreement=True)))
    assert len(licence.lines) == 4
    await lab.report(licence, "2", outputs=300)
    assert await balance(lab.http) == {}
    began = clock.now()
    clock.next_month()
    assert await close_all(site, clock.now()) == [first]
    # 10 + 10 subscribed, 300 × 0.01 for outputs; a tenth is the registry's
    assert await balance(lab.http) == {("receivable", "USD"): "23"}
    assert await balance(weak.owner.http) == {("escrow", "USD"): "9"}
    assert await balance(mine.owner.http) == {("payable", "USD"): "9.675"}
    assert await balance(shared.owner.http) == {("payable", "USD"): "2.025"}
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    owners = [each.owner.http for each in (mine, shared, weak, long)]
    asking = [site.client(token.token), lab.http, *owners]
    assert await charged_in_bundles(site, asking, first, tmp_path) == [3, 3, 2, 1, 0, 0]
    clock.set(began)  # uses that owe nothing now would be of a month that was charged
    late = await lab.send(lab.batch(lab.events(licence, "3", outputs=1), licence.lines))
    assert problem(late)[0] == 503
    clock.next_month()
    second = clock.month
    clock.next_month()
    assert await close_all(site, clock.now()) == [second]
    # 20 subscribed, the least of 2, and 300 outputs of the month before × 0.01
    assert await balance(lab.http) == {("receivable", "USD"): "48"}
    assert await charged_in_bundles(site, asking, second, tmp_path) == [4, 4, 3, 1, 0, 1]
    assert await verify(site.services) == []


async def test_what_was_revoked_owes_nothing_for_periods_that_begin_after_its_notice(
    site: Running, clock: Clock, tmp_path: Path
):
    first = clock.month
    rule = MONTHLY.rules["train-gen"].model_copy(update={"revocation": Revocation(notice_days=5)})
    mine, lab = await shelf(site, Terms({**MONTHLY.rules, "train-gen": rule}), 2), await trainer(site)
    licence = granted(await lab.accept(await lab.quote(mine.wanted(), None, agreement=True)))
    await revoke(mine, licence, mine.works[:1])
    clock.next_month()
    second = clock.month
    clock.next_month()
    assert await close_all(site, clock.now()) == [first, second]
    assert await balance(lab.http) == {("receivable", "USD"): "30"}  # two, and the one that stays
    for period, works in ((first, 2), (second, 1)):
        asking = [lab.http, mine.owner.http]
        assert await charged_in_bundles(site, asking, period, tmp_path) == [works, works]
    assert await verify(site.services) == []
    async with site.services.database.transaction() as conn:
        await conn.execute("set session_replication_role = replica")
        await conn.execute("delete from duty_works where work = $1", identifiers.to_uuid(mine.works[0]))
        await conn.execute("set session_replication_role = origin")
    told = [str(each) for each in await verify(site.services)]
    assert any(f"{second}: expected a charge of {{'USD': 20000000}}" in each for each in told), told


async def test_an_allocation_that_is_taken_up_again_posts_nothing_more(site: Running, clock: Clock, monkeypatch):
    monkeypatch.setattr(closing.steps, "HOOKS", [allocate, allocate])
    mine, lab = await shelf(site, MONTHLY, 2), await trainer(site)
    granted(await lab.accept(await lab.quote(mine.wanted(), None, agreement=True)))
    first = clock.month
    clock.next_month()
    async with site.services.database.transaction() as conn:
        await periods.end(conn, first, bytes(32), clock.now())
    for expected in (1, 0):
        async with site.services.database.transaction() as conn:
            await periods.closing(conn, first)
            assert await allocate(conn, first) == expected
    await close_all(site, clock.now())
    assert await balance(lab.http) == {("receivable", "USD"): "20"}


async def test_what_cannot_be_priced_blocks_no_close_and_is_told(site: Running, clock: Clock, monkeypatch):
    good, bad, lab = await shelf(site, MONTHLY, 1), await shelf(site, MONTHLY, 1), await trainer(site)
    one = granted(await lab.accept(await lab.quote(bad.wanted(), None, agreement=True)))
    granted(await lab.accept(await lab.quote(good.wanted(), None, agreement=True)))
    compute = owed_at_close

    def refusing(lines, *arguments):
        if {line.work for line in lines} == set(bad.works):
            raise InputError.field("weight", "one work", "0")
        return compute(lines, *arguments)

    monkeypatch.setattr("registry.agreements.allocation.owed_at_close", refusing)
    first = clock.month
    clock.next_month()
    assert await closing.close_due(site.services, clock.now(), SOONEST) is not None
    assert await balance(lab.http) == {("receivable", "USD"): "10"}
    (left,) = await left_out(site.services.database)
    assert (left.licence, left.period) == (one.licence, first)
    assert left.why == "weight: expected one work, got '0'"
    assert await verify(site.services) == []
    async with site.services.database.transaction() as conn:
        await conn.execute("delete from allocations_left_out")
    told, signed = sorted(map(str, await verify(site.services)))  # it is missed where it was, and in the signed close
    assert f"licence {one.licence}: {first}: expected what can be charged" in told
    assert "period-close: left_out: expected 0, got 1" in signed
