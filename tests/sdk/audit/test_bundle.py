"""An honest bundle passes every check, whosever part it is; what it says is what happened."""

from __future__ import annotations

import csv
import io
import re
import socket
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet.audit import Report, layout, verify_bundle
from licet.audit.layout import PeriodReport, period_of
from licet.errors import InputError
from licet.statements.kinds import Event
from licet.statements.statement_file import verify_statement_file
from licet.wire.common import StatementFile
from tests.sdk.audit.stage import PERIOD, Stage, identifier, unpacked

CHECKS = [
    "bundle-form", "registry-keys", "manifest-signature", "member-digests", "checkpoints", "log-consistency",
    "log-entries", "log-period", "statements", "log-coverage", "splits", "chains", "requests", "licence-lines",
    "licence-totals", "works-consented", "prices-consented", "prices-agreed", "event-ids", "event-roots",
    "event-tables", "event-amounts", "event-splits",
    "event-effects", "double-entry",
    "transfer-sums", "reversals", "balances", "journals", "period-report", "readme", "allocations",
]  # fmt: skip


def names(report: Report) -> list[str]:
    return [check.name for check in report.checks]


def test_an_honest_bundle_passes_every_check(stage: Stage, bundle: Path) -> None:
    report = verify_bundle(bundle, stage.trust)
    assert names(report) == CHECKS
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names(report))
    assert report.anchored
    assert (report.period, report.state, report.account) == (PERIOD, "open", None)
    assert (report.size, report.root) == (stage.closing, stage.log.tree(stage.closing).root.hex())
    assert report.counts["licence"] == 2
    assert report.counts["usage-batch"] == 3
    assert report.counts["known"] > 0
    assert {total.currency for total in report.accrued} == {"EUR", "USD"}


def test_verification_opens_no_socket(stage: Stage, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    assert verify_bundle(bundle, stage.trust).anchored


def test_without_a_pinned_root_it_is_only_consistent_in_itself(bundle: Path) -> None:
    report = verify_bundle(bundle, None)
    assert not report.anchored
    assert names(report) == CHECKS
    assert "not anchored" in report.checks[1].detail


def test_the_same_records_give_the_same_bytes(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    assert stage.write(stage.records(), tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_any_zip_tool_opens_it(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist()[-1] == layout.MANIFEST


def test_each_statement_in_it_can_be_verified_alone(stage: Stage, bundle: Path) -> None:
    found = {name: data for name, data in unpacked(bundle).items() if layout.statement_of(name)}
    assert len(found) == 13
    for data in found.values():
        assert verify_statement_file(msgspec.json.decode(data, type=StatementFile), stage.trust).anchored


@pytest.mark.parametrize("who", ["Tomas", "Mei"])
def test_an_artists_part_is_proven_piece_by_piece(stage: Stage, tmp_path: Path, who: str) -> None:
    path = stage.write(stage.part(who), tmp_path / "part.zip")
    report = verify_bundle(path, stage.trust)
    account = stage.people[who].id
    assert report.account == account
    assert names(report) == [check for check in CHECKS if check != "log-coverage"]
    rows = list(csv.DictReader(io.StringIO(unpacked(path)[layout.EVENTS_CSV].decode())))
    assert rows
    assert {row["payee"] for row in rows} == {account}
    others = {person.id for name, person in stage.people.items() if name not in (who, "Lantern Labs")}
    shown = b"".join(unpacked(path).values()).decode("utf-8", "replace")
    assert not [other for other in others if other in shown]


def test_an_organisations_part_is_whole(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    organisation = stage.people["Lantern Labs"].id
    records.about = records.about._replace(account=organisation)
    report = verify_bundle(stage.write(records, tmp_path / "part.zip"), stage.trust)
    assert report.account == organisation
    assert "log-coverage" not in names(report)


def test_a_part_without_uses_shows_the_ledger_alone(stage: Stage, tmp_path: Path) -> None:
    records = stage.part("Tomas")
    records.about = records.about._replace(uses=False)
    records.statements, records.lines, records.works, records.events, records.proofs = [], {}, [], [], []
    path = stage.write(records, tmp_path / "part.zip")
    report = verify_bundle(path, stage.trust)
    assert "are not shown" in next(check.detail for check in report.checks if check.name == "transfer-sums")
    assert report.counts["transfers"] > 0
    assert "ledger alone" in unpacked(path)[layout.README].decode()


def test_what_was_logged_in_a_month_and_posted_in_the_one_before_is_shown_in_both(tmp_path: Path) -> None:
    class Midnight(Stage):
        """Its log takes the third batch a minute after midnight."""

        def statement(self, kind: str, name: str, payload: Any, *signed: Any) -> str:
            late = "2026-12-01T00:01:00.000Z"
            return super().statement(kind, name, payload, *signed[:-1], late if name == "third" else signed[-1])

        def batch(self, name: str, events: list[Event], time: str) -> None:
            super().batch(name, events, "2026-11-30T23:59:00.000Z" if name == "third" else time)

    stage = Midnight()
    november = verify_bundle(stage.write(stage.records(), tmp_path / "november.zip"), stage.trust)
    december = verify_bundle(stage.write(stage.records("2026-12"), tmp_path / "december.zip"), stage.trust)
    assert {report.counts["usage-batch"] for report in (november, december)} == {3}
    assert (november.counts["transfers"], december.counts["transfers"]) == (7, 0)
    coverage = {check.name: check.detail for check in december.checks}["log-coverage"]
    assert "1 usage-batch" in coverage


def test_a_month_in_which_nothing_happened_says_so(stage: Stage, tmp_path: Path) -> None:
    records = stage.records("2026-09")
    assert (records.opening, records.closing, records.statements) == (0, 4, [])
    path = stage.write(records, tmp_path / "nil.zip")
    report = verify_bundle(path, stage.trust)
    stated = msgspec.json.decode(unpacked(path)[layout.PERIOD], type=PeriodReport)
    assert stated.nothing_happened
    assert not report.accrued
    page = unpacked(path)[layout.README].decode()
    assert "Nothing happened" in page
    assert "本期无任何记录" in page


def test_a_month_before_the_first_posting_carries_balances_on(stage: Stage, tmp_path: Path) -> None:
    records = stage.records("2026-12")
    path = stage.write(records, tmp_path / "quiet.zip")
    assert verify_bundle(path, stage.trust).counts["transfers"] == 0
    rows = list(csv.DictReader(io.StringIO(unpacked(path)[layout.BALANCES].decode())))
    assert rows
    assert all(row["opening"] == row["closing"] != "0" for row in rows)


def test_the_page_for_people_is_static_and_in_two_languages(bundle: Path) -> None:
    page = unpacked(bundle)[layout.README].decode()
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "The period is open" in page
    assert "本期尚未结账" in page


@pytest.mark.parametrize(
    ("name", "end"), [("2026-11", "2026-12-01T00:00:00.000Z"), ("2026-12", "2027-01-01T00:00:00.000Z")]
)
def test_a_period_is_a_calendar_month_in_utc(name: str, end: str) -> None:
    assert period_of(name) == (name, f"{name}-01T00:00:00.000Z", end)


@pytest.mark.parametrize("name", ["2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", "", "0000-01", "٢٠٢٦-11"])
def test_what_is_no_month_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="a month such as 2026-11"):
        period_of(name)


def test_identifiers_in_the_stage_are_those_of_the_statements(stage: Stage) -> None:
    assert stage.statements[identifier("lic", "late")][0] == "licence"
