"""Changing what a work is called: whole or not at all, never over somebody else's change, never anybody else's work."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from licet import identifiers
from licet.wire.works import ChangeOutcome, Work, WorksChanged, WorksFound
from registry.works.changing import renew_words
from registry.works.searching import FORM
from tests.registry.catalogue import NO_AI, PAID, Artist, artist, fingerprinted
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


async def changes(who: Artist, *items: dict[str, Any]) -> list[ChangeOutcome]:
    answer = await who.site.post("/v1/works/changes", {"changes": items}, http=who.http)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=WorksChanged).items


async def found(who: Artist, **keys: list[str]) -> list[str]:
    answer = await who.http.post("/v1/works/find", json=keys)
    assert answer.status_code == 200, answer.text
    return [work.work for work in msgspec.json.decode(answer.content, type=WorksFound).works]


async def titles(who: Artist, **params: str) -> list[str]:
    return [item["title"] for item in (await who.http.get("/v1/works", params=params)).json()["items"]]


async def test_what_is_named_changes_and_the_rest_stays(site: Running) -> None:
    ada = await artist(site)
    work = (await ada.register(fingerprinted(1, title="Heron", creator="Ada", tags=["bird"])))[0].work
    answer = await ada.http.patch(f"/v1/works/{work}", json={"title": "  Blue heron ", "tags": ["b", "b", "a"]})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    changed = msgspec.json.decode(answer.content, type=Work)
    assert (changed.title, changed.creator, changed.tags, changed.revision) == ("Blue heron", "Ada", ["b", "a"], 2)
    assert await titles(ada, q="blue") == ["Blue heron"]
    assert await titles(ada, q="bird") == []
    answer = await ada.http.patch(f"/v1/works/{work}", json={"title": None, "tags": []})
    assert (answer.json()["title"], answer.json()["tags"], answer.json()["creator"]) == (None, [], "Ada")


async def test_a_change_from_an_old_revision_is_refused_unless_it_was_made_already(site: Running) -> None:
    ada = await artist(site)
    work = (await ada.register(fingerprinted(1, title="one")))[0].work
    first = {"If-Match": (await ada.http.get(f"/v1/works/{work}")).headers["etag"]}
    assert (await ada.http.patch(f"/v1/works/{work}", json={"title": "two"}, headers=first)).status_code == 200
    again = await ada.http.patch(f"/v1/works/{work}", json={"title": "two"}, headers=first)
    assert (again.status_code, again.json()["revision"]) == (200, 2)
    other = await ada.http.patch(f"/v1/works/{work}", json={"title": "three"}, headers=first)
    assert (other.status_code, other.json()["type"].rsplit("/", 1)[-1]) == (412, "precondition-failed")
    assert (await ada.work(work)).title == "two"
    assert (await ada.http.patch(f"/v1/works/{work}", json={"title": "4"}, headers={"If-Match": "*"})).is_success
    bad = await ada.http.patch(f"/v1/works/{work}", json={"title": "5"}, headers={"If-Match": "W/2"})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (400, "header:If-Match")


async def test_each_of_many_changes_is_answered_for_itself(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    works = [each.work for each in await ada.register(*(fingerprinted(n, title=f"t{n}") for n in range(5)))]
    foreign = (await eve.register(fingerprinted(9, title="hers")))[0].work
    outcomes = await changes(
        ada,
        {"work": works[0], "revision": 1, "title": "new"},
        {"work": works[1], "revision": 1, "title": "t1"},
        {"work": works[2], "revision": 7, "title": "new"},
        {"work": works[3], "title": "new", "created": "2019-13"},
        {"work": foreign, "title": "mine"},
        {"work": identifiers.new_id("wrk"), "title": "x"},
        {"work": "nonsense", "title": "x"},
        {"work": works[4], "external_id": "inv-4"},
    )
    assert [each.status for each in outcomes] == ["updated", "unchanged", *["refused"] * 5, "updated"]
    assert [each.work for each in outcomes[:4]] == works[:4]
    assert (outcomes[2].reason or "").startswith("revision: expected 1, got 7")
    assert (outcomes[3].reason or "").startswith("created: expected a year")
    assert {(await ada.work(work)).title for work in works[1:]} == {"t1", "t2", "t3", "t4"}
    assert (await eve.work(foreign)).title == "hers"
    assert await found(ada, external_ids=["inv-4"]) == [works[4]]


async def test_a_request_holds_one_to_a_thousand_changes_each_of_another_work(site: Running) -> None:
    ada = await artist(site)
    work = identifiers.new_id("wrk")
    for items in ([], [{"work": work}] * 2, [{"work": f"w{n}"} for n in range(1001)]):
        answer = await site.post("/v1/works/changes", {"changes": items}, http=ada.http)
        assert answer.status_code == 400
        assert "changes" in answer.json()["detail"]


async def test_works_are_found_by_file_external_id_and_name_and_only_ones_own(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    items = [fingerprinted(n, external_id="same" if n else None) for n in range(5)]
    works = [each.work for each in await ada.register(*items)]
    file = items[0].sha256 or ""
    keys = {"sha256": [file], "external_ids": ["same", "none"], "works": [works[1]]}
    assert set(await found(ada, **keys)) == {
        works[0],
        works[1],
        *sorted(works[1:])[-3:],
    }  # of one external id the last three
    assert await found(eve, **keys) == []
    await ada.state(works, NO_AI)
    await ada.withdraw([works[0], works[4]])
    assert await found(ada, sha256=[file]) == []
    assert await found(ada, works=[works[0]]) == [works[0]]
    assert works[4] not in await found(ada, external_ids=["same"])
    many = await ada.http.post("/v1/works/find", json={"sha256": ["00" * 32] * 1001})
    assert (many.status_code, many.json()["errors"][0]["pointer"]) == (400, "/sha256")


async def test_a_work_says_what_is_in_force_what_waits_and_who_is_like_it(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    item = fingerprinted(1)
    mine = (await ada.register(item))[0].work
    assert (await ada.work(mine)).state == "unsigned"
    await ada.state([mine], NO_AI)
    work = await ada.work(mine)
    assert (work.state, work.stated, work.waiting, work.level, work.similar) == ("in-force", NO_AI.hash, None, 0, [])
    looser = await ada.state([mine], PAID)
    work = await ada.work(mine)
    assert (work.state, work.stated, work.terms_hash) == ("pending", NO_AI.hash, NO_AI.hash)
    assert work.waiting is not None
    assert (work.waiting.statement, work.waiting.terms_hash) == (looser.statement, PAID.hash)
    assert work.waiting.until == looser.pending_until
    theirs = (await eve.register(msgspec.structs.replace(item, work=identifiers.new_id("wrk"))))[0].work
    await eve.state([theirs], NO_AI)
    work = await ada.work(mine)
    assert (work.state, work.similar, (await eve.work(theirs)).similar) == ("contested", [theirs], [mine])
    await ada.withdraw([mine])
    assert (await ada.work(mine)).state == "withdrawn"


async def test_lists_are_filtered_by_state_mode_and_tag(site: Running) -> None:
    ada = await artist(site)
    registered = await ada.register(*(fingerprinted(n, title=f"t{n}", tags=[f"g{n % 2}"]) for n in range(4)))
    works = [each.work for each in registered]
    await ada.state(works[:3], NO_AI)
    await ada.state([works[1]], PAID)
    await ada.withdraw([works[2]])
    assert await titles(ada, state="in-force") == ["t0"]
    assert await titles(ada, state="pending") == ["t1"]
    assert await titles(ada, state="withdrawn") == ["t2"]
    assert await titles(ada, state="unsigned") == ["t3"]
    assert sorted(await titles(ada, tag="g1")) == ["t1", "t3"]
    assert await titles(ada, tag="g1", state="unsigned", mode="fingerprint-only", q="t") == ["t3"]
    assert await titles(ada, mode="upload") == []
    assert await titles(ada, sort="-title") == ["t3", "t2", "t1", "t0"]
    for wrong in ({"state": "gone"}, {"mode": "x"}):
        assert (await ada.http.get("/v1/works", params=wrong)).status_code == 400


async def test_words_of_an_older_form_are_made_anew(site: Running) -> None:
    ada = await artist(site)
    works = [each.work for each in await ada.register(fingerprinted(1, title="Élan"), fingerprinted(2, title="江"))]
    async with site.services.database.acquire() as conn:
        await conn.execute("update works set haystack = 'élan', grams = '{}', words = 0 where account = $1", ada.uuid)
    assert await titles(ada, q="elan") == []
    assert await renew_words(site.services) == len(works)
    assert await renew_words(site.services) == 0
    assert (await titles(ada, q="elan"), await titles(ada, q="江")) == (["Élan"], ["江"])
    async with site.services.database.acquire() as conn:
        assert await conn.fetchval("select min(words) from works where account = $1", ada.uuid) == FORM
