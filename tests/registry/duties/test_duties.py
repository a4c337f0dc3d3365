"""Revoking and doing what it obliges to: who may, on which condition, who sees it."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest

from licet import identifiers, times
from licet.datasets.agreeing.doing import documents
from licet.errors import VerificationError
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from registry.accounts.operators import invite
from tests.registry.catalogue import PAID, artist
from tests.registry.duties.talks import done, listed, offered, revocable_terms, revocation, revoke, send, shown, told
from tests.registry.harness import Running
from tests.registry.market import nothing_is_wrong, problem, shelf, trainer

pytestmark = pytest.mark.anyio


async def test_a_revocation_begins_a_notice_and_its_duty_is_done_under_a_signature(site: Running):
    mine, lantern = await shelf(site, revocable_terms(30, "retire-model")), await trainer(site)
    licence = await lantern.license(mine.wanted())
    can = await offered(mine.owner.http, licence.licence)
    assert [(each.works, each.notice_days, each.effect) for each in can.groups] == [
        (sorted(mine.works), 30, "retire-model")
    ]
    assert (can.name, can.model, can.firm, can.revoked) == ("Lantern Labs", "acme/lantern", [], [])

    payload = revocation(mine.owner, licence, sorted(mine.works))
    first, again = told(await send(mine.owner, payload)), told(await send(mine.owner, payload))
    assert first == again  # nothing happens twice
    duty = first.duty
    assert (duty.state, duty.effect, duty.works, duty.done_at) == ("open", "retire-model", 2, None)
    assert duty.revoked_at is not None
    assert duty.due_at == times.to_text(times.from_text(duty.revoked_at) + timedelta(days=30))
    assert (await offered(mine.owner.http, licence.licence)).revoked == sorted(mine.works)
    for http in (lantern.http, mine.owner.http):  # the list says so as well
        (listed_one,) = (await http.get("/v1/licences")).json()["items"]
        assert listed_one["revoked"] == [{"works": 2, "at": duty.due_at}]
    events = (await lantern.http.get("/v1/events?kind=licence-revoked")).json()["items"]
    assert [each["subject"] for each in events] == [duty.duty]
    assert "retire-model is due" in events[0]["detail"]
    held = await lantern.quote(mine.wanted())
    assert {each.reason for each in held.left_out} == {f"licensed:{licence.licence}"}  # until the notice is over

    assert problem(await done(lantern, duty, done_at=times.to_text(times.now() + timedelta(days=1))))[0] == 400
    early = times.to_text(times.from_text(duty.revoked_at) - timedelta(milliseconds=1))
    refused = problem(await done(lantern, duty, done_at=early))
    assert (refused[0], f"a time from {duty.revoked_at} on, when the works were revoked" in refused[2]) == (400, True)
    assert problem(await done(lantern, duty, document="00" * 32))[0] == 400
    answer = told(await done(lantern, duty, done_at=duty.revoked_at))
    assert (answer.duty.state, answer.receipt.kind) == ("done", "duty-done")
    assert problem(await done(lantern, duty))[:2] == (409, "conflict")
    assert [each.state for each in await listed(mine.owner.http)] == ["done"]
    events = (await mine.owner.http.get("/v1/events?kind=duty-done")).json()["items"]
    assert [each["subject"] for each in events] == [duty.duty]
    documents = await shown(mine.owner.http, duty.duty)
    assert documents.works == sorted(mine.works)
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    for file, signer in ((documents.revoked, mine.owner.id), (documents.done, lantern.id)):
        assert file is not None
        assert any(signer in check for check in verify_statement_file(file, trust).checks)
    await nothing_is_wrong(site)


async def test_a_duty_that_tells_something_else_than_was_signed_is_refused(site: Running):
    mine, lantern = await shelf(site, revocable_terms()), await trainer(site)
    licence = await lantern.license(mine.wanted())
    one, other = [await revoke(mine, licence, [work]) for work in mine.works]
    for duty in (one, other):
        told(await done(lantern, duty))
    truth, elsewhere = await shown(lantern.http, one.duty), await shown(lantern.http, other.duty)
    reader: Any = SimpleNamespace(trust=lambda: Trust(site.services.keys.origin, site.services.keys.root.public.hex()))
    revoked, stated = documents(reader, truth)
    assert (revoked.works, stated is not None) == (truth.works, True)
    replace = msgspec.structs.replace
    lies = [
        replace(truth, revoked=None),
        replace(truth, revoked=elsewhere.revoked),
        replace(truth, revoked=truth.done),
        replace(truth, done=elsewhere.done),
        replace(truth, done=truth.revoked),
        replace(truth, works=elsewhere.works),
        *(
            replace(truth, duty=replace(truth.duty, **{name: value}))
            for name, value in {
                "duty": other.duty,
                "document": other.document,
                "licence": identifiers.new_id("lic"),
                "account": identifiers.new_id("art"),
                "organisation": identifiers.new_id("org"),
            }.items()
        ),
    ]
    for lie in lies:
        with pytest.raises(VerificationError):
            documents(reader, lie)


async def test_only_what_the_terms_let_her_revoke_is_revoked_and_only_once(site: Running):
    mine, lantern = await shelf(site, revocable_terms()), await trainer(site)
    firm = await shelf(site, PAID, 1, owner=mine.owner)
    quick = await shelf(site, revocable_terms(0), 1, owner=mine.owner)
    others = await shelf(site, revocable_terms(), 1)
    licence = await lantern.license([*mine.wanted(), *firm.wanted(), *quick.wanted(), *others.wanted()])
    can = await offered(mine.owner.http, licence.licence)
    assert [(each.works, each.notice_days) for each in can.groups] == [(quick.works, 0), (sorted(mine.works), 30)]
    assert can.firm == firm.works

    async def refused(works: list[str], **changes: Any) -> tuple[int, str]:
        status, _, detail = problem(await send(mine.owner, revocation(mine.owner, licence, sorted(works), **changes)))
        return status, detail

    one = mine.works[:1]
    assert await refused(firm.works) == (
        409,
        f"{firm.works[0]}: the terms that it was licensed under allow no revocation",
    )
    status, detail = await refused([*one, *quick.works])
    assert status == 409
    assert "expected works on one condition" in detail
    assert (await refused(others.works))[0] == 400  # not hers
    assert (await refused(one, duty="dut_0"))[0] == 400
    assert (await refused(one, genesis="00" * 32))[0] == 400
    assert (await refused(one, account=others.owner.id))[0] == 400
    assert (await refused(one, licence=identifiers.new_id("lic")))[0] == 404
    stranger = await shelf(site, PAID, 1)
    assert problem(await send(stranger.owner, revocation(stranger.owner, licence, stranger.works)))[0] == 404
    assert (await stranger.owner.http.get(f"/v1/licences/{licence.licence}/revocation")).status_code == 404

    duty = await revoke(mine, licence, one)
    status, detail = await refused(one)
    assert (status, duty.duty in detail) == (409, True)
    assert (await refused(quick.works, duty=duty.duty))[0] == 409  # an identifier is used once
    assert (await revoke(quick, licence)).state == "overdue"  # without notice it is due at once
    assert [each.works for each in await listed(lantern.http, f"?licence={licence.licence}&state=open")] == [1]

    await nothing_is_wrong(site)


async def test_who_sees_a_duty(site: Running):
    mine, lantern = await shelf(site, revocable_terms(), 1), await trainer(site)
    duty = await revoke(mine, await lantern.license(mine.wanted()))

    async def auditor(*scope: str) -> httpx.AsyncClient:
        _, made = await invite(site.services.database, "auditor", name="Ada Okafor", scopes=("audit", *scope))
        return site.client(made.token)

    seeing = (mine.owner.http, lantern.http, await auditor(), await auditor(lantern.id), await auditor(mine.owner.id))
    for http in seeing:
        assert duty.duty in [each.duty for each in await listed(http, "?state=open")]
        assert (await shown(http, duty.duty)).duty == duty
    blind = ((await artist(site)).http, (await trainer(site)).http, await auditor((await trainer(site)).id))
    for http in (*blind, await auditor(lantern.id, "2020-01..2020-02")):
        assert duty.duty not in [each.duty for each in await listed(http)]
        assert (await http.get(f"/v1/duties/{duty.duty}")).status_code == 404


async def test_what_can_be_revoked_is_told_at_every_level_at_which_it_can_be(site: Running):
    mine, lantern = await shelf(site, revocable_terms(), 1, level=0), await trainer(site)
    licence = await lantern.license(mine.wanted())
    can = await offered(mine.owner.http, licence.licence)
    assert ([each.works for each in can.groups], can.name) == ([mine.works], "Lantern Labs")
    assert (await revoke(mine, licence)).works == 1
