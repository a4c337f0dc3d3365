"""Bundles of a real service: honest, whole, each to whom it is due, and nobody else's business in them."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
import subprocess
from pathlib import Path

import httpx
import msgspec
import pytest

from licet import identifiers, money
from licet.audit import Report, layout, verify_bundle
from licet.audit.layout import PeriodReport
from licet.errors import VerificationError
from licet.statements.keys import SigningKey
from licet.statements.trust import Trust
from licet.wire.usage import Balance
from tests.registry.auditing.month import Month
from tests.registry.market import problem, trainer
from tests.sdk.audit.stage import unpacked

pytestmark = pytest.mark.anyio


async def pulled(http: httpx.AsyncClient, target: Path, period: str, organisation: str | None = None) -> Path:
    """Take the bundle home."""
    params = {"period": period} | ({"organisation": organisation} if organisation else {})
    answer = await http.get("/v1/audit/bundle", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    target.write_bytes(answer.content)
    return target


def names(report: Report) -> set[str]:
    return {check.name for check in report.checks}


async def test_an_auditor_takes_everything_home_and_every_check_holds(month: Month, tmp_path: Path):
    path = await pulled(month.auditor, tmp_path / "all.zip", month.period)
    report = verify_bundle(path, month.trust)
    assert report.anchored
    assert len(report.checks) == 33
    assert report.account is None
    assert report.counts["licence"] == 2
    assert report.counts["usage-batch"] == 5
    assert report.counts["run"] == report.counts["dataset-manifest"] == report.counts["model-card"] == 2
    assert report.counts["consent"] == 8
    assert report.counts["memorandum"] == 4
    assert report.counts["known"] > 0
    assert {total.currency for total in report.accrued} == {"EUR", "USD"}
    async with month.site.services.database.acquire() as conn:
        rows = await conn.fetch("select currency, sum(amount) as amount from usage_events group by currency")
    assert {total.currency: total.amount for total in report.accrued} == {
        row["currency"]: row["amount"] for row in rows if row["currency"]
    }


async def test_the_same_month_again_is_the_same_but_for_its_time(month: Month, tmp_path: Path):
    first, second = [
        unpacked(await pulled(month.auditor, tmp_path / name, month.period)) for name in ("a.zip", "b.zip")
    ]
    changed = {name for name in first if first[name] != second[name]}
    assert list(first) == list(second)
    assert changed <= {layout.MANIFEST, layout.README}


async def test_another_registry_does_not_vouch_for_it(month: Month, tmp_path: Path):
    path = await pulled(month.auditor, tmp_path / "all.zip", month.period)
    with pytest.raises(VerificationError, match="registry-keys"):
        verify_bundle(path, Trust(month.trust.origin, SigningKey.generate().public.hex()))


async def test_an_organisation_gets_its_own_part_whole(month: Month, tmp_path: Path):
    path = await pulled(month.lantern.http, tmp_path / "own.zip", month.period)
    report = verify_bundle(path, month.trust)
    assert report.account == month.lantern.id
    assert report.counts["licence"] == 1
    assert report.counts["usage-batch"] == 4
    assert report.counts["model-card"] == 1
    assert month.candle.id.encode() not in b"".join(unpacked(path).values())
    assert month.other.licence.encode() not in b"".join(unpacked(path).values())
    same = await pulled(month.lantern.http, tmp_path / "named.zip", month.period, month.lantern.id)
    by_auditor = await pulled(month.auditor, tmp_path / "audited.zip", month.period, month.lantern.id)
    for other in (same, by_auditor):
        assert verify_bundle(other, month.trust).counts == report.counts
        assert verify_bundle(other, month.trust).account == month.lantern.id


async def test_an_artist_gets_what_was_done_with_her_works_proven_piece_by_piece(month: Month, tmp_path: Path):
    path = await pulled(month.trusted.owner.http, tmp_path / "own.zip", month.period)
    report = verify_bundle(path, month.trust)
    assert report.counts["licence"] == 2
    assert report.counts["lines"] == 6
    members = unpacked(path)
    rows = list(csv.DictReader(io.StringIO(members[layout.EVENTS_CSV].decode())))
    assert {row["payee"] for row in rows} == {month.trusted.owner.id}
    assert {row["work"] for row in rows} == set(month.trusted.works)
    assert members[layout.EVENT_PROOFS]
    shown = b"".join(members.values())
    for other in (month.unknown, month.euros, month.shared):
        assert other.owner.id.encode() not in shown
        assert not [work for work in other.works if work.encode() in shown]
    stated = {row["account"]: row["closing"] for row in csv.DictReader(io.StringIO(members[layout.BALANCES].decode()))}
    balance = msgspec.json.decode((await month.trusted.owner.http.get("/v1/ledger/balance")).content, type=Balance)
    assert stated == {
        f"{line.account}:{month.trusted.owner.id}": money.to_decimal(-money.to_micro(line.amount))
        for line in balance.lines
    }


async def test_an_artist_below_level_2_sees_the_ledger_alone(month: Month, tmp_path: Path):
    path = await pulled(month.unknown.owner.http, tmp_path / "own.zip", month.period)
    report = verify_bundle(path, month.trust)
    assert (report.counts["licence"], report.counts["new"], report.counts["lines"]) == (0, 0, 0)
    assert report.counts["transfers"] > 0
    members = unpacked(path)
    assert not [work for work in month.unknown.works if work.encode() in b"".join(members.values())]
    assert [row["account"] for row in csv.DictReader(io.StringIO(members[layout.BALANCES].decode()))] == [
        f"escrow:{month.unknown.owner.id}"
    ]


async def test_somebody_who_had_no_part_in_it_gets_a_nil_report(month: Month, tmp_path: Path):
    idle = await trainer(month.site, "Idle Labs")
    path = await pulled(idle.http, tmp_path / "nil.zip", month.period)
    report = verify_bundle(path, month.trust)
    assert report.counts["transfers"] == 0
    stated = msgspec.json.decode(unpacked(path)[layout.PERIOD], type=PeriodReport)
    assert stated.nothing_happened


@pytest.mark.parametrize("period", ["2020-01", "2026-10"])
async def test_a_month_before_the_registry_is_a_nil_report(month: Month, tmp_path: Path, period: str):
    path = await pulled(month.auditor, tmp_path / "nil.zip", period)
    report = verify_bundle(path, month.trust)
    assert report.counts["transfers"] == report.counts["licence"] == 0
    assert not report.accrued


async def test_only_the_parties_and_staff_may_ask(month: Month):
    period = {"period": month.period}
    other = {"period": month.period, "organisation": month.candle.id}
    assert problem(await month.site.http.get("/v1/audit/bundle", params=period))[0] == 401
    for http in (month.lantern.http, month.trusted.owner.http):
        assert problem(await http.get("/v1/audit/bundle", params=other))[:2] == (404, "not-found")
    nobody = {"period": month.period, "organisation": identifiers.new_id("org")}
    assert problem(await month.auditor.get("/v1/audit/bundle", params=nobody))[:2] == (404, "not-found")
    disguised = f"org_{month.trusted.owner.id.partition('_')[2]}"
    asked = {"period": month.period, "organisation": disguised}
    assert problem(await month.auditor.get("/v1/audit/bundle", params=asked))[:2] == (404, "not-found")
    token = await month.site.post("/v1/tokens", {"scopes": ["usage"]}, http=month.lantern.http)
    narrow = month.site.client(token.json()["token"])
    assert problem(await narrow.get("/v1/audit/bundle", params=period))[:2] == (403, "not-allowed")


@pytest.mark.parametrize(
    ("period", "organisation"),
    [("2026-13", None), ("november", None), ("9998-01", None), ("", None), ("2026-10", "lantern")],
)
async def test_what_cannot_be_asked_is_refused(month: Month, period: str, organisation: str | None):
    params = {"period": period} | ({"organisation": organisation} if organisation else {})
    answer = await month.auditor.get("/v1/audit/bundle", params=params)
    assert problem(answer)[:2] == (400, "invalid-request")
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == ({"?organisation"} if organisation else {"?period"})


async def test_nothing_is_left_in_the_data_folder(month: Month, tmp_path: Path):
    await pulled(month.auditor, tmp_path / "all.zip", month.period)
    assert list((month.site.services.settings.data / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "command"),
    [
        (layout.HLEDGER, ["hledger", "check", "accounts", "commodities", "balanced", "ordereddates", "-f"]),
        (layout.HLEDGER, ["ledger", "--strict", "--args-only", "balance", "-f"]),
        (layout.BEANCOUNT, ["bean-check"]),
    ],
    ids=["hledger", "ledger", "beancount"],
)
async def test_accounting_programs_take_the_journals(month: Month, tmp_path: Path, name: str, command: list[str]):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed (Debian: hledger, ledger, beancount)")
    for number, http in enumerate((month.auditor, month.lantern.http, month.unknown.owner.http)):
        members = unpacked(await pulled(http, tmp_path / f"{number}.zip", month.period))
        journal = tmp_path / name
        journal.write_bytes(members[name])
        done = subprocess.run([*command, str(journal)], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")


async def test_a_bundle_verifies_at_every_size_that_the_published_log_had(month: Month, tmp_path: Path):
    """Postings whose statement is not in the published log yet are left out, and everything still adds up."""
    database = month.site.services.database

    async def publish(size: int) -> None:
        async with database.transaction() as conn:
            await conn.execute("set local session_replication_role = replica")
            await conn.execute(f"update log_head set published_size = {size}")

    async with database.acquire() as conn:
        newest = await conn.fetchval("select published_size from log_head")
    seen = set()
    try:
        for size in [*range(5, newest, 3), newest - 1]:
            await publish(size)
            report = verify_bundle(await pulled(month.auditor, tmp_path / "then.zip", month.period), month.trust)
            assert report.size == size
            seen.add((report.counts["licence"], report.counts["usage-batch"], report.counts["transfers"]))
            await pulled(month.lantern.http, tmp_path / "part.zip", month.period)
            verify_bundle(tmp_path / "part.zip", month.trust)
    finally:
        await publish(newest)
    assert len(seen) > 4
    assert (0, 0, 0) in seen


async def test_bundles_are_put_together_a_few_at_a_time(month: Month, tmp_path: Path):
    answers = await asyncio.gather(
        *(month.auditor.get("/v1/audit/bundle", params={"period": month.period}) for _ in range(14))
    )
    assert {answer.status_code for answer in answers} == {200, 429}
    busy = next(answer for answer in answers if answer.status_code == 429)
    assert problem(busy)[1] == "quota-exceeded"
    assert busy.headers["retry-after"] == "60"
    assert sum(answer.status_code == 200 for answer in answers) == 10
