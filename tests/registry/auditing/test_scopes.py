"""Auditors see what their scope has, and nothing beside it: whose part, of which months."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from licet import identifiers
from licet.audit import verify_bundle
from registry.accounts.operators import AuditScope, invite, told_apart
from registry.errors import Invalid, NotFound
from tests.registry.auditing.month import Month
from tests.registry.auditing.test_bundles import pulled
from tests.registry.market import problem

pytestmark = pytest.mark.anyio


async def auditor(month: Month, *scopes: str) -> httpx.AsyncClient:
    """An auditor who was invited with these scopes."""
    _, token = await invite(month.site.services.database, "auditor", name="Ada", scopes=scopes)
    return month.site.client(token.token)


async def refused(http: httpx.AsyncClient, period: str, **subject: str) -> int:
    answer = await http.get("/v1/audit/bundle", params={"period": period, **subject})
    return int(problem(answer)[0])


async def test_an_auditor_of_one_organisation_gets_its_part_and_no_other(month: Month, tmp_path: Path):
    http = await auditor(month, month.lantern.id)
    alone = verify_bundle(await pulled(http, tmp_path / "a.zip", month.period), month.trust)
    named = verify_bundle(await pulled(http, tmp_path / "b.zip", month.period, month.lantern.id), month.trust)
    assert alone.account == named.account == month.lantern.id
    assert alone.counts == named.counts
    assert await refused(http, month.period, organisation=month.candle.id) == 404
    assert await refused(http, month.period, artist=month.trusted.owner.id) == 404
    assert await refused(http, month.period, organisation=identifiers.new_id("org")) == 404


async def test_an_auditor_of_one_artist_gets_her_part_with_the_uses(month: Month, tmp_path: Path):
    http = await auditor(month, month.unknown.owner.id)
    answer = await http.get("/v1/audit/bundle", params={"period": month.period, "artist": month.unknown.owner.id})
    (tmp_path / "a.zip").write_bytes(answer.content)
    report = verify_bundle(tmp_path / "a.zip", month.trust)
    assert report.account == month.unknown.owner.id
    assert report.counts["lines"] == len(month.unknown.works)
    assert await refused(http, month.period, organisation=month.lantern.id) == 404
    assert await refused(http, month.period, organisation=month.unknown.owner.id) == 400


async def test_an_auditor_of_several_says_of_whom(month: Month, tmp_path: Path):
    http = await auditor(month, month.lantern.id, month.trusted.owner.id)
    answer = await http.get("/v1/audit/bundle", params={"period": month.period})
    assert answer.status_code == 400
    assert month.lantern.id in answer.text
    assert month.trusted.owner.id in answer.text
    await pulled(http, tmp_path / "a.zip", month.period, month.lantern.id)
    both = {"organisation": month.lantern.id, "artist": month.trusted.owner.id}
    assert await refused(http, month.period, **both) == 400


async def test_an_auditor_of_some_months_gets_no_others(month: Month, tmp_path: Path):
    http = await auditor(month, f"..{month.period}")
    assert verify_bundle(await pulled(http, tmp_path / "a.zip", month.period), month.trust).account is None
    before = await auditor(month, "2020-01..2020-12")
    assert await refused(before, month.period) == 403
    assert await refused(before, month.period, organisation=month.lantern.id) == 404
    verify_bundle(await pulled(before, tmp_path / "b.zip", "2020-06"), month.trust)


async def test_statements_are_shown_as_far_as_the_scope_goes(month: Month):
    licence = f"/v1/statements/{month.licence.licence}"
    seen = {
        "everything": (await auditor(month), 200),
        "its organisation": (await auditor(month, month.lantern.id, month.period), 200),
        "another": (await auditor(month, month.candle.id), 404),
        "another month": (await auditor(month, month.lantern.id, "2020-01"), 404),
    }
    for who, (http, status) in seen.items():
        assert (await http.get(licence)).status_code == status, who


async def test_an_auditor_without_a_row_sees_nothing(month: Month):
    number, token = await invite(month.site.services.database, "auditor", name="Ada")
    async with month.site.services.database.transaction() as conn:
        await conn.execute("delete from audit_scopes where auditor = $1", identifiers.to_uuid(number))
    http = month.site.client(token.token)
    assert await refused(http, month.period) == 403
    assert (await http.get(f"/v1/statements/{month.licence.licence}")).status_code == 404


async def test_who_is_to_be_audited_must_be_there(month: Month):
    with pytest.raises(NotFound, match="there is no account"):
        await invite(month.site.services.database, "auditor", scopes=[identifiers.new_id("org")])
    with pytest.raises(Invalid, match="for auditors alone"):
        await invite(month.site.services.database, "operator", scopes=["2026-01"])


def test_accounts_and_months_are_told_apart_from_what_a_token_may_do():
    number = identifiers.new_uuid()
    organisation = identifiers.from_uuid("org", number)
    assert told_apart(["audit", organisation, "2026-01..2026-03", organisation]) == (
        ["audit"],
        AuditScope((number,), "2026-01", "2026-03"),
    )
    assert told_apart(["2026-01"])[1] == AuditScope((), "2026-01", "2026-01")
    assert told_apart(["2026-01.."])[1] == AuditScope((), "2026-01", None)
    assert told_apart(["..2026-01"])[1] == AuditScope((), None, "2026-01")
    assert told_apart(["2026-13"]) == (["2026-13"], AuditScope())
    for wrong in (["2026-01", "2026-02"], ["2026-02..2026-01"]):
        with pytest.raises(Invalid, match="--scope"):
            told_apart(wrong)
