"""Revocations, duties and disputes are in the evidence of whom they concern, and of nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from licet.audit import verify_bundle
from tests.registry.auditing.month import Month
from tests.registry.auditing.test_bundles import pulled
from tests.registry.disputes.parties import dispute, step
from tests.registry.duties.talks import done, revocable_terms, revoke, told
from tests.registry.market import shelf, trainer

pytestmark = pytest.mark.anyio

KINDS = ("licence-revoke", "duty-done", "dispute-step")


def counted(counts: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(counts.get(kind, 0) for kind in KINDS)


async def test_what_two_sides_stated_is_shown_to_both_and_to_auditors(month: Month, tmp_path: Path):
    site = month.site
    mine, lab, other = (
        await shelf(site, revocable_terms()),
        await trainer(site),
        await shelf(site, revocable_terms(), 1),
    )
    licence = await lab.license(mine.wanted())
    told(await done(lab, await revoke(mine, licence)))
    about = await dispute(other.owner, mine.works[0])
    assert (await step(mine.owner, about, "contest")).status_code == 201
    parties = {
        "artist": (mine.owner.http, (1, 1, 2)),
        "organisation": (lab.http, (1, 1, 0)),
        "claimant": (other.owner.http, (0, 0, 2)),
        "stranger": (month.candle.http, (0, 0, 0)),
    }
    for who, (http, expected) in parties.items():
        report = verify_bundle(await pulled(http, tmp_path / "b.zip", month.period), month.trust)
        assert counted(report.counts) == expected, who
    report = verify_bundle(await pulled(month.auditor, tmp_path / "b.zip", month.period), month.trust)
    assert all(count >= least for count, least in zip(counted(report.counts), (1, 1, 2), strict=True))
    chained = {check.name: check.detail for check in report.checks}["chains"]
    assert int(chained.split(" ")[0]) >= 2
