"""What was decided moves nothing until nobody can appeal: appeals, reviews by another operator, ends by time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, Literal

import httpx
import msgspec
import pytest

from licet import identifiers, times
from licet.statements.disputes import APPEALED_WITHIN
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.terms import Price, preset
from licet.wire.common import Receipt
from licet.wire.disputes import DisputeInfo, DisputeShown
from registry import consent
from registry.disputes import deciding, ending, service, stepping, verification
from registry.errors import Conflict, NotAllowed, NotFound, RegistryError
from tests.registry.catalogue import Artist, artist
from tests.registry.disputes.parties import (
    Later,
    all_holds,
    charge_of,
    decided_before,
    dispute,
    opening,
    operator,
    send,
    shown,
    step,
    told,
)
from tests.registry.erasure.leaving import erased
from tests.registry.harness import Running
from tests.registry.market import Shelf, Trainer, balance, problem, shelf, trainer

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="1", currency="USD"))
Outcome = Literal["upheld", "dismissed"]
BOTH: tuple[Literal["appeal", "accept"], ...] = ("appeal", "accept")
OTHER: dict[Outcome, Outcome] = {"upheld": "dismissed", "dismissed": "upheld"}


async def charged(site: Running) -> tuple[Shelf, Trainer, DisputeInfo]:
    """Return a charge that a lab disputes and whoever it is paid to objects to."""
    works, lab = await shelf(site, PER_RUN, 1), await trainer(site)
    await lab.license(works.wanted())
    about = await dispute(lab, await charge_of(lab))
    told(await step(works.owner, about))
    return works, lab, about


async def decides(site: Running, about: DisputeInfo, outcome: Outcome) -> str:
    """Return the operator who decides now."""
    by = await operator(site)
    await deciding.decide(site.services, about.dispute, by, outcome, "as the drafts show")
    return by


async def reviews(site: Running, about: DisputeInfo, outcome: Outcome, by: str | None = None) -> Receipt:
    """Let another operator decide again."""
    return await deciding.review(site.services, about.dispute, by or await operator(site), outcome, "seen again")


async def heard(who: Any, about: DisputeInfo) -> list[str]:
    """Return what ``who`` was told of a dispute, the newest first."""
    found = (await who.http.get("/v1/events")).json()["items"]
    return [each["kind"] for each in found if each["subject"] == about.dispute]


@pytest.mark.parametrize("reviewed", ["upheld", "dismissed"])
@pytest.mark.parametrize("decided", ["upheld", "dismissed"])
async def test_rule_6_nothing_moves_before_another_operator_has_reviewed_an_appealed_decision(
    site: Running, decided: Outcome, reviewed: Outcome
):
    works, lab, mei = await shelf(site, PER_RUN, 2), await trainer(site), await artist(site, "Mei")
    await mei.raise_level(2)
    licence = await lab.license(works.wanted())
    about = await dispute(mei, works.works[0])
    await lab.report(licence, "2")
    waits = {("payable", "USD"): "2.7", ("escrow", "USD"): "0.9"}
    told(await step(works.owner, about))
    first = await decides(site, about, decided)
    lost, won = (works.owner, mei) if decided == "upheld" else (mei, works.owner)

    async def held(state: str) -> DisputeInfo:
        await all_holds(site)
        assert await ending.end_due(site.services, times.now()) == 0
        assert await balance(works.owner.http) == waits
        async with site.services.database.acquire() as conn:
            number = identifiers.to_uuid(works.works[0], "wrk")
            assert (await consent.current(conn, [number]))[number].pending
        assert (await lab.quote(works.wanted(), run="9")).left_out
        now = (await shown(won, about)).dispute
        assert (now.state, now.holds, now.ended_at, now.decided, now.decided_by) == (state, True, None, decided, first)
        assert now.lost_by == lost.id
        return now

    info = await held("decided")
    assert info.decided_at is not None
    assert info.appeal_until is not None
    assert times.from_text(info.appeal_until) - times.from_text(info.decided_at) == APPEALED_WITHIN
    for who in (lost, won):
        assert (await heard(who, about))[0] == "dispute-decided"
    said = (await lost.http.get("/v1/events")).json()["items"][0]["detail"]
    assert f"whoever lost can appeal until {info.appeal_until[:16]}" in said
    assert told(await step(lost, about, "appeal")).dispute.state == "appealed"
    assert (await heard(won, about))[0] == "dispute-appealed"
    await held("appealed")
    with pytest.raises(NotAllowed, match="expected another operator"):
        await reviews(site, about, OTHER[decided], first)
    second = await operator(site)
    receipt = await reviews(site, about, reviewed, second)
    assert await reviews(site, about, reviewed, second) == receipt  # again, no second effect
    await all_holds(site)
    won_back = {("payable", "USD"): "2.7" if reviewed == "upheld" else "3.6"}
    assert await balance(works.owner.http) == won_back
    assert await balance(mei.http) == ({("payable", "USD"): "0.9"} if reviewed == "upheld" else {})
    for who in (lost, won):
        assert (await heard(who, about))[0] == "dispute-reviewed"
    ended = await shown(lost, about)
    assert (ended.dispute.state, ended.dispute.holds, ended.dispute.decided) == (reviewed, False, decided)
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    steps = [verify_statement_file(each.document, trust).payload for each in ended.steps if each.document]
    assert [each.step for each in steps] == ["open", "answer", "decide", "appeal", "review"]
    assert [(each.account, each.outcome, each.ends) for each in steps[2:]] == [
        (first, decided, False),
        (lost.id, None, False),
        (second, reviewed, True),
    ]
    with pytest.raises(Conflict, match=f"has ended: {reviewed}"):
        await reviews(site, about, OTHER[reviewed])


async def test_who_may_not_appeal_and_what_may_not_be_reviewed(site: Running):
    works, lab, about = await charged(site)
    assert "nothing was decided yet" in problem(await step(lab, about, "appeal"))[2]
    assert "nothing was decided yet" in problem(await step(lab, about, "accept"))[2]
    with pytest.raises(Conflict, match="that was appealed"):
        await reviews(site, about, "upheld")
    first = await decides(site, about, "dismissed")
    with pytest.raises(Conflict, match="decided already: dismissed"):
        await decides(site, about, "upheld")
    with pytest.raises(Conflict, match="that was appealed"):
        await reviews(site, about, "upheld")
    for what in BOTH:
        refused = problem(await step(works.owner, about, what))
        assert (refused[0], "only whoever lost" in refused[2]) == (403, True)
    assert (await step(lab, about, "appeal", by=await artist(site))).status_code == 404  # a stranger sees none
    assert problem(await step(lab, about, "appeal", by=works.owner))[0] == 400  # another one's signature
    assert problem(await step(works.owner, about))[0] == 409
    assert problem(await step(lab, about, "withdraw"))[0] == 409
    refused = problem(await step(lab, about, "accept", outcome="upheld"))
    assert (refused[0], "outcome: expected what was decided, dismissed" in refused[2]) == (400, True)
    for made in ("decide", "review", "end"):  # the office's alone
        refused = problem(await step(lab, about, "appeal", step=made, genesis=None, outcome="upheld"))
        assert refused[0] in (400, 403)
    told(await step(lab, about, "appeal"))
    refused = problem(await step(lab, about, "appeal"))
    assert (refused[0], "was appealed already" in refused[2]) == (409, True)
    with pytest.raises(NotFound):
        await reviews(site, about, "upheld", identifiers.new_id("opr"))
    for outcome in OTHER:
        with pytest.raises(NotAllowed):
            await reviews(site, about, outcome, first)
    assert (await shown(lab, about)).dispute.state == "appealed"
    assert await balance(works.owner.http) == {("escrow", "USD"): "0.9"}
    await reviews(site, about, "upheld")
    await all_holds(site)
    assert await balance(works.owner.http) == {}


async def test_the_database_itself_refuses_whoever_overturns_a_decision_of_their_own(site: Running):
    _, lab, about = await charged(site)
    await decides(site, about, "dismissed")
    told(await step(lab, about, "appeal"))
    number = identifiers.to_uuid(about.dispute, "dsp")
    end = "update disputes set ended_at = now(), ended_by = decided_by, outcome = $2 where id = $1"
    for sql, outcome in ((end, "upheld"), (end.replace("decided_by,", "null,"), "withdrawn")):
        async with site.services.database.acquire() as conn:
            with pytest.raises(Exception, match="disputes_reviewed"):
                await conn.execute(sql, number, outcome)
    await reviews(site, about, "dismissed")


@pytest.mark.parametrize("outcome", ["upheld", "dismissed"])
async def test_what_nobody_appealed_ends_once_however_long_nothing_ran(site: Running, outcome: Outcome):
    works, lab, about = await charged(site)
    await decided_before(site, about, outcome, timedelta(days=60))
    late = problem(await step(works.owner if outcome == "upheld" else lab, about, "appeal"))
    assert (late[0], "could be appealed until" in late[2]) == (409, True)
    assert await balance(works.owner.http) == {("escrow", "USD"): "0.9"}  # until the loop runs again
    assert await ending.end_due(site.services, times.now()) == 1
    assert await ending.end_due(site.services, times.now()) == 0
    await all_holds(site)
    assert await balance(works.owner.http) == ({} if outcome == "upheld" else {("payable", "USD"): "0.9"})
    for who in (works.owner, lab):
        assert (await heard(who, about))[:2] == ["dispute-ended", "dispute-decided"]
    ended = await shown(lab, about)
    assert (ended.dispute.state, ended.steps[-1].step, ended.steps[-1].account) == (outcome, "end", None)
    for what in BOTH:
        assert "has ended" in problem(await step(works.owner if outcome == "upheld" else lab, about, what))[2]


async def test_the_loop_ends_nothing_too_early_and_what_it_cannot_end_keeps_no_other_waiting(site: Running):
    _, _, early = await charged(site)
    await decided_before(site, early, "upheld", APPEALED_WITHIN - timedelta(days=1))
    works, lab, stuck = await charged(site)
    await decided_before(site, stuck, "upheld")
    _, _, due = await charged(site)
    await decided_before(site, due, "upheld")
    number = identifiers.to_uuid(stuck.subject, "tra")
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "update contested_charges set outcome = 'withdrawn', decided_at = now() where transfer = $1", number
        )
    assert await ending.end_due(site.services, times.now()) == 1
    states = [await kept(site, each) for each in (stuck, early, due)]
    async with site.services.database.acquire() as conn:
        await conn.execute("update contested_charges set outcome = null, decided_at = null where transfer = $1", number)
    assert states == [None, None, "upheld"]
    assert await ending.end_due(site.services, times.now()) == 1  # it is taken up again
    assert (await shown(lab, stuck)).dispute.state == "upheld"
    assert await balance(works.owner.http) == {}
    await all_holds(site)


async def kept(site: Running, about: DisputeInfo) -> str | None:
    """Return how a dispute ended, None while it has not."""
    async with site.services.database.acquire() as conn:
        number = identifiers.to_uuid(about.dispute, "dsp")
        outcome: str | None = await conn.fetchval("select outcome from disputes where id = $1", number)
    return outcome


@pytest.mark.parametrize("appealed", [False, True])
async def test_who_lost_accepts_and_it_ends_at_once(site: Running, appealed: bool):
    works, lab, about = await charged(site)
    if appealed:
        await decides(site, about, "upheld")
        told(await step(works.owner, about, "appeal"))
    else:  # nor is it too late to accept
        await decided_before(site, about, "upheld")
    accepted = told(await step(works.owner, about, "accept"))
    assert (accepted.dispute.state, accepted.dispute.holds) == ("upheld", False)
    assert (await heard(lab, about))[0] == "dispute-accepted"
    await all_holds(site)
    assert await balance(works.owner.http) == {}
    assert await ending.end_due(site.services, times.now()) == 0
    with pytest.raises(Conflict, match="has ended: upheld"):
        await reviews(site, about, "dismissed")


async def outcomes(*waiting: Awaitable[Any]) -> list[Any]:
    """Return what each came to, all at the same moment; refusals as they are."""
    found = await asyncio.gather(*waiting, return_exceptions=True)
    for each in found:
        assert not isinstance(each, BaseException) or isinstance(each, RegistryError), each
    return found


@pytest.mark.parametrize("turn", range(4))
async def test_an_appeal_at_the_last_moment_and_the_end_are_never_both(
    site: Running, turn: int, monkeypatch: pytest.MonkeyPatch
):
    works, lab, about = await charged(site)
    await decided_before(site, about, "upheld")
    until = times.from_text((await shown(lab, about)).dispute.appeal_until or "")
    monkeypatch.setattr(stepping, "times", Later(until - timedelta(milliseconds=1)))
    both: list[Awaitable[Any]] = [step(works.owner, about, "appeal"), ending.end_due(site.services, times.now())]
    found = await outcomes(*(both if turn % 2 else reversed(both)))
    answer = next(each for each in found if isinstance(each, httpx.Response))
    ended = next(each for each in found if isinstance(each, int))
    state = (await shown(lab, about)).dispute.state
    assert (answer.status_code, ended, state) in ((201, 0, "appealed"), (409, 1, "upheld"))
    assert await balance(works.owner.http) == ({} if ended else {("escrow", "USD"): "0.9"})
    if not ended:
        await reviews(site, about, "dismissed")
    await all_holds(site)


@pytest.mark.parametrize("turn", range(3))
async def test_of_two_reviews_at_the_same_moment_one_counts(site: Running, turn: int):
    works, lab, about = await charged(site)
    await decides(site, about, "dismissed")
    told(await step(lab, about, "appeal"))
    said: list[Outcome] = ["upheld", "dismissed"] if turn % 2 else ["dismissed", "upheld"]
    by = [await operator(site) for _ in said]
    found = await outcomes(*(reviews(site, about, each, who) for each, who in zip(said, by, strict=True)))
    (refused,) = [each for each in found if isinstance(each, Conflict)]
    state = (await shown(lab, about)).dispute.state
    assert state == said[1 - found.index(refused)]
    assert [each.step for each in (await shown(lab, about)).steps].count("review") == 1
    await all_holds(site)
    assert await balance(works.owner.http) == ({} if state == "upheld" else {("payable", "USD"): "0.9"})


@pytest.mark.parametrize("turn", range(3))
async def test_accepting_and_appealing_at_the_same_moment_ends_as_it_was_decided(site: Running, turn: int):
    works, lab, about = await charged(site)
    await decides(site, about, "dismissed")
    both = [step(lab, about, "accept"), step(lab, about, "appeal")]
    found = await outcomes(*(both if turn % 2 else reversed(both)))
    assert sorted(each.status_code for each in found) in ([201, 201], [201, 409])
    info = (await shown(lab, about)).dispute
    assert (info.state, info.appealed_at is not None) == (
        "dismissed",
        [each.status_code for each in found] == [201, 201],
    )
    await all_holds(site)
    assert await balance(works.owner.http) == {("payable", "USD"): "0.9"}


async def test_a_decision_counts_as_wrong_only_once_the_dispute_has_ended(
    site: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "MOST_WRONG", 1)
    works, mei = await shelf(site, PER_RUN, 3), await artist(site, "Mei")
    about = await dispute(mei, works.works[0])
    told(await step(works.owner, about))
    await decides(site, about, "dismissed")
    await dispute(mei, works.works[1])
    told(await step(mei, about, "appeal"))
    await reviews(site, about, "upheld")
    third = await dispute(mei, works.works[2])
    told(await step(works.owner, third))
    await decides(site, third, "dismissed")
    told(await step(mei, third, "accept"))
    assert "cannot open more" in problem(await send(mei, opening(mei, (await shelf(site, PER_RUN, 1)).works[0])))[2]


@pytest.mark.parametrize("appeals", [False, True])
async def test_who_lost_and_leaves_lets_the_dispute_end(site: Running, appeals: bool):
    works, lab, mei = await shelf(site, PER_RUN, 1), await trainer(site), await artist(site, "Mei")
    await mei.raise_level(2)
    await lab.license(works.wanted())
    about = await dispute(mei, works.works[0])
    told(await step(works.owner, about))
    if appeals:
        await decides(site, about, "upheld")
        told(await step(works.owner, about, "appeal"))
    else:
        await decided_before(site, about, "upheld")
    await erased(site, works.owner.account)
    assert await ending.end_due(site.services, times.now()) == (0 if appeals else 1)
    if appeals:
        await reviews(site, about, "upheld")
    ended = await shown(mei, about)
    assert (ended.dispute.state, ended.steps[-1].step) == ("upheld", "review" if appeals else "end")


async def test_what_a_release_before_decided_ended_at_once_and_stays_so(site: Running):
    works, lab, about = await charged(site)
    await decided_before(site, about, "dismissed")
    told(await step(lab, about, "accept"))
    number = identifiers.to_uuid(about.dispute, "dsp")
    async with site.services.database.acquire() as conn:
        await conn.execute(
            """update disputes set decided = null, decided_at = null, decided_by = null, appeal_until = null
            where id = $1""",
            number,
        )
    info = (await shown(lab, about)).dispute
    assert (info.state, info.decided, info.lost_by) == ("dismissed", None, None)
    for what in BOTH:
        assert "has ended: dismissed" in problem(await step(lab, about, what))[2]
    assert await ending.end_due(site.services, times.now()) == 0
    async with site.services.database.transaction() as conn:  # which is not what the office signed
        wrong = [each for each in await verification.rebuild(conn) if "expected what was signed" in each]
    assert len(wrong) == 1
    assert await balance(works.owner.http) == {("payable", "USD"): "0.9"}


async def test_strangers_see_nothing_and_lists_say_what_waits(site: Running):
    _, lab, about = await charged(site)
    await decides(site, about, "dismissed")

    async def listed(who: Artist | Trainer, state: str) -> list[str]:
        found = (await who.http.get(f"/v1/disputes?state={state}")).json()["items"]
        return [each["dispute"] for each in found]

    assert [await listed(lab, state) for state in ("answered", "decided", "appealed")] == [[], [about.dispute], []]
    told(await step(lab, about, "appeal"))
    assert [await listed(lab, state) for state in ("decided", "appealed")] == [[], [about.dispute]]
    stranger = await artist(site)
    assert await listed(stranger, "appealed") == []
    assert (await stranger.http.get(f"/v1/disputes/{about.dispute}")).status_code == 404
    seen = msgspec.json.decode((await lab.http.get(f"/v1/disputes/{about.dispute}")).content, type=DisputeShown)
    assert seen.steps[-1].step == "appeal"
    await reviews(site, about, "dismissed")
