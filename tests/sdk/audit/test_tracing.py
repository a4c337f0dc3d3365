"""From a work to everything that was done with it: out of evidence that verifies, and out of nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from licet.audit.tracing import months_between, trace
from licet.cli import main
from licet.errors import InputError, VerificationError
from licet.home import Home, TrustFile
from tests.sdk.audit.stage import MADE_AT, Stage, identifier, repacked, unpacked

change = msgspec.structs.replace


def test_a_work_leads_to_its_licences_uses_charges_and_entries(stage: Stage, bundle: Path) -> None:
    work = stage.digests["Mei"][0].work
    found = trace(bundle, work, stage.trust)
    assert (found.period, found.anchored, found.size) == ("2026-11", True, stage.closing)
    assert [each.licence for each in found.licences] == [identifier("lic", "early")]
    assert {(each.model, each.line.work) for each in found.licences} == {("lantern/lantern@1", work)}
    rows = [row for row in stage.records().events if row.work == work and row.effect in ("new", "memorandum")]
    assert [each.row for each in found.uses] == rows
    assert {each.row.memorandum for each in found.uses} == {None, "not-covered"}
    posted = {transfer.key: transfer.transfer for transfer, _ in stage.transfers}
    for each in found.uses:
        row = each.row
        assert each.transfer == (posted[f"{row.source}/escrow:{row.payee}/USD"] if row.amount else None)
        assert each.organisation == stage.people["Lantern Labs"].id
    entries = {(each.kind, each.id, each.index) for each in found.entries}
    for kind, prefix, name in (("consent", "stm", "Mei"), ("licence", "lic", "early"), ("usage-batch", "bat", "third")):
        assert (kind, identifier(prefix, name), stage.statements[identifier(prefix, name)][1]) in entries
    assert identifier("stm", "Tomas") not in {each.id for each in found.entries}
    assert [each.index for each in found.entries] == sorted(each.index for each in found.entries)
    assert all(each.member in unpacked(bundle) for each in found.entries)


def test_nothing_is_told_of_another_work_or_of_a_bundle_that_lies(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    nothing = trace(bundle, identifier("wrk", "of nobody"), stage.trust)
    assert (nothing.licences, nothing.uses, nothing.charges, nothing.entries) == ([], [], [], [])
    with pytest.raises(InputError, match="work"):
        trace(bundle, "a.png", stage.trust)
    members = unpacked(bundle)
    members["usage/events.csv"] = members["usage/events.csv"].replace(b",1,", b",2,", 1)
    lying = repacked(tmp_path / "b.zip", members, stage.working["office"])
    with pytest.raises(VerificationError):
        trace(lying, stage.digests["Mei"][0].work, stage.trust)


def test_trace_in_words(
    stage: Stage, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LICET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LICET_TOKEN", "lct_test")
    Home(tmp_path / "home").profile().trust = TrustFile(
        "http://127.0.0.1:9", stage.origin, stage.root.public.hex(), MADE_AT
    )
    work = stage.digests["Mei"][0].work
    monkeypatch.setenv("LICET_URL", "http://127.0.0.1:9")
    for extra in ([], ["--json"]):
        with pytest.raises(SystemExit) as ended:
            main(["trace", work, "--evidence", str(bundle), *extra])
        assert ended.value.code == 0
    printed = capsys.readouterr().out
    words, document = printed.split("\n{", 1)
    assert f"licensed to {stage.people['Lantern Labs'].id} for lantern/lantern@1" in words
    assert "recorded only: not-covered" in words
    assert "in escrow" in words
    assert json.loads("{" + document)["months"][0]["work"] == work


def test_the_months_since_a_registration_are_all_of_them() -> None:
    assert months_between("2025-11-30T00:00:00.000Z", "2026-02-01T00:00:00.000Z") == [
        "2025-11", "2025-12", "2026-01", "2026-02",
    ]  # fmt: skip
    with pytest.raises(InputError, match="since"):
        months_between("2026-03-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z")


def test_what_is_wrong_with_evidence_names_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LICET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LICET_URL", "http://127.0.0.1:9")
    work, bad = identifier("wrk", "any"), tmp_path / "bad.zip"
    bad.write_bytes(b"PK")
    for given, said in (
        ([work, "--evidence", str(tmp_path / "none.zip")], f"--evidence {tmp_path / 'none.zip'}: cannot be read"),
        ([work, "--evidence", str(bad)], f"--evidence {bad}: bundle-form: bad.zip: expected"),
        ([work], "nobody is asked"),
        ([work, "--since", "november"], "--since: expected a month"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["trace", *given])
        assert ended.value.code != 0
        assert said in capsys.readouterr().err
