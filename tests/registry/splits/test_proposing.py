"""Who may propose and answer a split, and what is refused, naming the field; nothing changes until all have signed."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from licet import identifiers
from licet.canonical import encode, to_base64
from licet.statements import envelope as envelopes
from licet.statements.kinds import SplitShare, SplitWork
from licet.wire.splits import SplitSubmit
from registry.settings import rate_of
from registry.splits.verification import rebuild
from tests.registry.catalogue import NO_AI, PAID, Artist, artist, new_pictures, picture
from tests.registry.erasure.leaving import erased
from tests.registry.harness import Running
from tests.registry.market import problem, shelf, trainer
from tests.registry.splits.owners import agreed, answer, document, propose, send, told

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def pictures(request: pytest.FixtureRequest) -> None:
    new_pictures(request.node.nodeid)


class Undone(Exception):
    """What was changed is taken back."""


async def two(site: Running) -> tuple[Artist, Artist, list[str]]:
    ada, ben = await artist(site), await artist(site, "Ben")
    return ada, ben, (await shelf(site, PAID, 2, owner=ada)).works


async def kinds_told(who: Artist) -> list[str]:
    return [each["kind"] for each in (await who.http.get("/v1/events")).json()["items"]]


async def test_a_proposal_is_told_seen_and_declined_by_those_who_have_a_say(site: Running):
    ada, ben, works = await two(site)
    split = await propose(ada, works, [(ada, 6000), (ben, 4000)])
    assert await kinds_told(ben) == ["split-proposed"]
    [event] = (await ben.http.get("/v1/events")).json()["items"]
    assert f"proposes {split.split}, of 2 works, which gives you 40%" in event["detail"]
    shown = (await ben.http.get(f"/v1/splits/{split.split}")).json()
    assert [each["work"] for each in shown["works"]] == sorted(works)
    assert (await ben.http.get("/v1/splits", params={"work": works[0]})).json()["items"][0]["state"] == "open"
    assert told(await answer(ben, split, "decline")).split.state == "declined"
    assert await kinds_told(ada) == ["split-declined"]
    assert problem(await answer(ben, split))[:2] == (409, "conflict")
    assert (await ada.http.get(f"/v1/works/{works[0]}")).json()["split"] is None
    stranger = await artist(site, "Eve")
    assert (await stranger.http.get(f"/v1/splits/{split.split}")).status_code == 404
    assert (await stranger.http.get("/v1/splits")).json()["items"] == []


async def test_what_is_sent_again_has_no_second_effect(site: Running):
    ada, ben, works = await two(site)
    payload = await document(ada, works, [(ada, 6000), (ben, 4000)])
    first, second = told(await send(ada, payload)), told(await send(ada, payload))
    assert first.receipt == second.receipt
    shown = (await ben.http.get(f"/v1/splits/{payload.split}")).json()
    assert shown["split"]["document"] == first.split.document
    yes = told(await answer(ben, first.split))
    async with site.services.database.acquire() as conn:
        row = await conn.fetchrow(
            "select p.envelope from split_answers a join log_pending p on p.id = a.pending where a.split = $1",
            identifiers.to_uuid(payload.split),
        )
    assert row is not None
    same = SplitSubmit(envelopes.parse(row["envelope"]))
    again = told(await site.post(f"/v1/splits/{payload.split}/answers", same, http=ben.http))
    assert (again.statement, again.receipt) == (yes.statement, yes.receipt)
    assert problem(await answer(ben, first.split))[2].startswith("everybody has signed this split")


async def test_a_document_that_is_not_so_is_refused_naming_the_field(site: Running):
    ada, ben, works = await two(site)
    others = (await shelf(site, PAID, 1)).works[0]
    gone = (await shelf(site, PAID, 1, owner=ada)).works
    good = await document(ada, works, [(ada, 6000), (ben, 4000)])
    dropped = await document(ada, gone, [(ada, 6000), (ben, 4000)])
    await ada.withdraw(gone)
    (first, second), place = good.shares, [each.account for each in good.shares].index(ben.id)
    unknown = SplitShare(identifiers.new_id("art"), "0" * 64, 4000)
    mine = next(each for each in good.shares if each.account == ada.id)
    theirs = next(each for each in good.shares if each.account == ben.id)

    def shares(*parts: SplitShare) -> list[SplitShare]:
        return sorted(parts, key=lambda each: each.account)

    cases: list[tuple[dict[str, Any], str]] = [
        ({"shares": shares(mine, unknown)}, "].account: expected an artist or organisation of this registry"),
        (
            {"shares": shares(mine, msgspec.structs.replace(theirs, genesis="0" * 64))},
            f"shares[{place}].genesis: expected the genesis of {ben.id}",
        ),
        ({"works": [SplitWork(others, "0" * 64)]}, "works[0].work: expected a work that this account registered"),
        ({"works": [SplitWork(works[0], "0" * 64)]}, "works[0].digest: expected"),
        ({"works": dropped.works}, "works[0].work: expected a work that was not withdrawn"),
        ({"replaces": "ab"}, "replaces: expected the SHA-256 of a split's payload"),
        ({"account": ben.id}, "account: expected the caller"),
        ({"genesis": "0" * 64}, "genesis: expected the genesis of the account"),
        ({"nonce": "x"}, "nonce: expected 16 to 128 characters"),
        ({"issued_at": "2099-01-01T00:00:00.000Z"}, "issued_at: expected a time that is not to come"),
        ({"shares": [SplitShare(ada.id, ada.account.genesis, 10_000)]}, "shares: expected somebody to share with"),
        ({"split": identifiers.new_id("stm")}, "split: expected"),
    ]
    for changes, says in cases:
        status, _, detail = problem(await send(ada, msgspec.structs.replace(good, **changes)))
        assert status == 400, (changes, detail)
        assert says in detail
    status, _, detail = problem(await send(ada, msgspec.structs.replace(good, replaces="ab" * 32)))
    assert (status, detail.startswith("replaces: expected null, what is in force on")) == (409, True)
    body = envelopes.seal(good, ada.account.key)
    raw = msgspec.to_builtins(body)
    for change, says in (
        ([msgspec.to_builtins(first)] * 2, "shares: expected each account once"),
        ([{**msgspec.to_builtins(first), "bps": 0}, msgspec.to_builtins(second)], ".bps: expected 1 to 10000"),
        ([msgspec.to_builtins(first)], "shares: expected 10000 basis points in sum"),
    ):
        spoilt = to_base64(encode({**msgspec.to_builtins(good), "type": "split", "shares": change}))
        reply = await site.post("/v1/splits", {"envelope": {**raw, "payload": spoilt}}, http=ada.http)
        assert problem(reply)[0] == 400
        assert says in problem(reply)[2]
    assert (await ben.http.get("/v1/splits")).json()["items"] == []


async def test_nobody_signs_for_another_and_whoever_proposed_has_signed(site: Running):
    ada, ben, works = await two(site)
    split = await propose(ada, works, [(ada, 6000), (ben, 4000)])
    assert problem(await answer(ada, split))[0] == 403
    assert problem(await answer(ben, split, document="0" * 64))[2].startswith("document: expected")
    assert problem(await answer(ben, split, names=identifiers.new_id("spl")))[2].startswith("split: expected")
    assert problem(await answer(ben, split, account=ada.id))[2].startswith("account: expected the caller")
    stranger = await artist(site, "Eve")
    shown = (await ben.http.get(f"/v1/splits/{split.split}")).json()
    payload = {"envelope": shown["envelope"]}
    reply = await site.post(f"/v1/splits/{split.split}/answers", payload, http=stranger.http)
    assert reply.status_code == 404
    lab = await trainer(site)
    assert (await lab.http.get(f"/v1/splits/{split.split}")).status_code == 404
    assert (await ada.http.get(f"/v1/splits/{split.split}")).json()["split"]["state"] == "open"


async def test_a_proposal_that_another_one_overtook_says_so(site: Running):
    ada, ben, works = await two(site)
    late = await propose(ada, works, [(ada, 5000), (ben, 5000)])
    await agreed(ada, works[:1], [(ada, 6000), (ben, 4000)])
    assert (await ben.http.get(f"/v1/splits/{late.split}")).json()["split"]["state"] == "overtaken"
    [listed] = (await ada.http.get("/v1/splits", params={"state": "overtaken"})).json()["items"]
    assert (listed["split"], listed["lapses_at"]) == (late.split, None)
    assert (await ada.http.get("/v1/splits", params={"state": "open"})).json()["items"] == []
    status, _, detail = problem(await answer(ben, late))
    assert (status, detail.startswith("another split came into force since this one was proposed")) == (409, True)
    assert told(await answer(ben, late, "decline")).split.state == "declined"


async def test_the_same_split_waits_once(site: Running):
    ada, ben, works = await two(site)
    first = await propose(ada, works, [(ada, 6000), (ben, 4000)])
    again = await document(ada, works, [(ada, 6000), (ben, 4000)])
    says = f"this very split waits already, as {first.split}: decline that first"
    assert problem(await send(ada, again)) == (409, "conflict", says)
    for others in (works[:1], works):
        await propose(ada, others, [(ada, 5000), (ben, 5000)])
    told(await answer(ben, first, "decline"))
    assert told(await send(ada, again)).split.state == "open"


async def test_who_is_told_of_splits_is_told_so_many_times_at_most(lone: Running, monkeypatch: pytest.MonkeyPatch):
    ada, ben, works = await two(lone)
    few = lone.services.settings.model_copy(update={"quota_splits": rate_of("2/1d")})
    monkeypatch.setattr(lone.services, "settings", few)
    for bps in (1, 2, 3):
        reply = await send(ada, await document(ada, works, [(ada, 10_000 - bps), (ben, bps)]))
        if reply.status_code == 201:
            told(await answer(ada, told(reply).split, "decline"))
    assert problem(reply)[:2] == (429, "quota-exceeded")
    assert (await kinds_told(ben)).count("split-proposed") == 2


async def test_who_was_erased_gets_no_share(site: Running):
    ada, ben, works = await two(site)
    split = await propose(ada, works, [(ada, 6000), (ben, 4000)])
    cay = await artist(site, "Cay")
    late = await propose(ada, works, [(ada, 3000), (ben, 3000), (cay, 4000)])
    told(await answer(cay, late))
    await erased(site, cay.account)
    assert problem(await answer(ben, late))[2] == f"{cay.id} was erased; propose another split"
    refused = problem(await send(ada, await document(ada, works, [(ada, 6000), (cay, 4000)])))
    assert "expected an account that was not erased" in refused[2]
    assert told(await answer(ben, split)).split.state == "in-force"


async def test_rule_21_who_remains_may_agree_anew_and_an_erased_co_owner_keeps_its_share(site: Running):
    ada, ben, works = await two(site)
    cay, dan = await artist(site, "Cay"), await artist(site, "Dan")
    first = await agreed(ada, works, [(ada, 3000), (ben, 4000), (cay, 3000)])
    waiting = await propose(ada, works, [(ada, 2000), (ben, 4000), (cay, 4000)], first.document)
    told(await answer(cay, waiting))
    await erased(site, ben.account)
    payload = await document(ada, works, [(ada, 7000), (cay, 3000)], first.document)
    says = (
        f"shares: expected 4000 basis points of {ben.id}, who had them when it was erased: nobody can agree for it to "
        f"another share"
    )
    assert problem(await send(ada, payload)) == (409, "conflict", says)
    shares = sorted([(ada, 6999), (ben, 3001)], key=lambda each: each[0].id)
    place = [who for who, _ in shares].index(ben)
    refused = problem(await send(ada, await document(ada, works, shares, first.document)))[2]
    assert refused == f"shares[{place}].bps: expected 4000, which {ben.id} had when it was erased, got 3001"
    assert await kinds_told(dan) == []
    second = await propose(ada, works, [(ada, 1000), (ben, 4000), (dan, 5000)], first.document)
    assert await kinds_told(dan) == ["split-proposed"]
    told(await answer(cay, second))  # it ends his share
    assert told(await answer(dan, second)).split.state == "in-force"
    third = await document(ada, works, [(ada, 6000), (ben, 4000)], second.document)
    told(await send(ada, third))
    async with site.services.database.acquire() as conn:
        assert await rebuild(conn) == []


async def test_a_split_that_nobody_could_sign_is_refused_when_it_is_proposed(site: Running):
    ada, ben, works = await two(site)
    first = await agreed(ada, works, [(ada, 6000), (ben, 4000)])
    await erased(site, ben.account)
    refused = problem(await send(ada, await document(ada, works, [(ada, 6000), (ben, 4000)], first.document)))
    assert refused[0] == 400
    assert refused[2].startswith("shares: expected somebody who can sign it beside who proposes it")


async def test_nobody_is_bound_to_a_work_that_became_another_since_it_was_proposed(site: Running):
    ada, ben = await artist(site), await artist(site, "Ben")
    work = (await ada.picture(picture(1))).work
    await ada.state([work], NO_AI)
    split = await propose(ada, [work], [(ada, 6000), (ben, 4000)])
    await ada.add(await ada.changed(work, picture(2)))
    says = f"{work} was changed since the split was proposed; propose another one"
    assert problem(await answer(ben, split)) == (409, "conflict", says)
    assert (await ada.http.get(f"/v1/works/{work}")).json()["split"] is None
    await agreed(ada, [work], [(ada, 6000), (ben, 4000)])


async def test_of_two_answers_at_once_both_count(site: Running):
    ada, ben, works = await two(site)
    cay = await artist(site, "Cay")
    split = await propose(ada, works, [(ada, 2000), (ben, 4000), (cay, 4000)])
    both = [told(each).split.state for each in await asyncio.gather(answer(ben, split), answer(cay, split))]
    assert "in-force" in both
    rival, other = [await propose(ada, works, [(ada, bps), (ben, 10_000 - bps)], split.document) for bps in (1, 2)]
    for each in (rival, other):
        told(await answer(cay, each))
    replies = await asyncio.gather(answer(ben, rival), answer(ben, other))
    assert sorted(each.status_code for each in replies) == [201, 409]
    async with site.services.database.acquire() as conn:
        assert await rebuild(conn) == []


async def test_statements_of_two_owners_may_reach_the_log_in_another_order_than_they_were_taken(site: Running):
    """Who draws an id first may commit last: what counts is the order of the log."""
    ada, ben, works = await two(site)
    eve = await artist(site, "Eve")
    others = (await shelf(site, PAID, 1, owner=eve)).works
    proposed = [await propose(ada, works, [(ben, 10_000)]), await propose(eve, others, [(ben, 10_000)])]
    with pytest.raises(Undone):
        async with site.services.database.transaction() as conn:
            await conn.execute("set local session_replication_role = replica")
            ids = [identifiers.to_uuid(each.split) for each in proposed]
            first, second = [await conn.fetchval("select pending from splits where id = $1", each) for each in ids]
            for before, after in ((first, -1), (second, first), (-1, second)):
                await conn.execute("update log_entries set pending = $2 where pending = $1", before, after)
            assert await rebuild(conn) == []
            raise Undone


async def test_a_split_that_nobody_signed_is_found_when_everything_is_counted_again(site: Running):
    ada, ben, works = await two(site)
    await agreed(ada, works, [(ada, 6000), (ben, 4000)])
    async with site.services.database.acquire() as conn:
        assert await rebuild(conn) == []
    own = "where split = any(select split from split_parties where account = $1)"
    for wrong in (
        f"update split_parties set bps = case account when $1 then 9000 else 1000 end {own}",
        f"update split_works set since = null {own}",
    ):
        with pytest.raises(Undone):
            async with site.services.database.transaction() as conn:
                await conn.execute(wrong, ada.uuid)
                found = await rebuild(conn)
                assert found
                assert all("expected the s" in each for each in found)
                raise Undone
    with pytest.raises(Undone):
        async with site.services.database.transaction() as conn:
            await conn.execute("set local session_replication_role = replica")
            await conn.execute("update works set account = $1 where account = $2", ben.uuid, ada.uuid)
            found = await rebuild(conn)
            assert len([each for each in found if "proposed by who registered the work" in each]) == len(works)
            raise Undone
