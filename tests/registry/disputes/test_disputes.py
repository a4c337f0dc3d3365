"""Disputes about works and charges: what they hold, who may say what, and what a decision moves, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from licet import identifiers, times
from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.kinds.disputes import Position
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.terms import Price, preset
from licet.wire.disputes import DisputeInfo, DisputeShown, DisputeSubmit
from registry import consent
from registry.accounts.operators import invite
from registry.disputes import deciding, service
from registry.errors import Conflict, Invalid, NotFound
from tests.registry.catalogue import artist, picture
from tests.registry.disputes.parties import (
    Later,
    all_holds,
    charge_of,
    decide,
    dispute,
    opening,
    operator,
    send,
    shown,
    step,
    told,
)
from tests.registry.harness import Running
from tests.registry.market import Shelf, Trainer, balance, problem, shelf, trainer

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="1", currency="USD"))


async def events(who: Any) -> dict[str, str]:
    """Return what ``who`` was told, by kind."""
    return {each["kind"]: each["detail"] for each in (await who.http.get("/v1/events")).json()["items"]}


async def refusals(lab: Trainer, works: Shelf) -> set[str]:
    """Return why the works of a shelf cannot be licensed now."""
    return {each.reason for each in (await lab.quote(works.wanted(), model="other")).left_out}


async def record(site: Running, work: str) -> Any:
    """Return the record of a work that decisions are made from."""
    number = identifiers.to_uuid(work, "wrk")
    async with site.services.database.acquire() as conn:
        return (await consent.current(conn, [number]))[number]


async def test_rule_6_a_disputed_work_denies_and_what_it_earned_goes_once_to_whom_it_is_decided_for(site: Running):
    works, lab, mei = await shelf(site, PER_RUN, 2), await trainer(site), await artist(site, "Mei")
    await mei.raise_level(2)
    licence = await lab.license(works.wanted())
    assert await balance(works.owner.http) == {("payable", "USD"): "1.8"}
    about = await dispute(mei, works.works[0], [works.works[0], "log:0"])
    assert (about.state, about.holds, about.against) == ("open", True, works.owner.id)
    assert (await record(site, works.works[0])).pending
    assert (await works.owner.work(works.works[0])).state == "disputed"
    await lab.report(licence, "2")  # what was licensed runs on; what it earns waits
    assert await balance(works.owner.http) == {("payable", "USD"): "2.7", ("escrow", "USD"): "0.9"}
    await all_holds(site)
    assert await balance(works.owner.http) == {("payable", "USD"): "2.7", ("escrow", "USD"): "0.9"}
    assert told(await step(works.owner, about)).dispute.state == "answered"
    heard = await events(works.owner) | await events(mei)
    assert "disputes" in heard["dispute-opened"]
    assert "objects to it" in heard["dispute-answered"]
    assert "".join(heard.values()).isascii()  # one language: pages have words of their own
    await decide(site, about, "upheld")
    assert await balance(works.owner.http) == {("payable", "USD"): "2.7"}
    assert await balance(mei.http) == {("payable", "USD"): "0.9"}
    async with site.services.database.acquire() as conn:
        memos = await conn.fetch("select memo from transfers where memo like $1", f"{works.works[0]}%")
    assert [each["memo"] for each in memos] == [f"{works.works[0]} was decided to be somebody else's"]
    assert await balance(lab.http) == {("receivable", "USD"): "4"}
    await deciding.decide(site.services, about.dispute, await operator(site), "upheld", "again")
    await lab.report(licence, "3")  # by a licence of before
    await all_holds(site)
    assert await balance(works.owner.http) == {("payable", "USD"): "3.6"}
    assert await balance(mei.http) == {("payable", "USD"): "1.8"}
    assert (await record(site, works.works[0])).pending  # nobody licenses it under a signature that lost it
    assert "was decided for whoever opened it" in (await events(mei))["dispute-decided"]
    again = await send(await artist(site), opening(mei, works.works[0]))
    assert problem(again)[0] == 400  # of another account's key
    late = await send(mei, opening(mei, works.works[0]))
    assert "was decided to be somebody else's" in problem(late)[2]

    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    documents = [each.document for each in (await shown(mei, about)).steps]
    assert [each and verify_statement_file(each, trust).payload.step for each in documents] == [
        "open",
        "answer",
        "decide",
        "end",
    ]
    opened, _, decided, _ = documents
    assert opened is not None
    assert decided is not None
    with pytest.raises(VerificationError):  # a decision that a party has signed is none
        verify_statement_file(msgspec.structs.replace(decided, envelope=opened.envelope), trust)


async def test_what_is_dismissed_or_taken_back_leaves_all_as_it_was(site: Running):
    works, lab, mei = await shelf(site, PER_RUN, 1), await trainer(site), await artist(site, "Mei")
    licence = await lab.license(works.wanted())
    await mei.raise_level(3)
    first = await dispute(mei, works.works[0])
    await lab.report(licence, "2")
    assert told(await step(mei, first, "withdraw")).dispute.state == "withdrawn"
    await all_holds(site)
    assert await balance(works.owner.http) == {("payable", "USD"): "1.8"}
    assert not (await record(site, works.works[0])).pending
    second = await dispute(other := await artist(site), works.works[0])
    assert not second.holds  # below a verified claimant's level, as a challenge
    assert not (await record(site, works.works[0])).pending
    await other.raise_level(2)
    assert (await shown(other, second)).dispute.holds
    assert (await record(site, works.works[0])).pending
    with pytest.raises(Conflict, match="can answer until"):
        await deciding.decide(site.services, second.dispute, await operator(site), "dismissed", "too early")
    assert problem(await step(mei, first))[0] == 403
    assert told(await step(works.owner, second, "concede")).dispute.state == "answered"
    assert problem(await step(works.owner, second, "concede"))[0] == 409
    await decide(site, second, "dismissed")
    assert not (await record(site, works.works[0])).pending
    assert await balance(works.owner.http) == {("payable", "USD"): "1.8"}
    assert problem(await send(other, opening(other, works.works[0])))[0] == 409
    with pytest.raises(Conflict, match="has ended: dismissed"):
        await deciding.decide(site.services, second.dispute, await operator(site), "upheld", "on second thought")


async def test_a_claim_that_lost_no_longer_contests_the_work_that_it_lost_to(site: Running):
    thief, mei, seen = await artist(site, "Tom"), await artist(site, "Mei"), picture(992)
    copied, own = (await thief.picture(seen)).work, (await mei.picture(seen)).work
    await thief.state([copied], PER_RUN)
    await mei.state([own], PER_RUN)
    assert (await record(site, own)).contested
    about = await dispute(mei, copied)
    await decide_by_time(site, about)
    kept, lost = await record(site, own), await record(site, copied)
    assert not kept.contested
    assert (lost.challenged, lost.pending) == (True, False)  # without effect beside the work that it lost to
    await mei.withdraw([own])
    await all_holds(site)


async def decide_by_time(site: Running, about: DisputeInfo) -> None:
    """Uphold what nobody has answered in 14 days."""
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "update disputes set opened_at = opened_at - interval '42 days' where id = $1",
            identifiers.to_uuid(about.dispute, "dsp"),
        )
    await decide(site, about, "upheld")


async def test_rule_18_near_charges_are_disputed_within_30_days_and_others_within_180(
    site: Running, monkeypatch: pytest.MonkeyPatch
):
    works, mine, lab = await shelf(site, PER_RUN, 1), await shelf(site, PER_RUN, 1), await trainer(site)
    await lab.license(works.wanted("near"))
    near = await charge_of(lab)
    await lab.license(mine.wanted())
    exact = await charge_of(mine.owner)
    real = times.now
    for days, charge, status in ((30, near, 409), (29, near, 201), (180, exact, 409), (30, exact, 201)):
        with monkeypatch.context() as later:
            later.setattr(service, "times", Later(real() + timedelta(days=days)))
            answer = await send(lab, opening(lab, charge))
        assert answer.status_code == status, answer.text
        if status == 409:
            assert "could be disputed until" in problem(answer)[2]


async def test_what_cannot_be_disputed_is_refused_by_name(site: Running):
    works, lab, mei = await shelf(site, PER_RUN, 1), await trainer(site), await artist(site, "Mei")
    work, unsigned = works.works[0], (await works.owner.picture(picture(991))).work
    await lab.license(works.wanted())
    charge = await charge_of(lab)
    for who, subject, status, said in (
        (works.owner, work, 400, "subject: expected a work that somebody else registered"),
        (mei, unsigned, 409, "has no terms in force"),
        (mei, identifiers.new_id("wrk"), 404, "there is no work"),
        (mei, identifiers.new_id("tra"), 404, "there is no charge"),
        (mei, charge, 404, "there is no charge"),  # of others
    ):
        answer = await send(who, opening(who, subject))
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    for evidence in ([identifiers.new_id("wrk")], ["log:999999"]):
        assert problem(await send(mei, opening(mei, work, evidence)))[0] == 400
    first = opening(mei, work)
    assert told(await send(mei, first)).dispute.dispute == told(await send(mei, first)).dispute.dispute
    assert "is disputed already" in problem(await send(lab, opening(lab, work)))[2]
    about = (await mei.http.get("/v1/disputes")).json()["items"]
    assert len(about) == 1
    info = msgspec.convert(about[0], DisputeInfo)
    wrong = await step(works.owner, info, document="0" * 64)
    assert (wrong.status_code, "document: expected" in wrong.json()["detail"]) == (400, True)
    wrong = await step(works.owner, info, step="withdraw", position=None)
    assert wrong.status_code == 403
    stranger = await artist(site)
    for path in ("", "/steps"):
        reply = await (
            stranger.http.get(f"/v1/disputes/{info.dispute}{path}")
            if not path
            else send(stranger, opening(stranger, work), f"/v1/disputes/{info.dispute}{path}")
        )
        assert reply.status_code == 404
    assert (await stranger.http.get("/v1/disputes")).json()["items"] == []
    with pytest.raises(Invalid, match="an operator, opr_"):
        await deciding.decide(site.services, info.dispute, mei.id, "upheld", "I say so")
    with pytest.raises(NotFound):
        await deciding.decide(site.services, info.dispute, identifiers.new_id("opr"), "upheld", "I say so")


async def test_an_account_has_few_open_disputes_and_none_after_three_that_were_dismissed(
    site: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "MOST_OPEN", 2)
    works, mei = await shelf(site, PER_RUN, 4), await artist(site, "Mei")
    for work in works.works[:2]:
        await dispute(mei, work)
    answer = await send(mei, opening(mei, works.works[2]))
    assert "at most 2 open disputes" in problem(answer)[2]
    monkeypatch.setattr(service, "MOST_WRONG", 1)
    about = msgspec.convert((await mei.http.get("/v1/disputes?sort=opened")).json()["items"][0], DisputeInfo)
    await step(works.owner, about)
    await decide(site, about, "dismissed")
    assert "cannot open more" in problem(await send(mei, opening(mei, works.works[2])))[2]


async def test_who_takes_back_what_the_other_party_objects_to_has_been_wrong(
    site: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "MOST_WRONG", 1)
    works, mei = await shelf(site, PER_RUN, 4), await artist(site, "Mei")
    answers: list[Position | None] = [None, "concede", "contest"]
    for work, answer in zip(works.works[:3], answers, strict=True):
        about = await dispute(mei, work)  # what was taken back unanswered, or in agreement, does not count
        if answer is not None:
            told(await step(works.owner, about, answer))
        told(await step(mei, about, "withdraw"))
    refused = problem(await send(mei, opening(mei, works.works[3])))
    assert (refused[0], "taken back after an objection" in refused[2]) == (409, True)
    await all_holds(site)
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "update disputes set ended_at = ended_at - interval '366 days' where account = $1",
            identifiers.to_uuid(mei.id, "art"),
        )
    await dispute(mei, works.works[3])


async def test_auditors_read_the_disputes_of_their_scope_and_take_no_step(site: Running):
    works, mei = await shelf(site, PER_RUN, 1), await artist(site, "Mei")
    about = await dispute(mei, works.works[0])
    stranger = (await artist(site)).id

    async def auditor(*scope: str) -> Any:
        _, made = await invite(site.services.database, "auditor", name="Ada Okafor", scopes=("audit", *scope))
        return site.client(made.token)

    month = about.opened_at[:7]
    for scope in ((), (mei.id,), (works.owner.id,), (mei.id, f"{month}..{month}")):
        http = await auditor(*scope)
        found = (await http.get(f"/v1/disputes?work={works.works[0]}")).json()["items"]
        assert [each["dispute"] for each in found] == [about.dispute]
        seen = msgspec.json.decode((await http.get(f"/v1/disputes/{about.dispute}")).content, type=DisputeShown)
        assert (seen.dispute, [each.document is not None for each in seen.steps]) == (about, [True])
        body = DisputeSubmit(envelopes.seal(opening(mei, works.works[0]), mei.account.key))
        for path in ("/v1/disputes", f"/v1/disputes/{about.dispute}/steps"):
            assert (await site.post(path, body, http=http)).status_code == 403
    for scope in ((stranger,), (mei.id, "2020-01..2020-12"), (mei.id, "2999-01..2999-12")):
        http = await auditor(*scope)
        assert (await http.get("/v1/disputes")).json()["items"] == []
        assert (await http.get(f"/v1/disputes/{about.dispute}")).status_code == 404
    told(await step(mei, about, "withdraw"))
    ended = (await (await auditor(mei.id)).get("/v1/disputes?state=withdrawn")).json()["items"]
    assert [each["dispute"] for each in ended] == [about.dispute]
