"""Works that are known by their addresses alone: they deny, and never license (semantics 5)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from licet import identifiers
from licet.canonical import digest
from licet.statements.kinds import WorkDigest
from licet.statements.works import addresses_digest
from licet.terms import Terms
from licet.wire.licensing import Answer, Answers, Query, RowKeys
from licet.wire.works import WorkIn
from registry.auditing import verify
from registry.snapshots.publisher import publish
from tests.registry.catalogue import NO_AI, PAID, Artist, artist, picture, uploaded
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


@pytest.fixture
def page() -> str:
    """An address of this test alone."""
    return f"https://pages.example/{identifiers.new_uuid().hex}"


def at(*urls: str, **fields: Any) -> WorkIn:
    return WorkIn(work=identifiers.new_id("wrk"), mode="fingerprint-only", urls=list(urls), **fields)


async def stated(who: Artist, item: WorkIn, terms: Terms) -> str:
    (outcome,) = await who.register(item)
    assert outcome.status == "registered", outcome
    await who.state([outcome.work], terms)
    return outcome.work


async def answered(site: Running, *rows: RowKeys) -> list[Answer]:
    body = Query({"uses": ["train-gen"], "purpose": ["commercial"]}, list(rows))
    answer = await site.http.post("/v1/licensing/query", content=msgspec.json.encode(body))
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Answers).results


async def test_its_digest_says_that_there_is_no_file(site: Running, page: str) -> None:
    ada = await artist(site)
    item = at(f"{page}/b", f"{page}/a#top", title="Goldfish")
    (outcome,) = await ada.register(item)
    urls = [f"{page}/a", f"{page}/b"]
    form = WorkDigest(item.work, ada.id, None, None, None, None, urls, "fingerprint-only")
    assert outcome.digest == digest(form)
    work = await ada.work(item.work)
    assert (work.sha256, work.pixels, work.pdq, work.urls, work.title) == (None, None, None, urls, "Goldfish")
    assert (await ada.register(item))[0] == outcome


async def test_the_same_addresses_again_are_a_duplicate_and_others_are_not(site: Running, page: str) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    first, again, more = await ada.register(at(page), at(page), at(page, f"{page}/2"))
    assert [first.status, again.status, more.status] == ["registered", "duplicate", "registered"]
    assert again.existing == first.work
    (later,) = await ada.register(at(page))
    assert (later.status, later.existing) == ("duplicate", first.work)
    assert (await eve.register(at(page)))[0].status == "registered"  # nobody owns an address
    asked = {"addresses": [addresses_digest([page]), addresses_digest([f"{page}/3"])]}
    found = await ada.http.post("/v1/works/find", json=asked)
    assert [each["work"] for each in found.json()["works"]] == [first.work]
    await ada.state([first.work], NO_AI)
    await ada.withdraw([first.work])
    assert (await ada.register(at(page)))[0].status == "registered"


async def test_without_a_file_there_is_an_address_and_no_fingerprint(site: Running, page: str) -> None:
    ada = await artist(site)
    wrong = [
        (at(), "sha256"),
        (WorkIn(work=identifiers.new_id("wrk"), mode="upload", urls=[page]), "sha256"),
        (at(page, pixels="0" * 64), "pixels"),
        (at(page, pdq="0" * 64), "pdq"),
        (at(page, quality=50), "quality"),
    ]
    outcomes = await ada.register(*(item for item, _ in wrong), at(page))
    assert [(each.reason or "").partition(":")[0] for each in outcomes[:-1]] == [field for _, field in wrong]
    assert outcomes[-1].status == "registered"


async def test_it_denies_and_what_it_offers_is_left_to_a_look(site: Running, page: str) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    await eve.raise_level(2)
    denied = await stated(ada, at(f"{page}/no"), NO_AI)
    offered = await stated(eve, at(f"{page}/paid"), PAID)
    no, paid, none = await answered(site, *(RowKeys(url=f"{page}/{name}") for name in ("no", "paid", "none")))
    assert (no.verdict, no.reason, no.matches[0].work, no.matches[0].key) == ("deny", "denied", denied, "url")
    assert (paid.verdict, paid.reason, paid.matches[0].work) == ("review", "url-only", offered)
    assert (none.verdict, none.reason) == ("unknown", "not-examined")
    # It is no rival of whoever registers a picture that is shown there.
    data = picture(1)
    (mine,) = [await ada.picture(data, urls=[f"{page}/paid"])]
    assert mine.similar == []
    assert (await eve.work(offered)).state == "in-force"


async def test_it_is_changed_and_withdrawn_like_any_other(site: Running, page: str) -> None:
    ada = await artist(site)
    work = await stated(ada, at(page), PAID)
    changed = await ada.http.patch(f"/v1/works/{work}", json={"title": "Tiger"})
    assert changed.status_code == 200, changed.text
    assert (await ada.work(work)).title == "Tiger"
    await ada.withdraw([work])
    assert (await ada.work(work)).state == "withdrawn"
    (found,) = await answered(site, RowKeys(url=page))
    assert found.verdict == "deny"


async def test_a_published_snapshot_and_the_rebuilt_one_hold_it(site: Running, page: str) -> None:
    ada = await artist(site)
    work = await stated(ada, at(page), NO_AI)
    await ada.picture(picture(2))
    await publish(site.services)
    assert (await ada.work(work)).in_snapshot
    (found,) = await answered(site, RowKeys(url=page))
    assert found.verdict == "deny"
    assert await verify(site.services) == []


async def test_the_database_holds_no_work_without_file_and_address(site: Running, page: str) -> None:
    ada = await artist(site)
    (outcome,) = await ada.register(at(page))
    (sent,) = await ada.register(uploaded(b"x"))
    assert sent.status == "refused"
    work: UUID = identifiers.to_uuid(outcome.work)
    async with site.services.database.acquire() as conn:
        for change in ("urls = '{}'", "addresses = null", "mode = 'upload'", "sha256 = addresses"):
            with pytest.raises(Exception, match=r"only grows|works_known_by"):
                await conn.execute(f"update works set {change} where id = $1", work)
