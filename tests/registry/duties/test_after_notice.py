"""What a licence covers no longer: after the notice of a revocation, in runs of another version, or elsewhere.

Every such use is recorded and flagged with its reason, none is charged, none is dropped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet import identifiers, times
from licet.audit import verify_bundle
from licet.statements.kinds import Use
from licet.statements.trust import Trust
from licet.wire.common import Page
from licet.wire.licensing import LicenceGranted
from licet.wire.usage import Logged, RunInfo
from registry.snapshots.publisher import publish
from tests.registry.duties.talks import revocable_terms, revoke
from tests.registry.harness import Running
from tests.registry.market import TRAIN, Shelf, Trainer, balance, nothing_is_wrong, shelf, trainer

pytestmark = pytest.mark.anyio


async def reasons(site: Running, licence: LicenceGranted) -> dict[str, list[str | None]]:
    """Return by run why its uses under ``licence`` are memoranda."""
    async with site.services.database.acquire() as conn:
        rows = await conn.fetch(
            "select run, memorandum from usage_events where licence = $1 order by run, work",
            identifiers.to_uuid(licence.licence),
        )
    found: dict[str, list[str | None]] = {}
    for row in rows:
        found.setdefault(row["run"], []).append(row["memorandum"])
    return found


async def run(lab: Trainer, licences: list[str], *, use: dict[str, Any] | None = None, **changes: Any) -> RunInfo:
    """Return the run that ``lab`` reports on a dataset of its own, under ``licences``."""
    await publish(lab.site.services)
    async with lab.site.services.database.acquire() as conn:
        snapshot = (await conn.fetchval("select digest from snapshots order by sequence desc limit 1")).hex()
    declared = use or {"uses": ["train-gen"], "purpose": ["commercial"]}
    manifest = lab.manifest(snapshot, licences=licences, use=declared)
    answer = await lab.log("/v1/datasets", manifest)
    assert answer.status_code == 201, answer.text
    dataset = msgspec.json.decode(answer.content, type=Logged).id
    sealed = lab.run(dataset, manifest.payload_digest, snapshot, licences=licences, **changes)
    answer = await lab.log("/v1/runs", sealed)
    assert answer.status_code == 201, answer.text
    listed = msgspec.json.decode((await lab.http.get("/v1/runs")).content, type=Page[RunInfo]).items
    return listed[0]


async def both(site: Running, effect: str, model: str = "per-output") -> tuple[Shelf, Trainer, LicenceGranted]:
    """Return works whose licence can be revoked without notice, a trainer, and its licence."""
    mine, lantern = await shelf(site, revocable_terms(0, effect, model), 1), await trainer(site)
    return mine, lantern, await lantern.license(mine.wanted())


async def test_after_the_notice_a_use_is_recorded_and_not_charged_and_the_licence_is_held_no_more(
    site: Running, tmp_path: Path
):
    mine, lantern, licence = await both(site, "stop-new-runs", "per-training-run")
    assert (await lantern.quote(mine.wanted())).lines == []
    before = times.to_text(times.now())
    duty = await revoke(mine, licence)
    late = await lantern.report(licence, "2")
    early = await lantern.report(licence, "3", at=before)  # reported late, used in time
    assert [(each.new, each.memorandum) for each in (late, early)] == [(0, 1), (1, 0)]
    assert await reasons(site, licence) == {"1": [None], "2": ["revoked"], "3": [None]}
    stated = await run(lantern, [licence.licence], run="4")
    assert [(each.licence, each.reason) for each in stated.outside] == [(licence.licence, "revoked")]
    again = await lantern.license(mine.wanted())  # her terms go on to offer it
    assert again.licence != licence.licence
    assert duty.state == "overdue"
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    for who in (lantern.http, mine.owner.http):
        evidence = await who.get("/v1/audit/bundle", params={"period": before[:7]})
        (tmp_path / "bundle.zip").write_bytes(evidence.content)
        checks = {check.name: check.detail for check in verify_bundle(tmp_path / "bundle.zip", trust).checks}
        assert "1 of these by a revocation or run that is not shown" in checks["event-effects"]
    await nothing_is_wrong(site)


@pytest.mark.parametrize(("effect", "goes_on"), [("stop-new-runs", True), ("retire-model", False), ("unlearn", False)])
async def test_outputs_of_what_was_trained_before_are_covered_unless_the_model_must_go(
    site: Running, effect: str, goes_on: bool
):
    mine, lantern, licence = await both(site, effect)
    assert (await run(lantern, [licence.licence], run="2")).outside == []
    await revoke(mine, licence)
    for name in ("1", "2", "3"):  # with the licence, before the revocation, never
        await lantern.report(licence, name, outputs=4)
    reason = None if goes_on else "revoked"
    assert await reasons(site, licence) == {"1": [reason], "2": [reason], "3": ["revoked"]}
    await nothing_is_wrong(site)


async def test_a_run_of_another_version_or_elsewhere_is_flagged_with_all_that_it_used(site: Running):
    mine, lantern = await shelf(site, revocable_terms(), 1), await trainer(site)
    at_home = Use(**{**msgspec.structs.asdict(TRAIN), "territory": ["DE"]})
    licence = await lantern.license(mine.wanted(), use=at_home)
    german = {"uses": ["train-gen"], "purpose": ["commercial"], "territory": ["DE"]}
    everywhere = {**german, "territory": ["DE", "FR"]}
    runs: dict[str, dict[str, Any]] = {
        "own": {"use": german},
        "next": {"use": german, "version": "2"},
        "other": {"use": german, "model": "acme/candle"},
        "abroad": {"use": everywhere},
        "style": {"use": {**german, "uses": ["finetune-style"]}},
    }
    found = {name: (await run(lantern, [licence.licence], run=name, **fields)).outside for name, fields in runs.items()}
    assert {name: [each.reason for each in flags] for name, flags in found.items()} == {
        "own": [],
        "next": ["version"],
        "other": ["model"],
        "abroad": ["territory"],
        "style": ["use"],
    }
    for name in found:
        await lantern.report(licence, name)
    assert await reasons(site, licence) == {
        "1": [None],
        **{name: [flags[0].reason if flags else None] for name, flags in found.items()},
    }
    await nothing_is_wrong(site)


async def test_a_use_in_a_run_that_nobody_reported_is_charged_as_its_licence_says(site: Running):
    """A use names no model: what its run was of is known once the run is reported, and counts for what comes after."""
    mine, lantern = await shelf(site, revocable_terms(), 1), await trainer(site)
    licence = await lantern.license(mine.wanted())
    unknown = await lantern.report(licence, "2")
    assert (unknown.new, unknown.memorandum) == (1, 0)
    assert await balance(lantern.http) == {("receivable", "USD"): "0.1"}
    assert (await run(lantern, [licence.licence], run="2", version="2")).outside[0].reason == "version"
    assert (await lantern.report(licence, "2")).known == 1  # again, by whatever run it was: once
    stated = await run(lantern, [licence.licence], run="3", version="2")
    assert [each.reason for each in stated.outside] == ["version"]
    late = await lantern.report(licence, "3")
    assert (late.new, late.memorandum) == (0, 1)
    assert await reasons(site, licence) == {"1": [None], "2": [None], "3": ["version"]}
    assert await balance(lantern.http) == {("receivable", "USD"): "0.1"}
    await nothing_is_wrong(site)
