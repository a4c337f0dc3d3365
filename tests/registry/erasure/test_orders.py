"""Whatever came before, and whatever comes at once: erasure loosens nothing, loses nobody's evidence, happens once."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta

import pytest

from licet import identifiers, times
from licet.statements.statement_file import verify_statement_file
from licet.wire.common import StatementFile
from licet.wire.works import WorkIn
from registry.erasure import service
from registry.erasure.weighing import Weight
from registry.snapshots import building, publisher
from tests.registry import keymaking as make
from tests.registry.catalogue import NO_AI, PAID, PAID_LESS, RESEARCH, Artist, artist, picture
from tests.registry.erasure.leaving import asked, erased, places, verdict, verified, words
from tests.registry.erasure.test_erasing import fetched, trust
from tests.registry.harness import Running
from tests.registry.market import shelf, trainer

pytestmark = pytest.mark.anyio

STRICTER = ["allow", "unknown", "license", "review", "deny"]


async def lived(
    site: Running, ada: Artist, rival: Artist, turns: random.Random
) -> tuple[list[int], list[StatementFile]]:
    """Let an artist do things in some order; return the pictures, and the evidence that somebody kept."""
    seeds: list[int] = []
    works: list[str] = []
    files = []
    for step in range(8):
        act = turns.choice(["register", "register", "state", "loosen", "catalogue", "withdraw", "rival", "address"])
        if act == "register" or not works:
            seeds.append(100 + step)
            words_of = {"title": "Nightjar study", "creator": "Oriane Vell", "tags": ["nightjar"]}
            works.append((await ada.picture(picture(seeds[-1]), **words_of)).work)
            said = await ada.state([works[-1]], turns.choice([RESEARCH, PAID, NO_AI]))
        elif act == "address":
            item = WorkIn(
                work=identifiers.new_id("wrk"), mode="fingerprint-only", urls=[f"https://vell.example/{step}.png"]
            )
            await ada.register(item)
            continue
        elif act == "rival":
            copy = (await rival.picture(picture(turns.choice(seeds)))).work
            if (await rival.work(copy)).statement is None:
                await rival.state([copy], PAID)
            continue
        elif act == "catalogue":
            said = await ada.state(None, NO_AI)
        elif act == "withdraw" and len(works) > 1:
            said = await ada.withdraw([works.pop()])
        else:
            said = await ada.state([turns.choice(works)], PAID_LESS if act == "loosen" else NO_AI)
        files.append(await fetched(site, said.statement))
    return seeds, files


@pytest.mark.parametrize("seed", range(3))
async def test_rule_28_after_any_life_nothing_personal_is_left_and_no_decision_is_looser(
    lone: Running, seed: int
) -> None:
    site, turns = lone, random.Random(seed)  # a story, no secret
    ada, rival = await artist(site, "Oriane Vell"), await artist(site, "Rival")
    if seed == 2:
        await ada.raise_level(2)
    seeds, files = await lived(site, ada, rival, turns)
    before = [await verdict(site, picture(each)) for each in seeds]
    personal = words(ada, "Oriane", "oriane", "Nightjar", "nightjar", "vell.example", "evidence for 2")
    answer = await erased(site, ada.account)
    after = [await verdict(site, picture(each)) for each in seeds]
    assert all(STRICTER.index(now) >= STRICTER.index(then) for then, now in zip(before, after, strict=True))
    found = await places(site, personal)
    # What is in dispute stays verifiable: with its keys, and for its parties alone.
    assert found <= ({"account_keys.public", "log_pending.envelope"} if answer.kept else set())
    for file in files:
        assert verify_statement_file(file, trust(site)).anchored
    await publisher.publish(site.services)
    await verified(site)


async def test_two_erasures_at_once_are_one(lone: Running) -> None:
    ada = await artist(lone)
    await ada.state([(await ada.picture(picture(1))).work], RESEARCH)
    http, body = await make.eraser(lone, ada.account), {"confirm": ada.account.id}
    answers = await asyncio.gather(*(lone.post("/v1/me/erasure", body, http=http) for _ in range(2)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 201
    assert statuses[1] in (401, 410)
    assert (await lone.post("/v1/me/erasure", body, http=http)).status_code == 401
    await verified(lone)


async def test_a_licence_that_is_accepted_meanwhile_keeps_its_evidence_or_is_none(lone: Running) -> None:
    lab = await trainer(lone)
    for _ in range(3):
        goods = await shelf(lone, PAID, 1)
        quote = await lab.quote(goods.wanted())
        licence, erasure = await asyncio.gather(lab.accept(quote), asked(lone, goods.owner.account))
        assert erasure.status_code == 201, erasure.text
        kept = (await lab.http.get(f"/v1/statements/{goods.statement}")).status_code
        assert (licence.status_code, kept) in {(201, 200), (404, 410), (409, 410)}, licence.text
    await verified(lone)


async def test_others_state_their_terms_while_an_erasure_weighs_and_cleans(
    lone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bea = await artist(lone), await artist(lone, "Bea")
    await ada.state([(await ada.picture(picture(1))).work], RESEARCH)
    theirs = [(await bea.picture(picture(seed))).work for seed in (2, 3)]
    cleaned, go_on = asyncio.Event(), asyncio.Event()
    bare = service._Erasure._bare

    async def held_up(erasure: service._Erasure, weight: Weight, now: datetime) -> None:
        await bare(erasure, weight, now)
        cleaned.set()
        await go_on.wait()

    monkeypatch.setattr(service._Erasure, "_bare", held_up)
    erasing = asyncio.create_task(erased(lone, ada.account))
    await cleaned.wait()
    said = await asyncio.wait_for(bea.state(theirs, NO_AI), 30)  # for ever, if it waited for the erasure
    assert not erasing.done()
    go_on.set()
    assert (await erasing).denied == 1
    assert (await fetched(lone, said.statement)).envelope.payload
    await publisher.publish(lone.services)
    await verified(lone)


async def test_within_a_day_no_file_of_a_snapshot_is_from_before_an_erasure(
    lone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bea = await artist(lone), await artist(lone, "Bea")
    await ada.state([(await ada.picture(picture(1))).work], RESEARCH)
    before = await publisher.publish(lone.services)
    await erased(lone, ada.account)
    soon = await publisher.publish(lone.services)
    assert {each.digest for each in before.segments} & {each.digest for each in soon.segments}
    monkeypatch.setattr(building, "COMPACT_AFTER", timedelta(0))
    await bea.state([(await bea.picture(picture(2))).work], RESEARCH)
    anew = await publisher.publish(lone.services)
    assert anew.works == 2
    assert len([each for each in anew.segments if each.tier == "exact"]) == 1
    assert not {each.digest for each in before.segments if each.tier == "exact"} & {
        each.digest for each in anew.segments
    }
    async with lone.services.database.acquire() as conn:
        assert await conn.fetchval("select compacted from erasures")


async def test_a_month_with_an_erased_account_can_still_be_shown_whole(lone: Running) -> None:
    goods = await shelf(lone, PAID, 1)
    lab = await trainer(lone)
    await lab.license(goods.wanted())
    spare = await goods.owner.picture(picture(9))
    await goods.owner.state([spare.work], NO_AI)
    await erased(lone, goods.owner.account)
    answer = await lab.http.get(f"/v1/audit/bundle?period={times.to_text(times.now())[:7]}")
    assert answer.status_code == 200, answer.text
