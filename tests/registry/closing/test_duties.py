"""Duties in evidence bundles: those of the month and those of before that are open, each held to what was signed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import msgspec
import pytest

from licet import times
from licet.audit import layout, verify_bundle
from licet.audit.layout import BundleDuty
from licet.errors import VerificationError
from licet.wire.duties import DutyInfo
from registry.accounts.operators import invite
from registry.auditing import bundle, queries
from registry.duties import queries as duty_queries
from registry.duties.queries import OWED
from registry.http import moments
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_bundles import pulled, trust_of
from tests.registry.closing.test_closing import close_all
from tests.registry.duties.talks import done, revocable_terms, revoke, told
from tests.registry.harness import Running
from tests.registry.market import Trainer, shelf, trainer
from tests.sdk.audit.stage import repacked, unpacked

pytestmark = pytest.mark.anyio

duty_of, DUTIES = bundle._duty, queries.DUTIES


async def listed(site: Running, http: httpx.AsyncClient, month: str, target: Path) -> tuple[list[BundleDuty], str]:
    """Return the duties in the bundle of ``month``, and what the check says of them."""
    report, members = await pulled(site, http, target, month)
    rows = [msgspec.json.decode(line, type=BundleDuty) for line in members[layout.DUTIES].splitlines()]
    return rows, {check.name: check.detail for check in report.checks}["duties"]


async def caused(site: Running) -> tuple[httpx.AsyncClient, Trainer, DutyInfo, DutyInfo]:
    """Return an artist who revoked a licence for two works, one by one, its trainer, and the two duties."""
    mine, lab = await shelf(site, revocable_terms(10), 2), await trainer(site)
    licence = await lab.license(mine.wanted())
    one, other = [await revoke(mine, licence, [work]) for work in sorted(mine.works)]
    return mine.owner.http, lab, one, other


async def test_a_duty_is_in_every_bundle_until_it_is_stated_to_be_done(site: Running, clock: Clock, tmp_path: Path):
    first, target = clock.month, tmp_path / "bundle.zip"
    mine, lab, one, other = await caused(site)
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    everybody = (site.client(token.token), lab.http, mine)
    clock.next_month()
    second = clock.month
    assert await close_all(site, clock.now()) == [first]
    told(await done(lab, one))
    clock.next_month()
    assert await close_all(site, clock.now()) == [second]
    stranger = await trainer(site)
    for http in everybody:
        for month, expected in (
            (first, {one.duty: False, other.duty: False}),
            (second, {one.duty: True, other.duty: False}),
            (clock.month, {other.duty: False}),
        ):
            rows, said = await listed(site, http, month, target)
            assert {row.duty: row.done_at is not None for row in rows} == expected
            stated = sum(expected.values())
            assert said == f"{len(rows)} dut{'y' if len(rows) == 1 else 'ies'} of the month, {stated} stated to be done"
            assert [row.due_at for row in rows if row.duty == other.duty] == [other.due_at]
    assert (await listed(site, stranger.http, second, target))[0] == []


async def test_a_list_of_duties_that_lies_is_refused(
    site: Running, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first, target = clock.month, tmp_path / "bundle.zip"
    mine, lab, one, other = await caused(site)
    clock.next_month()
    second = clock.month
    assert await close_all(site, clock.now()) == [first]
    told(await done(lab, one))
    everybody = (mine, lab.http)

    async def refused(month: str, said: str, who: tuple[httpx.AsyncClient, ...] = everybody) -> None:
        for http in who:
            with pytest.raises(VerificationError, match=f"duties.*{said}"):
                await pulled(site, http, target, month)

    def telling(change: Callable[[BundleDuty], BundleDuty]) -> None:
        monkeypatch.setattr(bundle, "_duty", lambda row: change(duty_of(row)))

    replace, now = msgspec.structs.replace, times.to_text(clock.now())
    lies: list[tuple[Callable[[BundleDuty], BundleDuty], str]] = [
        (
            lambda row: replace(row, done_at=row.done_at or now),
            f"{other.duty}: expected the statement that",
        ),
        (lambda row: replace(row, done_at=None), f"{one.duty}: expected it to be done at"),
        (lambda row: replace(row, done_at=row.done_at and now), f"{one.duty}: expected it to be done at"),
        (lambda row: replace(row, due_at=now), "expected it due at"),
        (lambda row: replace(row, revoked_at=now), "expected what was revoked"),
        (lambda row: replace(row, document="ab" * 32), "expected what was revoked"),
        (lambda row: replace(row, works=2), "expected what was revoked"),
        (lambda row: replace(row, effect="unlearn"), "expected the condition of"),
        (lambda row: replace(row, duty=f"{row.duty[:-1]}~"), "expected the revocation that it follows from"),
        (lambda row: replace(row, organisation=stranger.id), "expected a duty of|expected org_"),
    ]
    stranger = await trainer(site)
    for change, said in lies:
        telling(change)
        await refused(second, said)
    telling(lambda row: row)
    for http in everybody:
        assert len((await listed(site, http, second, target))[0]) == 2
        left = {name: data for name, data in unpacked(target).items() if name != layout.DUTIES}
        with pytest.raises(VerificationError, match="expected the duties of the month"):
            verify_bundle(repacked(tmp_path / "less.zip", left, site.services.keys.office), trust_of(site))
    monkeypatch.setattr(queries, "DUTIES", DUTIES.replace("where ", "where d.notice_days > 10 and "))
    await refused(first, f"{one.duty}: expected what was revoked in the month")
    await refused(second, f"{one.duty}: expected what was done in the month")


async def test_a_statement_that_another_revocation_was_followed_does_no_duty(
    site: Running, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mine, lab, one, _ = await caused(site)
    with monkeypatch.context() as forged:  # a registry that takes it for this duty
        forged.setattr(duty_queries, "OWED", OWED.replace("d.digest", "sha256(d.digest) as digest"))
        wrong = sha256(bytes.fromhex(one.document)).hexdigest()
        told(await done(lab, one, document=wrong))
    for http in (mine, lab.http):
        with pytest.raises(VerificationError, match=f"duties.*{one.duty}: expected {lab.id} to have done what"):
            await pulled(site, http, tmp_path / "bundle.zip", clock.month)


async def test_a_duty_is_not_done_before_it_is_done(
    site: Running, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mine, lab, one, _ = await caused(site)
    tomorrow = times.to_text(clock.now() + timedelta(days=1))
    with monkeypatch.context() as forged:  # a registry that takes whatever is stated
        forged.setattr(moments, "past", lambda text, _: times.from_text(text))
        told(await done(lab, one, done_at=tomorrow))
    for http in (mine, lab.http):
        with pytest.raises(VerificationError, match=f"duties.*{one.duty}: expected it done by"):
            await pulled(site, http, tmp_path / "bundle.zip", clock.month)
