"""Licences on an artist's works at the portal: shown to her alone, and taken back by the statement that was shown."""

from __future__ import annotations

import re

import httpx
import msgspec
import pytest

from licet.canonical import from_base64
from licet.statements.kinds import LicenceRevoke
from licet.statements.revoking import draft_revocation
from registry.portal.artists import licensed as artists
from registry.portal.frame.languages import LANGUAGES
from registry.portal.organisations import licences as organisations
from tests.registry.catalogue import PAID
from tests.registry.duties.talks import revocable_terms, send, told
from tests.registry.harness import Running
from tests.registry.market import trainer
from tests.registry.portal.people import HTML, Read, fields_of, joined
from tests.registry.portal.selling import Seller, seller, signed
from tests.registry.portal.team import busy
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio


async def test_a_licence_is_shown_and_taken_back_by_the_statement_that_was_shown(site: Running) -> None:
    ada = await seller(site, "Ada", level=2)
    lab = await trainer(site, "Lantern Labs")
    licence = (await ada.sells(revocable_terms(30, "retire-model"), 2, lab)).licence
    path = f"/en/licences/{licence}"
    for language in LANGUAGES:
        await held_whole(ada.browser, f"/{language}/licences", language)
        page = await held_whole(ada.browser, f"/{language}/licences/{licence}", language)
        assert {f"/{language}/works/{each}" for each in ada.person.works} <= set(page.links())
    shown = await ada.browser.get(path, headers=HTML)
    text = Read(shown.text).text
    for part in ("Lantern Labs", "The team has 30 days", "models trained on them are retired", "You cannot undo it"):
        assert part in text
    form = {**fields_of(shown.text), "reason": ["No\r\nmore."]}
    drafted = await ada.person.sends(path, form)
    assert drafted.status_code == 200, drafted.text
    said = fields_of(drafted.text)
    payload = msgspec.json.decode(from_base64(said["payload"][0]), type=LicenceRevoke)
    assert (payload.licence, payload.works, payload.reason) == (licence, sorted(ada.person.works), "No\nmore.")
    assert (await ada.browser.get("/v1/duties")).json()["items"] == []  # nothing was kept of what was only shown
    unsigned = await ada.person.sends(f"{path}/revoke", said)
    assert unsigned.status_code in (400, 403)
    for _ in range(2):  # a form that comes twice has one effect
        done = await ada.person.sends(f"{path}/revoke", signed(ada, said, "licence-revoke"))
        assert (done.status_code, done.headers["location"]) == (303, path)
    (duty,) = (await lab.http.get("/v1/duties")).json()["items"]
    assert (duty["effect"], duty["works"]) == ("retire-model", 2)
    after = await held_whole(ada.browser, path, "en")
    assert "You took back 2 pictures." in after.text
    assert "To be done" in after.text
    for language, words in (("en", "2 pictures taken back, end on"), ("zh", "2 张已收回")):
        assert words in (await ada.browser.get(f"/{language}/licences")).text


async def test_ones_own_page_of_a_work_says_what_one_asks_for_it(site: Running) -> None:
    ada = await seller(site, "Ada", level=2)
    (work,) = (await ada.shelf(PAID)).works
    for language, price in (("en", "US$0.05"), ("zh", "0.05")):
        own = (await held_whole(ada.browser, f"/{language}/works/{work}", language)).text
        public = (await held_whole(ada.browser, f"/{language}/work/{work}", language)).text
        assert price in own
        assert price in public


