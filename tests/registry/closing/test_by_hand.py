"""A month of every price model, computed with fractions from the rules alone, and by hledger from the journal."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest

from licet.audit import layout
from licet.terms import Price, preset
from registry.accounts.operators import invite
from registry.auditing import verify
from tests.registry.agreements.revenue import report
from tests.registry.catalogue import Artist, artist, registry
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_bundles import pulled
from tests.registry.closing.test_closing import close_all
from tests.registry.harness import Running
from tests.registry.market import Shelf, balance, granted, shelf, trainer
from tests.registry.servers import Server
from tests.registry.splits.owners import agreed

pytestmark = pytest.mark.anyio
FEE = Fraction(333, 10_000)
MICRO = 1_000_000
DEE = Fraction(3333, 10_000)
Sums = Counter[tuple[str, str]]  # account of the journal, currency → micro-units that it is owed


@pytest.fixture
async def site(
    server: Server, migrated_template: str, tmp_path_factory: pytest.TempPathFactory, clock: Clock
) -> AsyncIterator[Running]:
    """A service whose fee divides nothing evenly."""
    async with (
        server.fresh(migrated_template, "byhand") as dsn,
        registry(dsn, tmp_path_factory.mktemp("byhand"), fee_bps=333) as running,
    ):
        yield running


class Books:
    """What a transfer to each payee comes to: a whole fee, the rest to who earns, in whole micro-units."""

    def __init__(self) -> None:
        self.sums: Sums = Counter()

    def owed(self, lab: str, currency: str, gross: int, shares: dict[str, Fraction]) -> None:
        fee = floor(gross * FEE)
        exact = {name: (gross - fee) * share for name, share in shares.items()}
        parts = {name: floor(amount) for name, amount in exact.items()}
        for name in sorted(exact, key=lambda each: parts[each] - exact[each])[: gross - fee - sum(parts.values())]:
            parts[name] += 1
        self.sums[f"receivable:{lab}", currency] -= gross
        self.sums["fee:registry", currency] += fee
        for name, amount in parts.items():
            self.sums[name, currency] += amount


def price(model: str, **figures: object) -> Price:
    return Price.model_validate({"model": model, **figures})


def payable(who: Artist) -> dict[str, Fraction]:
    return {f"payable:{who.id}": Fraction(1)}


async def test_every_price_model_comes_to_what_fractions_and_hledger_say(site: Running, clock: Clock, tmp_path: Path):
    month, lab, books = clock.month, await trainer(site), Books()
    ann, ben, cid, dee = [await artist(site, name) for name in ("Ann", "Ben", "Cid", "Dee")]
    for who in (ann, ben, dee):
        await who.raise_level(2)
    waits = {f"escrow:{cid.id}": Fraction(1)}

    async def shelves(asked: Price, *owners: tuple[Artist, int]) -> list[Shelf]:
        return [await shelf(site, preset("paid", asked), count, owner=owner) for owner, count in owners]

    async def agree(found: Iterable[Shelf], **fields: object) -> str:
        wanted = [each for own in found for each in own.wanted()]
        return granted(await lab.accept(await lab.quote(wanted, None, agreement=True, **fields))).licence

    # 0.333333 for each of three works, of which one is shared
    hers, shared = await shelves(price("per-work", amount="0.333333", currency="USD"), (ann, 2), (ann, 1))
    await agreed(ann, shared.works, [(ann, 6667), (dee, 3333)])
    await lab.license([*hers.wanted(), *shared.wanted()])
    books.owed(lab.id, "USD", 2 * 333_333, payable(ann))
    books.owed(lab.id, "USD", 333_333, {f"payable:{ann.id}": 1 - DEE, f"payable:{dee.id}": DEE})
    # 0.050001 a run of two, in another currency
    (own,) = await shelves(price("per-training-run", amount="0.050001", currency="EUR"), (ben, 3))
    runs = await lab.license(own.wanted(), "10EUR")
    await lab.report(runs, "2")
    for _ in range(2):
        books.owed(lab.id, "EUR", 3 * 50_001, payable(ben))
    # outputs at 0.000007, of works that wait
    (own,) = await shelves(price("per-output", amount="0.000007", currency="USD"), (cid, 2))
    await lab.report(await lab.license(own.wanted()), "1", outputs=1_234_567)
    books.owed(lab.id, "USD", 2 * 7 * 1_234_567, waits)
    # a month at 9.99
    await agree(await shelves(price("subscription", amount="9.99", currency="USD", period="P1M"), (ben, 1)))
    books.owed(lab.id, "USD", 9_990_000, payable(ben))
    # 100 in equal parts: who comes first has the micro-unit that is left
    equal = await shelves(price("pool", currency="USD"), (ann, 1), (ben, 1), (cid, 1))
    licence = await agree(equal, weigh="work")
    await report(lab, licence, month, {}, pool={"USD": 100})
    first = min((each.works[0], to) for each, to in zip(equal, (payable(ann), payable(ben), waits), strict=True))[1]
    for to in (payable(ann), payable(ben), waits):
        books.owed(lab.id, "USD", 33_333_333 + (to == first), to)
    # 12.5 % of 1,000 pro rata of 7, 2 and 1, within at most 99
    weighed = await shelves(
        price("pool", currency="EUR", share_bps=1250, cap="99", period="P1M"), (ann, 1), (ben, 1), (cid, 1)
    )
    licence = await agree(weighed, weigh="report")
    weights = dict(zip((each.works[0] for each in weighed), (7, 2, 1), strict=True))
    await report(lab, licence, month, {"EUR": 1000}, weights=weights)
    for weight, to in ((7, payable(ann)), (2, payable(ben)), (1, waits)):
        books.owed(lab.id, "EUR", 99 * MICRO * weight // 10, to)
    # 30 % of the revenue: at least 50, at most 500, and what is between
    for revenue, gross in ((123, 50 * MICRO), (2000, 500 * MICRO), (1001, 300_300_000)):
        asked = price("revenue-share", share_bps=3000, currency="USD", minimum="50", cap="500", period="P1M")
        licence = await agree(await shelves(asked, (ben, 1)))
        await report(lab, licence, month, {"USD": revenue})
        books.owed(lab.id, "USD", gross, payable(ben))
    clock.next_month()
    assert await close_all(site, clock.now()) == [month]
    assert await verify(site.services) == []
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    _, members = await pulled(site, site.client(token.token), tmp_path / "b.zip", month)
    found: Sums = Counter()
    for who in (ann, ben, cid, dee):
        for (account, currency), amount in (await balance(who.http)).items():
            found[f"{account}:{who.id}", currency] = micro(amount)
    expected = {place: sum_ for place, sum_ in books.sums.items() if sum_}
    assert found == {place: sum_ for place, sum_ in expected.items() if place[0].startswith(("payable", "escrow"))}
    assert await balance(lab.http) == {
        ("receivable", currency): decimal(-books.sums[f"receivable:{lab.id}", currency]) for currency in ("EUR", "USD")
    }
    assert by_hledger(members[layout.HLEDGER], tmp_path / "month.journal") == expected


def by_hledger(journal: bytes, at: Path) -> Sums:
    """Return what hledger makes of the journal, whose sums balance; what is owed has no sign."""
    command = shutil.which("hledger")
    if command is None:
        pytest.skip("hledger is not on this machine")
    at.write_bytes(journal)
    subprocess.run([command, "-f", at, "check", "accounts", "commodities", "balanced", "ordereddates"], check=True)
    told = subprocess.run(
        [command, "-f", at, "balance", "--flat", "-N", "-O", "csv", "--layout=bare"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: Sums = Counter()
    for line in told.stdout.splitlines()[1:]:
        account, currency, amount = (each.strip('"') for each in line.split('","'))
        kind, owner = account.lower().split(":")[1:]
        found[f"{kind}:{owner.replace('-', '_')}", currency] = -micro(amount.replace(",", ""))
    return found


def micro(amount: str) -> int:
    exact = Fraction(amount) * MICRO
    assert exact.denominator == 1, amount
    return exact.numerator


def decimal(amount: int) -> str:
    return f"{amount / MICRO:.6f}".rstrip("0").rstrip(".")
