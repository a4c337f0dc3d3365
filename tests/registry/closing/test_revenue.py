"""Pools and shares of revenue: reported, divided at the close, trued up at the next, and told to whoever earns."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet import identifiers, money, times
from licet.statements.kinds import Budget
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.terms import Price, Revocation, Terms, preset
from licet.wire.accounts import EventInfo
from licet.wire.common import Page
from licet.wire.revenue import RevenueAwaited, RevenueInfo, RevenueShown
from registry.accounts.operators import invite
from registry.agreements.allocation import allocate
from registry.auditing import verify
from registry.closing import steps
from registry.ledger import periods
from tests.registry.agreements.revenue import drafted, report, send, shares, stranger, words
from tests.registry.agreements.talks import NEGOTIATED, agree, ask, offer
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_allocation import charged_in_bundles
from tests.registry.closing.test_closing import close_all
from tests.registry.duties.talks import revoke
from tests.registry.harness import Running
from tests.registry.market import Shelf, balance, granted, problem, shelf, trainer

pytestmark = pytest.mark.anyio

GOLDEN = Path(__file__).parents[2] / "sdk" / "pricing" / "golden"
THIRD = Price(model="revenue-share", share_bps=3000, currency="USD", minimum="500")


async def listed(http: Any, path: str, schema: Any, **wanted: str) -> Any:
    answer = await http.get(path, params=wanted)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Page[schema]).items


async def shown(http: Any, name: str) -> RevenueShown:
    answer = await http.get(f"/v1/revenue-reports/{name}")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=RevenueShown)


async def test_rule_19_public_schemes_come_to_the_same_through_the_service(site: Running, clock: Clock, tmp_path: Path):
    """Each scheme is a licence; works of one payee are one shelf, and the steps of the golden files are told."""
    lab, month, due = await trainer(site), clock.month, []
    for name in ("pro-rata-by-asset-count", "least-or-30-percent-of-little", "least-where-nothing-was-reported",
                 "per-output-with-weights"):  # fmt: skip
        golden = json.loads((GOLDEN / f"{name}.json").read_text())
        price = Price.model_validate(golden["items"][0]["price"])
        payees = sorted({each["payee"] for each in golden["items"]})
        shelves: dict[str, Shelf] = {}
        weights: dict[str, int] = {}
        for payee in payees:
            items = [each for each in golden["items"] if each["payee"] == payee]
            shelves[payee] = await shelf(site, preset("paid", price), len(items))
            weights |= dict(zip(shelves[payee].works, (each.get("weight", 1) for each in items), strict=True))
        wanted = [each for payee in payees for each in shelves[payee].wanted()]
        assert {each.reason for each in (await lab.quote(wanted)).left_out} == {"needs-agreement"}
        licence = granted(await lab.accept(await lab.quote(wanted, None, agreement=True, weigh="report")))
        if golden["quantities"]:
            said = {field: [Budget(*each) for each in amounts.items()] for field, amounts in
                    golden["quantities"].items()}  # fmt: skip
            await report(lab, licence.licence, month, {}, weights=weights, changes=said)
        due.append((golden, licence.licence, shelves))
    before = await shares(lab.http, due[0][1], month)
    assert {each.state for each in before} == {"open"}
    clock.next_month()
    await close_all(site, clock.now())
    for golden, number, shelves in due:
        told = {each.account: each for each in await shares(lab.http, number, month)}
        lines = {each["payee"]: [line for line in golden["lines"] if line["work"] == each["work"]]
                 for each in golden["items"]}  # fmt: skip
        sums = sum(money.to_micro(each.amount) for each in told.values())
        assert {each.currency: money.to_decimal(sums) for each in told.values()} == golden["totals"]
        for payee, own in shelves.items():
            share = told[own.owner.id]
            assert await shares(own.owner.http, number, month) == [share]
            if len(own.works) == 1:
                (line,) = lines[payee]
                assert (share.amount, share.open, words(share)) == (line["amount"], line["open"], line["en"])
                assert words(share, "zh-Hans") == line["zh-Hans"]
    weighed, owner = due[0][1], next(iter(due[0][2].values())).owner
    (info,) = await listed(owner.http, "/v1/revenue-reports", RevenueInfo, licence=weighed)
    seen = [await shown(who, info.report) for who in (owner.http, lab.http)]
    assert [(each.report.weights, each.document is None) for each in seen] == [(3, True), (3, False)]
    assert await balance(lab.http) == {("receivable", "EUR"): "36000", ("receivable", "USD"): "1200"}
    owners = [own.owner.http for _, _, shelves in due for own in shelves.values()]
    assert (await charged_in_bundles(site, [lab.http, *owners], month, tmp_path))[0] > 0
    assert await verify(site.services) == []


async def test_what_is_reported_late_is_trued_up_once_and_no_closed_month_changes(
    site: Running, clock: Clock, tmp_path: Path
):
    first, lab = clock.month, await trainer(site)
    ada, ben = await shelf(site, NEGOTIATED, 2), await shelf(site, preset("paid", THIRD), 1)
    asked = await ask(lab, ada)
    await offer(ada.owner, asked, THIRD)
    late = (await agree(lab, ada, asked)).licence
    timely = granted(await lab.accept(await lab.quote(ben.wanted(), None, agreement=True))).licence
    clock.next_month()
    second = clock.month
    awaited = await listed(lab.http, "/v1/revenue-reports/awaited", RevenueAwaited)
    assert [(each.licence, each.period, each.closed) for each in awaited] == [
        (each, first, False) for each in sorted([late, timely])
    ]
    said = await report(lab, timely, first, {"USD": 10_000})
    assert said.counts_at == first
    async with site.services.database.transaction() as conn:
        await periods.end(conn, first, bytes(32), clock.now())
    held = await send(lab, drafted(lab, late, first, {"USD": 4000}))
    assert (problem(held)[0], "is being closed" in problem(held)[2]) == (503, True)
    assert await close_all(site, clock.now()) == [first]
    assert await balance(lab.http) == {("receivable", "USD"): "3500"}  # 30 % of 10,000, and the least of 500
    told = await listed(lab.http, "/v1/events", EventInfo, kind="revenue-missing")
    assert [each.subject for each in told] == [late]
    (missing,) = await listed(ada.owner.http, "/v1/revenue-reports/awaited", RevenueAwaited)
    assert (missing.licence, missing.period, missing.closed) == (late, first, True)
    closed = await shares(ada.owner.http, late, first)
    assert [(each.amount, each.works, each.open, each.state) for each in closed] == [("500", 2, True, "closed")]

    payload = drafted(lab, late, first, {"USD": 4000})
    for _ in range(2):  # sent twice, it is one report
        assert (await send(lab, payload)).status_code == 201
    again = await send(lab, drafted(lab, late, first, {"USD": 4000}))
    assert problem(again)[0] == 409
    less = await report(lab, timely, first, {"USD": 1000}, supersedes=said.document)
    assert less.counts_at == second
    assert problem(await send(lab, drafted(lab, timely, first, {"USD": 9}, supersedes=said.document)))[0] == 409
    found = await listed(ben.owner.http, "/v1/revenue-reports", RevenueInfo, licence=timely)
    assert [(each.revenue[0].amount, each.current) for each in found] == [("1000", True), ("10000", False)]
    assert await listed(ada.owner.http, "/v1/revenue-reports", RevenueInfo, licence=timely) == []
    assert (await ada.owner.http.get(f"/v1/revenue-reports/{less.report}")).status_code == 404
    assert (await ada.owner.http.get(f"/v1/licences/{timely}/shares?period={first}")).status_code == 404
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    file = (await shown(ben.owner.http, less.report)).document
    assert file is not None
    assert any(lab.id in check for check in verify_statement_file(file, trust).checks)
    assert await balance(lab.http) == {("receivable", "USD"): "3500"}

    for licence in (late, timely):
        await report(lab, licence, second, {"USD": 0})
    clock.next_month()
    assert await close_all(site, clock.now()) == [second]
    # 1,200 instead of 500; 500 instead of 3,000; and the least of the second month, twice
    assert await balance(lab.http) == {("receivable", "USD"): "2700"}
    assert await balance(ada.owner.http) == {("payable", "USD"): "1530"}
    assert await balance(ben.owner.http) == {("payable", "USD"): "900"}
    assert await shares(ada.owner.http, late, first) == closed
    up = next(each for each in await shares(ada.owner.http, late, second) if each.steps[0].what == "late")
    assert words(up) == [
        f"of {first}, reported after its close",
        "30% of 4,000.00 USD net revenue = 1,200.00 USD",
        "1,200.00 USD × 2 / 2 = 1,200.00 USD",
        "less 500.00 USD charged before = 700.00 USD",
    ]
    down = next(each for each in await shares(ben.owner.http, timely, second) if each.steps[0].what == "late")
    assert (down.amount, words(down)[-1]) == ("-2500", "less 3,000.00 USD charged before = −2,500.00 USD")
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    everybody = [site.client(token.token), lab.http, ada.owner.http, ben.owner.http]
    for month, works in ((first, [3, 3, 2, 1]), (second, [6, 6, 4, 2])):  # what is trued up is told of beside
        assert await charged_in_bundles(site, everybody, month, tmp_path) == works
    assert await verify(site.services) == []
    async with site.services.database.transaction() as conn:
        await conn.execute("alter table revenue_reports disable trigger user")
        await conn.execute("update revenue_reports set revenue = '{\"USD\": 1}', counts_at = $1", second)
    wrong = [str(each) for each in await verify(site.services)]
    assert any(f"revenue report {said.report}: expected what was signed" in each for each in wrong)
    assert any(f"expected it to count at {first}, got {second}" in each for each in wrong)
    assert any(f"licence {timely}: {first}: expected a charge of" in each for each in wrong)


async def test_a_report_that_cannot_be_is_refused_by_its_field(site: Running, clock: Clock):
    lab, other = await trainer(site), await trainer(site)
    mine = await shelf(site, preset("paid", THIRD), 1)
    plain = await shelf(site, preset("paid", Price(model="subscription", amount="1", currency="USD", period="P1M")), 1)
    licence = granted(await lab.accept(await lab.quote(mine.wanted(), None, agreement=True))).licence
    monthly = granted(await lab.accept(await lab.quote(plain.wanted(), None, agreement=True))).licence
    month, before = clock.month, f"{times.now().year - 1}-01"
    for payload, said in (
        (drafted(lab, licence, before, {"USD": 1}), f"period: expected {month} or later, the month of the grant"),
        (drafted(lab, licence, f"{times.now().year + 1}-01", {"USD": 1}), "period: expected a month that has begun"),
        (drafted(lab, licence, month, {"EUR": 1}), "revenue: expected an amount in USD"),
        (drafted(lab, licence, month, {"USD": 1}, pool={"USD": 1}), "pool: expected nothing, got USD"),
        (drafted(lab, licence, month, {"USD": 1}, weights={mine.works[0]: 1}), "weights: expected none"),
        (drafted(lab, licence, month, {"USD": 1}, supersedes="ab" * 32), "supersedes: expected null"),
        (drafted(lab, monthly, month, {"USD": 1}), "licence: expected an agreement that divides"),
        (drafted(lab, stranger("lic"), month, {"USD": 1}), "licence: expected an agreement of the caller's"),
        (drafted(other, licence, month, {"USD": 1}), "licence: expected an agreement of the caller's"),
        (drafted(lab, licence, month, {"USD": 1}, changes={"report": stranger("ask")}), "report: expected"),
        (drafted(lab, licence, month, {"USD": 1}, changes={"nonce": ""}), "nonce: expected"),
        (drafted(lab, licence, month, {"USD": 1}, changes={"genesis": "00"}), "payload.genesis: expected"),
    ):
        answer = await send(lab if payload.organisation == lab.id else other, payload)
        assert answer.status_code == 400, answer.text
        assert said in problem(answer)[2]
    kept = await report(lab, licence, month, {"USD": 1})
    taken = drafted(lab, licence, month, {"USD": 2}, supersedes=kept.document, changes={"report": kept.report})
    assert "report: expected an identifier that is new" in problem(await send(lab, taken))[2]
    wrong = await lab.http.get(f"/v1/licences/{licence}/shares?period={before}")
    assert (problem(wrong)[0], "?period: expected" in problem(wrong)[2]) == (400, True)
    assert (await lab.http.get(f"/v1/licences/{identifiers.new_id('lic')}/shares?period={month}")).status_code == 404


async def test_no_report_is_awaited_of_months_after_a_notice(site: Running, clock: Clock):
    """Hers is revoked and the other's is not; then the other's is too."""
    price = preset("paid", Price(model="revenue-share", share_bps=3000, currency="USD"))
    rule = price.rules["train-gen"].model_copy(update={"revocation": Revocation(notice_days=5)})
    terms = Terms({**price.rules, "train-gen": rule})
    ada, ben, lab = await shelf(site, terms, 1), await shelf(site, terms, 1), await trainer(site)
    wanted = [*ada.wanted(), *ben.wanted()]
    licence = granted(await lab.accept(await lab.quote(wanted, None, agreement=True)))
    first = clock.month
    await revoke(ada, licence)

    async def awaited(http: Any) -> list[str]:
        return [each.period for each in await listed(http, "/v1/revenue-reports/awaited", RevenueAwaited)]

    clock.next_month()
    second = clock.month
    await revoke(ben, licence)  # the notice ends in this month
    clock.next_month()
    third = clock.month
    assert await awaited(lab.http) == [first, second]
    assert await awaited(ada.owner.http) == [first]
    assert await awaited(ben.owner.http) == [first, second]
    clock.set(clock.now() + timedelta(days=31))
    assert third not in await awaited(lab.http)


async def test_shares_of_works_below_level_2_are_refused_with_the_reason(site: Running, clock: Clock):
    ada, lab = await shelf(site, preset("paid", THIRD), 1, level=0), await trainer(site)
    licence = granted(await lab.accept(await lab.quote(ada.wanted(), None, agreement=True))).licence
    answer = await ada.owner.http.get(f"/v1/licences/{licence}/shares?period={clock.month}")
    assert (answer.status_code, "from claim level 2 on; yours is 0" in problem(answer)[2]) == (403, True)


async def test_a_close_that_comes_by_again_tells_once_what_was_not_reported(
    site: Running, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Price(model="revenue-share", share_bps=3000, currency="USD", period="P1M")
    lab, works = await trainer(site), await shelf(site, preset("paid", shared), 1)
    granted(await lab.accept(await lab.quote(works.wanted(), None, agreement=True)))
    monkeypatch.setattr(steps, "HOOKS", [allocate, allocate])
    clock.next_month()
    await close_all(site, clock.now())
    told = await listed(lab.http, "/v1/events", EventInfo)
    assert [each.kind for each in told].count("revenue-missing") == 1