async def test_pages_of_a_licence_show_each_reader_every_work_once_and_nobody_elses(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artists, "_SHOWN", 2)
    monkeypatch.setattr(organisations, "MOST_WORKS", 3)
    ada, bea = await seller(site, "Ada", level=2), await seller(site, "Bea", level=2)
    team = await busy(site, "Lantern Labs")
    shelves = [await ada.shelf(revocable_terms(30), 4), await ada.shelf(PAID), await bea.shelf(revocable_terms(0), 2)]
    licence = (await team.lab.license([each for shelf in shelves for each in shelf.wanted()])).licence
    await revoke(ada, licence, shelves[0].works[:1])

    async def walked(http: httpx.AsyncClient, path: str) -> list[list[str]]:
        pages, to = [], path
        while to:
            page = Read((await http.get(to, headers=HTML)).text)
            works = [each for each in page.links() if re.search(r"/works?/wrk_[0-9a-z]+$", each)]
            pages.append([each.rpartition("/")[2] for each in works])
            to = next((each for each in page.links() if "cursor=" in each), "")
        return pages

    hers, others = sorted(ada.person.works), sorted(bea.person.works)
    for who, path, pages in (
        (ada.browser, f"/en/licences/{licence}", [hers[:2], hers[2:4], hers[4:]]),
        (bea.browser, f"/zh/licences/{licence}", [others]),
        (team.browser, f"/en/organisation/licences/{licence}", in_threes(sorted(hers + others))),
    ):
        assert await walked(who, path) == pages
    shown = Read((await ada.browser.get(f"/en/licences/{licence}", headers=HTML)).text).text
    for part in ("You took back one picture.", "The terms of one picture do not", "3 of your pictures can be taken"):
        assert part in shown
    first = Read((await ada.browser.get(f"/en/licences/{licence}", headers=HTML)).text)
    cursor = next(each for each in first.links() if "cursor=" in each).partition("?")[2]
    for elsewhere in (f"/zh/licences/{licence}?{cursor}", f"/en/licences/{licence}?{cursor}x"):
        refused = await ada.browser.get(elsewhere, headers=HTML)
        assert (refused.status_code, "cursor" in refused.text) == (400, True)


def in_threes(works: list[str]) -> list[list[str]]:
    return [works[place : place + 3] for place in range(0, len(works), 3)]


async def revoke(ada: Seller, licence: str, works: list[str]) -> None:
    payload = draft_revocation(
        registry=ada.owner.site.services.keys.ref, licence=licence, account=ada.owner.id,
        genesis=ada.owner.account.genesis, works=works,
    )  # fmt: skip
    told(await send(ada.owner, payload))


async def test_wrong_words_and_wrong_groups_are_said(site: Running) -> None:
    ada = await seller(site, "Ada", level=2)
    licence = (await ada.sells(revocable_terms(0))).licence
    path = f"/en/licences/{licence}"
    form = await ada.person.form(path)
    answer = await ada.person.sends(path, {**form, "reason": ["x" * 2001]})
    assert (answer.status_code, "at most 2000 ordinary characters" in answer.text) == (400, True)
    assert "x" * 2001 in answer.text
    assert (await ada.person.sends(path, {**form, "group": ["30-unlearn"]})).status_code == 400


async def test_licences_are_for_their_parties_from_level_2_on_and_taken_back_at_every_level(site: Running) -> None:
    ana = await seller(site, "Ana")
    lab = await trainer(site, "Candle Works")
    licence = (await ana.sells(revocable_terms(30), 1, lab)).licence
    path = f"/en/licences/{licence}"
    listed = await held_whole(ana.browser, "/en/licences", "en")
    assert "Candle Works" not in listed.text
    assert "shown from claim level 2 on" in listed.text
    for language in LANGUAGES:
        page = await held_whole(ana.browser, f"/{language}/licences/{licence}", language)
        assert ("Candle Works" in page.text, "0.05" in page.text) == (True, False)
        assert ana.person.works[0] not in page.text  # nor what it covers
    hers = Read((await ana.browser.get(path, headers=HTML)).text)
    assert "shown from claim level 2 on" in hers.text
    assert "The team has 30 days" in hers.text
    eve = await joined(site, "Eve")
    assert (await eve.http.get(path, headers=HTML)).status_code == 404
    own = (await eve.form("/en/account"))["form"]
    sent = {"form": own, "group": ["30-stop-new-runs"], "reason": [""]}
    assert (await eve.sends(path, sent)).status_code == 404
    long = await ana.person.sends(path, {**await ana.person.form(path), "reason": ["x" * 2001]})
    assert (long.status_code, "x" * 2001 in long.text) == (400, True)
    drafted = await ana.person.sends(path, {**await ana.person.form(path), "reason": ["No more."]})
    said = signed(ana, fields_of(drafted.text), "licence-revoke")
    assert (await ana.person.sends(f"{path}/revoke", said)).status_code == 303
    (duty,) = (await lab.http.get("/v1/duties")).json()["items"]
    assert duty["licence"] == licence
    after = await held_whole(ana.browser, path, "en")
    assert "You took back one picture." in after.text
