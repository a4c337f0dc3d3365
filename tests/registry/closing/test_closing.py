"""A month closes once and for ever: what it owes is proven to each payee, and its batches to whoever reported them."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from licet.canonical import from_base64
from licet.log import merkle
from licet.log.sums import SumNode, verify_line
from licet.statements.kinds import PeriodClose
from licet.statements.periods import batch_leaf, check_lines, check_totals, root_of
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.terms import Price, preset
from licet.wire.common import Page
from licet.wire.periods import BatchProof, PeriodInfo, PeriodLines
from licet.wire.settlement import InvoiceInfo
from registry import closing, ledger, translog
from registry.closing import steps
from registry.closing.steps import SOONEST
from registry.ledger import Entry, Transfer
from tests.registry.auditing.month import PER_RUN
from tests.registry.closing.conftest import Clock
from tests.registry.harness import Running
from tests.registry.market import shelf, trainer

pytestmark = pytest.mark.anyio


async def close_all(site: Running, now: datetime) -> list[str]:
    found = []
    while done := await closing.close_due(site.services, now, SOONEST):
        await translog.wait(site.services.database, done[1])
        found.append(done[0])
    return found


async def test_a_closed_month_proves_each_payee_its_line_and_each_organisation_its_batches(site: Running, clock: Clock):
    first = clock.month
    owned, lab = await shelf(site, PER_RUN, 3), await trainer(site)
    licence = await lab.license(owned.wanted())
    await lab.report(licence, "2")
    late = clock.now()
    clock.next_month()
    await lab.report(licence, "3")
    assert await close_all(site, clock.now()) == [first]
    for http in (owned.owner.http, lab.http):
        told = (await http.get("/v1/events?kind=month-closed")).json()["items"]
        assert [(each["subject"], each["topic"]) for each in told] == [(first, "money")]

    before = (await owned.owner.http.get("/v1/periods/2001-01/line")).json()
    assert f"the month 2001-01 is before {first}, in which the registry began" in str(before)
    answer = await site.http.get("/v1/periods?sort=period")
    over, goes_on = msgspec.json.decode(answer.content, type=Page[PeriodInfo]).items
    assert (over.period, over.state, goes_on.period, goes_on.state) == (first, "closed", clock.month, "open")
    assert [(each.side, each.accrued, each.owed) for each in over.totals] == [
        ("licensee", "0.3", "0.3"),
        ("payee", "0.27", "0.27"),
        ("registry", "0.03", "0.03"),
    ]

    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    for who, side, accrued in ((owned.owner.http, "payee", 270_000), (lab.http, "licensee", 300_000)):
        found = msgspec.json.decode((await who.get(f"/v1/periods/{first}/line")).content, type=PeriodLines)
        verified = verify_statement_file(found.close, trust)
        close = verified.payload
        assert isinstance(close, PeriodClose)
        check_totals(close)
        (own,) = found.lines
        assert (own.side, own.line.accrued, own.line.owed) == (side, accrued, accrued)
        (tree,) = [each for each in close.trees if each.side == side]
        nodes = [SumNode(from_base64(each.hash), tuple(each.sums)) for each in own.proof]
        verify_line(own.line, from_base64(own.salt), own.place, tree.lines, nodes, root_of(tree))

    listed = msgspec.json.decode((await lab.http.get(f"/v1/periods/{first}/batches")).content, type=Page[BatchProof])
    (batch,) = listed.items
    leaf = batch_leaf(batch.log_index, merkle.leaf_hash(from_base64(batch.entry)))
    path = [from_base64(each) for each in batch.path]
    merkle.verify_inclusion(leaf, batch.place, close.batches, path, bytes.fromhex(close.batches_root))
    assert (await owned.owner.http.get(f"/v1/periods/{first}/batches")).json()["items"] == []

    async with site.services.database.transaction() as conn:
        month = await closing.closed(conn, first)
        assert month is not None
        check_lines(close, [each async for each in closing.lines_with_salts(conn, month)])
    with pytest.raises(ledger.PeriodClosed, match=f"{first} is closed"):
        async with site.services.database.transaction() as conn:
            entries = (Entry("payable:art_x", "USD", 1), Entry("fee:registry", "USD", -1))
            await ledger.post(conn, [Transfer("late", "usage", late, "lic_x", entries)])


async def test_a_month_that_closes_is_invoiced_once_whatever_is_retried(
    site: Running, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    dear = preset("paid", Price(model="per-training-run", amount="50", currency="USD"))
    owned, lab, month = await shelf(site, dear, 1), await trainer(site), clock.month
    await lab.license(owned.wanted())
    clock.next_month()
    with monkeypatch.context() as cut:
        cut.setattr(steps, "_state", None)  # the process ends there
        with pytest.raises(TypeError):
            await closing.close_month(site.services, month, clock.now())
    await close_all(site, clock.now())
    await closing.close_month(site.services, month, clock.now())
    found = msgspec.json.decode((await lab.http.get("/v1/invoices")).content, type=Page[InvoiceInfo]).items
    assert [(each.period, each.due, each.lines) for each in found] == [(month, "50", 1)]


async def test_who_reports_while_the_month_is_closed_is_asked_to_send_it_again(site: Running, clock: Clock):
    owned, lab = await shelf(site, PER_RUN, 1), await trainer(site)
    licence = await lab.license(owned.wanted())
    began = clock.now()
    clock.next_month()
    await close_all(site, clock.now())
    clock.set(began)  # a process whose request has waited for so long
    batch = lab.batch(lab.events(licence, "2"), licence.lines)
    answer = await lab.send(batch)
    assert answer.status_code == 503
    assert "closed meanwhile; send it again" in answer.text
    clock.next_month()
    assert (await lab.send(batch)).status_code == 201
