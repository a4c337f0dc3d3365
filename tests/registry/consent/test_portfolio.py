"""Lists of one's own works and statements: searched, sorted, paged, and never anybody else's."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.wire.common import Page
from licet.wire.works import StatementInfo, Work
from registry.works.searching import grams, haystack, searchable
from tests.registry.catalogue import NO_AI, PAID, Artist, artist, fingerprinted
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


async def listed(who: Artist, **params: Any) -> Page[Work]:
    answer = await who.http.get("/v1/works", params=params)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Page[Work])


async def titles(who: Artist, **params: Any) -> list[str | None]:
    return [work.title for work in (await listed(who, **params)).items]


async def test_words_are_found_in_every_language_from_any_part(site: Running) -> None:
    ada = await artist(site)
    await ada.register(
        fingerprinted(1, title="Blue Heron", creator="Ada Lovelace", tags=["bird", "Ｗｉｄｅ"]),
        fingerprinted(2, title="千里江山图", creator="王希孟"),
        fingerprinted(3, title="STRASSE", external_id="inv-0042"),
    )
    found = {
        "heron": ["Blue Heron"],
        "BLUE  her": ["Blue Heron"],
        "江山": ["千里江山图"],
        "江": ["千里江山图"],
        "山江": [],
        "straße": ["STRASSE"],
        "0042": ["STRASSE"],
        "wide": ["Blue Heron"],
        "a": ["Blue Heron", "STRASSE"],
        "千": ["千里江山图"],
        "希孟": ["千里江山图"],
        "Héron": ["Blue Heron"],
        "ＢＬＵＥ": ["Blue Heron"],
        "%": [],
        "'; drop table works": [],
    }
    for q, expected in found.items():
        assert sorted(str(title) for title in await titles(ada, q=q)) == expected, q
    assert await titles(ada, external_id="inv-0042") == ["STRASSE"]


async def test_pages_hold_every_work_once_in_each_order(site: Running) -> None:
    ada = await artist(site)
    for first in (0, 4):
        await ada.register(*(fingerprinted(n, title=f"t{n % 3}" if n else None) for n in range(first, first + 4)))
    everything = {work.work for work in (await listed(ada, limit=200)).items}
    for sort in ("-registered", "registered", "title", "-title"):
        seen: list[Work] = []
        cursor: dict[str, str] = {}
        while True:
            page = await listed(ada, sort=sort, limit=3, **cursor)
            seen += page.items
            if page.next is None:
                break
            cursor = {"cursor": page.next}
        assert {work.work for work in seen} == everything
        assert len(seen) == 8
        if "title" in sort:
            names = [work.title or "" for work in seen]
            assert names == sorted(names, reverse=sort.startswith("-"))
        else:
            moments = [work.registered_at for work in seen]
            assert moments == sorted(moments, reverse=sort.startswith("-"))


async def test_the_next_page_is_linked_with_everything_that_was_asked(site: Running) -> None:
    ada = await artist(site)
    await ada.register(*(fingerprinted(n, title="same") for n in range(3)))
    answer = await ada.http.get("/v1/works", params={"q": "same", "sort": "title", "limit": 2})
    link = re.fullmatch(r'<(.+)>; rel="next"', answer.headers["link"])
    assert link is not None
    last = await ada.http.get(link[1])
    assert len(last.json()["items"]) == 1
    assert "link" not in last.headers


@pytest.mark.parametrize(
    "params",
    [{"sort": "digest"}, {"limit": 0}, {"limit": 201}, {"cursor": "nonsense"}, {"q": "x" * 201}, {"cursor": "WyJ4Il0"}],
)
async def test_wrong_parameters_are_named(site: Running, params: dict[str, Any]) -> None:
    ada = await artist(site)
    answer = await ada.http.get("/v1/works", params=params)
    assert answer.status_code == 400
    assert next(iter(params)) in answer.json()["errors"][0]["pointer"]


async def test_nobody_sees_works_or_statements_of_another_account(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    work = (await ada.register(fingerprinted(1, title="mine", external_id="x")))[0].work
    await ada.state([work], NO_AI)
    assert await titles(ada) == ["mine"]
    for params in ({}, {"q": "mine"}, {"external_id": "x"}, {"sort": "title"}, {"sort": "registered"}):
        assert await titles(eve, **params) == []
    assert (await eve.http.get(f"/v1/works/{work}")).status_code == 404
    assert (await eve.http.get("/v1/statements")).json()["items"] == []
    for path in ("/v1/works", f"/v1/works/{work}", "/v1/statements"):
        assert (await site.http.get(path)).status_code == 401
    body = {"envelope": msgspec.to_builtins(await ada.withdrawal([work])), "works": [work]}
    assert (await site.post("/v1/statements", body, http=eve.http)).status_code == 403
    assert not (await ada.work(work)).withdrawn


async def test_ones_statements_are_listed_newest_first(site: Running) -> None:
    ada = await artist(site)
    work = (await ada.register(fingerprinted(1)))[0].work
    made = [(await ada.state([work], terms)).statement for terms in (PAID, NO_AI, PAID)]
    made.append((await ada.withdraw([work])).statement)
    first = await ada.http.get("/v1/statements", params={"limit": 3})
    page = msgspec.json.decode(first.content, type=Page[StatementInfo])
    rest = await ada.http.get("/v1/statements", params={"limit": 3, "cursor": page.next})
    items = page.items + msgspec.json.decode(rest.content, type=Page[StatementInfo]).items
    assert [item.statement for item in items] == made[::-1]
    assert [item.effect for item in items] == ["withdraw", "loosen", "tighten", "initial"]
    assert [item.terms_hash for item in items] == ["", PAID.hash, NO_AI.hash, PAID.hash]
    assert all(item.works == 1 and item.scope == "works" and item.log_index is not None for item in items)
    only = await ada.http.get("/v1/statements", params={"effect": "loosen"})
    assert [item["statement"] for item in only.json()["items"]] == [made[2]]


async def test_the_account_sees_the_head_of_its_consents(site: Running) -> None:
    ada = await artist(site)
    assert (await ada.http.get("/v1/me")).json()["head"] == {"seq": 0, "digest": None}
    work = (await ada.register(fingerprinted(1)))[0].work
    await ada.state([work], NO_AI)
    assert (await ada.http.get("/v1/me")).json()["head"]["seq"] == 1


@given(st.text(max_size=30), st.text(max_size=10))
def test_whatever_part_of_a_text_is_looked_for_its_pieces_are_in_the_index(text: str, more: str) -> None:
    whole = haystack([more, text])
    wanted = searchable(text)
    assert wanted in whole
    assert set(grams(wanted)) <= set(grams(whole))
    assert searchable(wanted) == wanted


CJK = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=12)


@given(title=CJK, more=st.text(max_size=5), place=st.integers(0, 11), size=st.integers(1, 12))
def test_every_part_of_a_chinese_title_finds_it(title: str, more: str, place: int, size: int) -> None:
    part = title[place % len(title) :][:size]
    whole = haystack([f"{title} {more}", "x"])
    wanted = searchable(part)
    assert wanted
    assert wanted in whole
    assert grams(wanted)
    assert set(grams(wanted)) <= set(grams(whole))


@given(st.text(max_size=30))
def test_the_form_that_is_searched_in_is_one(text: str) -> None:
    assert searchable(searchable(text)) == searchable(text)
    assert searchable(text.upper()) == searchable(text.upper().lower())


@pytest.mark.parametrize(
    ("kept", "asked"),
    [("Élan", "elan"), ("naïve ÅNGSTRÖM", "angstrom"), ("Ёлка", "елка"), ("ΜΈΓΑ", "μεγα"), ("Straße", "STRASSE"),
     ("ﬁne ①", "fine 1"), ("カﾞ", "ガ"), ("한국어", "국"), ("山水 Landscape画", "landscape画")],
)  # fmt: skip
def test_case_width_and_accents_do_not_matter(kept: str, asked: str) -> None:
    assert searchable(asked) in searchable(kept)


@pytest.mark.parametrize(("kept", "asked"), [("が", "か"), ("हिन्दी", "हन")])
def test_marks_that_make_another_letter_matter(kept: str, asked: str) -> None:
    assert searchable(asked) not in searchable(kept)
