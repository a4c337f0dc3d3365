"""Documents of terms over HTTP: what counts at this moment, for everybody, and nothing of what is not public."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import msgspec
import pytest

from licet.signals import combine
from licet.signals.readers.ai_txt import read_ai_txt
from licet.signals.readers.headers import read_headers
from licet.signals.readers.robots_txt import read_robots
from licet.signals.readers.rsl import read_rsl
from licet.signals.readers.tdmrep import read_tdmrep
from licet.terms import ATOMS, Price, Terms
from licet.terms.rules import ALLOW, Rule
from licet.wire.publishing import PublishedTerms
from registry.publishing.documents import JSON, NAMES
from tests.registry.catalogue import NO_AI, PAID, Artist, artist, drawn, encoded, fingerprinted, picture, uploaded
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio
EVERY = (JSON, *NAMES)
PRICE = Price(model="per-work", amount="0.05", currency="USD")
#: On offer as a whole, so that dialects whose words cover several uses can say so.
WIDE = Terms({**dict.fromkeys(ATOMS, Rule(permission="license", price=PRICE)), "search": ALLOW})
SHOP = "https://shop.example/heron.png"


async def get(site: Running, work: str, name: str = JSON, **headers: str) -> httpx.Response:
    return await site.http.get(f"/works/{work}/{name}", headers=headers)


async def told(site: Running, work: str) -> PublishedTerms:
    answer = await get(site, work)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=PublishedTerms)


async def signed_for(site: Running, terms: Terms = PAID, level: int = 2, name: str = "Ada") -> tuple[Artist, str]:
    who = await artist(site, name)
    if level:
        await who.raise_level(level)
    work = (await who.picture(picture(level), title="Heron")).work
    await who.state([work], terms)
    return who, work


async def test_a_work_says_its_terms_in_every_dialect(site: Running) -> None:
    _, work = await signed_for(site, WIDE)
    kinds = {}
    for name in EVERY:
        answer = await get(site, work, name)
        assert answer.status_code == 200, (name, answer.text)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "public, no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["last-modified"].endswith(" GMT")
        assert answer.headers["content-usage"] == "train-ai=n, search=y"
        assert (answer.headers["tdm-reservation"], answer.headers["tdm-policy"][-22:]) == (
            "1",
            "/terms.tdm-policy.json",
        )
        assert answer.headers["link"].endswith('/terms.rsl.xml>; rel="license"; type="application/rsl+xml"')
        kinds[name] = answer.headers["content-type"].partition(";")[0]
    assert kinds == {
        "terms.json": "application/json",
        "terms.rsl.xml": "application/rsl+xml",
        "terms.tdmrep.json": "application/json",
        "terms.tdm-policy.json": "application/ld+json",
        "terms.odrl.json": "application/ld+json",
        "terms.cawg.json": "application/json",
        "terms.croissant.json": "application/ld+json",
        "terms.xmp": "application/rdf+xml",
    }
    found = await told(site, work)
    assert (found.terms, found.reasons, found.unsaid) == (WIDE.to_json(), {}, [])
    assert found.terms_hash == found.in_force == WIDE.hash
    url = site.services.settings.url
    for name, address in found.documents.items():
        assert address == f"{url}/works/{work}/{name}"
    read = combine(
        read_rsl((await get(site, work, "terms.rsl.xml")).content, SHOP, at=found.documents["terms.rsl.xml"])
    )
    assert {each.use: each.verdict for each in read.uses}["train-gen"] == "license"


async def test_what_is_asked_again_is_sent_again_only_when_it_changed(site: Running) -> None:
    ada, work = await signed_for(site)
    first = await get(site, work, "terms.rsl.xml")
    tag = first.headers["etag"]
    again = await get(site, work, "terms.rsl.xml", **{"If-None-Match": f'"x", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["content-usage"] == first.headers["content-usage"]
    # A dispute or a claim level changes what counts at no time that If-Modified-Since could be compared with.
    since = await get(site, work, "terms.rsl.xml", **{"If-Modified-Since": first.headers["last-modified"]})
    assert since.status_code == 200
    await ada.state([work], NO_AI)
    changed = await get(site, work, "terms.rsl.xml", **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    head = await site.http.head(f"/works/{work}/terms.rsl.xml")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", changed.headers["etag"])


async def test_what_is_not_public_is_as_what_is_not_there(site: Running) -> None:
    ada = await artist(site)
    unsigned = (await ada.picture(picture(3))).work
    absent = uploaded(b"").work
    for name in EVERY:
        hidden, none = await get(site, unsigned, name), await get(site, absent, name)
        assert hidden.status_code == none.status_code == 404
        left, right = hidden.json(), none.json()
        assert {**left, "instance": ""} == {**right, "instance": ""}
        assert not {"content-usage", "etag", "link"} & set(hidden.headers)
    assert (await get(site, "wrk_nonsense")).status_code == 400
    assert (await get(site, absent, "terms.pdf")).status_code == 404
    assert (await site.http.get(f"/works/{absent}/terms.json?x=1")).status_code == 400


async def test_what_is_contested_withdrawn_or_not_proven_is_denied(site: Running) -> None:
    _, work = await signed_for(site, name="Ada")
    assert (await told(site, work)).terms["train-gen"]["permission"] == "license"
    eve = await artist(site, "Eve")
    await eve.raise_level(2)
    copy = (await eve.picture(encoded(drawn(2).resize((150, 150)), "JPEG"))).work
    await eve.state([copy], PAID)
    for each in (work, copy):
        found = await told(site, each)
        assert {rule["permission"] for rule in found.terms.values()} == {"deny"}, each
        assert found.reasons["train-gen"] in ("contested", "pending")
    _, gone = await signed_for(site, level=0)
    mine = await told(site, gone)
    assert mine.terms["train-gen"]["permission"] == "license"  # it has a price, which waits in escrow
    assert (mine.reasons, mine.unsaid) == ({"search": "claim-level"}, ["search"])


async def test_what_restricts_a_work_is_in_its_documents(site: Running) -> None:
    ada, work = await signed_for(site)
    await ada.state(None, NO_AI)  # the whole catalogue
    found = await told(site, work)
    assert {use for use, rule in found.terms.items() if rule["permission"] != "deny"} == {"search"}
    assert found.in_force == NO_AI.hash
    await ada.withdraw([work])
    assert set((await told(site, work)).reasons.values()) == {"withdrawn"}
    headers = (await get(site, work)).headers
    assert headers["content-signal"] == "search=no, ai-input=no, ai-train=no"


async def test_a_fingerprint_alone_permits_nothing(site: Running) -> None:
    ada = await artist(site)
    await ada.raise_level(3)
    (made,) = await ada.register(fingerprinted(1))
    await ada.state([made.work], PAID)
    found = await told(site, made.work)
    assert {rule["permission"] for rule in found.terms.values()} == {"deny"}
    assert set(found.reasons.values()) == {"fingerprint-only"}
    policy = json.loads((await get(site, made.work, "terms.tdm-policy.json")).content)
    assert policy["permission"] == []
    assert "tdm-policy" not in (await get(site, made.work)).headers


async def test_previews_say_what_may_be_done_with_them(site: Running) -> None:
    ada = await artist(site)
    await ada.raise_level(2)
    work = (await ada.picture(picture(9))).work
    address = f"/v1/works/{work}/thumbnail"
    before = await ada.http.get(address)
    assert before.headers["content-usage"] == "train-ai=n, search=n"
    assert before.headers["x-robots-tag"] == "noai, noimageai"
    assert before.headers["tdm-reservation"] == "1"
    await ada.state([work], WIDE)
    after = await ada.http.get(address)
    assert after.headers["content-usage"] == "train-ai=n, search=y"
    assert after.headers["tdm-policy"].endswith(f"/works/{work}/terms.tdm-policy.json")
    assert f"/works/{work}/terms.rsl.xml" in after.headers["link"]
    read = combine(read_headers(after.headers.multi_items(), SHOP, picture=True))
    assert {each.use: each.verdict for each in read.uses}["train-gen"] == "deny"
    unchanged = await ada.http.get(address, headers={"If-None-Match": after.headers["etag"]})
    assert (unchanged.status_code, unchanged.headers["tdm-reservation"]) == (304, "1")


async def test_the_files_of_the_site_keep_its_pictures_and_let_terms_be_read(site: Running) -> None:
    url = site.services.settings.url
    thumbnail, terms = f"{url}/v1/works/wrk_1/thumbnail", f"{url}/works/wrk_1/terms.rsl.xml"
    robots = await site.http.get("/robots.txt")
    assert robots.headers["content-type"] == "text/plain; charset=utf-8"
    of_picture, of_terms = read_robots(robots.content, thumbnail), read_robots(robots.content, terms)
    denied = {each.use for each in combine(of_picture).uses if each.verdict == "deny"}
    assert {"train-gen", "finetune-style", "search", "mine", "input"} <= denied
    assert not [each for each in combine(of_terms).uses if each.verdict == "deny"]
    assert not [each for each in (*of_picture, *of_terms) if each.unreadable]
    reserved = await site.http.get("/.well-known/tdmrep.json")
    assert reserved.headers["content-type"] == "application/json"
    assert {each.use for each in combine(read_tdmrep(reserved.content, thumbnail)).uses if each.verdict == "deny"}
    assert not read_tdmrep(reserved.content, terms)
    media = await site.http.get("/ai.txt")
    assert {each.use for each in combine(read_ai_txt(media.content, thumbnail)).uses if each.verdict == "deny"} == {
        "train-nongen", "train-gen", "finetune-style",
    }  # fmt: skip
    for answer in (robots, reserved, media):
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_crawlers_are_counted_as_everybody_is(lone: Running, tmp_path: Path) -> None:
    answer = await get(lone, uploaded(b"").work)
    assert "ratelimit" in answer.headers
