"""Bundles of a real service's closed month, with agreements in it: proven to auditor, artists and organisation."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from licet import times
from licet.audit import Report, layout, verify_bundle
from licet.audit.drawing import pages
from licet.audit.drawing.figures import figures
from licet.errors import VerificationError
from licet.statements.licences import event_id
from licet.statements.trust import Trust
from licet.terms import Price, Revocation, preset
from registry.accounts.operators import invite
from tests.registry.agreements.talks import NEGOTIATED, agree, ask, offer, reply
from tests.registry.auditing.month import PER_RUN
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_closing import close_all
from tests.registry.harness import Running
from tests.registry.market import TRAIN, granted, shelf, trainer
from tests.sdk.audit.stage import repacked, unpacked

pytestmark = pytest.mark.anyio

MONTHLY = preset("paid", Price(model="subscription", amount="10", currency="USD", period="P1M"))
CHECKS = ["period-close", "period-batches", "period-sums", "period-lines", "period-chain"]


async def test_uses_that_no_licence_is_for_are_told_in_everybodys_evidence(site: Running, clock: Clock, tmp_path: Path):
    month, works, lab = clock.month, await shelf(site, PER_RUN, 1), await trainer(site)
    use = msgspec.structs.replace(TRAIN, atoms=["evaluate", "train-gen"])
    licence = granted(await lab.accept(await lab.quote(works.wanted(), use=use)))
    (other,) = {*use.atoms} - {licence.lines[0].atom}
    (early,) = lab.events(licence, "2", at=times.to_text(times.now() - timedelta(days=3)))
    (named,) = lab.events(licence, "3")
    renamed = event_id(lab.id, licence.licence, named.work, named.run, other, named.unit, 0)
    for event in (early, msgspec.structs.replace(named, atom=other, id=renamed)):
        assert (await lab.send(lab.batch([event], licence.lines))).status_code == 201
    clock.next_month()
    assert await close_all(site, clock.now()) == [month]
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    for http in (site.client(token.token), lab.http, works.owner.http):
        _, members = await pulled(site, http, tmp_path / "b.zip", month)
        rows = csv.DictReader(io.StringIO(members[layout.EVENTS_CSV].decode()))
        told = sorted((row["memorandum"], row["amount"]) for row in rows if row["memorandum"])
        assert told == [("early", "0"), ("unit", "0")]


async def pulled(site: Running, http: httpx.AsyncClient, target: Path, period: str) -> tuple[Report, dict[str, bytes]]:
    """Take the bundle home and verify it."""
    answer = await http.get("/v1/audit/bundle", params={"period": period})
    assert answer.status_code == 200, answer.text
    target.write_bytes(answer.content)
    return verify_bundle(target, trust_of(site)), unpacked(target)


def trust_of(site: Running) -> Trust:
    return Trust(site.services.keys.origin, site.services.keys.root.public.hex())


async def test_a_closed_month_with_agreements_is_proven_to_everybody_in_it(site: Running, clock: Clock, tmp_path: Path):
    month = clock.month
    asked_of, monthly, plain = (
        await shelf(site, NEGOTIATED, 2),
        await shelf(site, MONTHLY, 2),
        await shelf(site, PER_RUN, 1),
    )
    lab = await trainer(site)
    asked = await ask(lab, asked_of)
    await offer(asked_of.owner, asked, Price(model="per-work", amount="3", currency="USD"))
    price = Price(model="per-work", amount="2", currency="USD")
    await offer(asked_of.owner, asked, price, revocation=Revocation(notice_days=10, effect="stop-new-runs"))
    taken = await agree(lab, asked_of, asked)
    quote = await lab.quote(monthly.wanted(), agreement=True)
    shared = granted(await lab.accept(quote))
    licence = await lab.license(plain.wanted())
    for each in (taken, shared, licence):
        await lab.report(each, "2")
    refused = await ask(lab, asked_of, msgspec.structs.replace(TRAIN, version="2"))
    await reply(asked_of.owner, refused, None)
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    staff = site.client(token.token)
    opened, members = await pulled(site, staff, tmp_path / "open.zip", month)
    assert (opened.state, opened.closed_by) == ("open", None)
    assert layout.LINES not in members
    clock.next_month()
    assert await close_all(site, clock.now()) == [month]

    report, members = await pulled(site, staff, tmp_path / "all.zip", month)
    assert (report.state, [check.name for check in report.checks[-5:]]) == ("closed", CHECKS)
    assert (report.counts["licence-request"], report.counts["licence-answer"]) == (2, 3)
    agreed = {check.name: check.detail for check in report.checks}["prices-agreed"]
    assert agreed.startswith("2 lines at the price of an artist's signed answer, 2 lines as terms state")
    for who in (asked_of.owner, monthly.owner, plain.owner, lab):
        part, shown = await pulled(site, who.http, tmp_path / "part.zip", month)
        assert part.account == who.id
        assert [check.name for check in part.checks[-5:]] == CHECKS
        rows = [row for row in csv.DictReader(io.StringIO(shown[layout.BALANCES].decode())) if row["closing"] != "0"]
        assert len(part.placed) == len(rows)
        drawn = figures(tmp_path / "part.zip", trust_of(site))
        assert f"by entry {report.closed_by} of the public log" in pages.statement(drawn)
        assert pages.statement(drawn).count("in the tree of that total") == len(part.placed)
        others = {asked_of.owner.id, monthly.owner.id, plain.owner.id, lab.id} - {who.id}
        assert not [other for other in others if other.encode() in shown[layout.LINES]]

    answers = [name for name in members if name.startswith("statements/licence-answer/")]
    for name in answers:
        left = {each: data for each, data in members.items() if each != name}
        path = repacked(tmp_path / "less.zip", left, site.services.keys.office)
        with pytest.raises(VerificationError, match="log-coverage"):
            verify_bundle(path, trust_of(site))
