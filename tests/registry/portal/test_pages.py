"""Every page of the portal: whole in both languages, for those whom it is for, and for nobody else."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from registry.accounts import operators
from registry.portal.artists.room import ROOM
from registry.portal.frame.languages import LANGUAGES
from tests.registry.harness import Running
from tests.registry.portal import test_asking, test_auditors, test_earnings, test_keys, test_organisations, test_staff
from tests.registry.portal.people import HTML, Artist, Read, joined
from tests.registry.portal.whole import held_whole, pages

pytestmark = pytest.mark.anyio

PUBLIC = (
    *("", "/check", "/join", "/sign-in", "/recover", "/invited", "/register", "/register/datasets", "/work/{work}"),
    *("/log", "/log/{index}", "/verify", "/about", "/join-team"),
)
#: Pages with a session, and who else has them: everybody with one, or artists alone.
OWN = {
    "/home": "art",
    "/alerts": "art",
    "/works": "art",
    "/works/{work}": "art",
    "/works/{work}/evidence": "art",
    "/trace": "art",
    "/terms": "art",
    "/earnings": "art",
    "/earnings/uses": "art",
    "/licences": "art",
    "/requests": "art",
    "/earnings/statements": "art",
    "/earnings/payments": "art",
    "/earnings/entries": "art",
    "/level": "art",
    "/add": "art",
    "/site": "art",
    "/statements": "all",
    "/statements/{statement}": "art",
    "/account": "all",
    "/account/keys": "all",
    "/account/leave": "all",
    "/disputes": "all",
    "/disputes/new": "all",
    "/account/keys/{keyid}/end": "all",
}
#: What is opened with an identifier that is somebody's: strangers find nothing there.
ANOTHERS = ("/works/{work}", "/works/{work}/evidence", "/statements/{statement}", "/account/keys/{keyid}/end")
#: Read by its two parties (test_disputes.py), and as everybody reads the register: tests/registry/register. A file:
#: tests/registry/publishing/test_sites.py.
ELSEWHERE = {
    "/operator/disputes/{dispute}",
    "/disputes/{dispute}",
    "/register/models/{model}",
    "/register/datasets/{dataset}",
    "/site/kit.zip",
}

_STAFF = (*test_staff.PAGES, *test_auditors.PAGES)


async def test_every_page_is_walked_here(site: Running) -> None:
    elsewhere = {
        *ELSEWHERE,
        *test_earnings.PAGES,
        *test_organisations.PAGES,
        *test_asking.PAGES,
        *test_keys.SIGNED,
        *_STAFF,
    }
    assert pages(site.app) == {*PUBLIC, *OWN, *elsewhere}


async def filled(mei: Artist, path: str) -> str:
    statements = (await mei.http.get("/v1/statements")).json()["items"]
    return (
        path.replace("{work}", mei.works[0])
        .replace("{statement}", statements[0]["statement"])
        .replace("{keyid}", mei.key.keyid)
        .replace("{index}", "0")
    )


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_are_whole_in_both_languages_and_lead_somewhere(site: Running, mei: Artist, language: str) -> None:
    for path in (*PUBLIC, *(each for each in OWN if OWN[each] in ("art", "all"))):
        http = site.http if path in PUBLIC else mei.http
        found = f"/{language}{await filled(mei, path)}"
        if path == "/terms":
            found += f"?work={mei.works[1]}"
        await held_whole(http, found, language)


async def test_what_is_ones_own_is_nobody_elses(site: Running, mei: Artist) -> None:
    eve = await joined(site, "Eve")
    program = await site.account(name="Program")
    lab = await site.account("organisation", "Lab")
    auditor = await operators.invite(site.services.database, "auditor", name="Aud")
    for path in OWN:
        found = f"/en{await filled(mei, path)}"
        nobody = await site.http.get(found, headers=HTML)
        assert (nobody.status_code, nobody.headers["location"][:11]) == (303, "/en/sign-in")
        expected = 404 if path in ANOTHERS else 200
        stranger = await eve.http.get(found, headers=HTML)
        assert stranger.status_code == expected, found
        assert mei.works[0] not in stranger.text.replace(found[3:], "")
        for token in (program.token, lab.token, auditor[1].token):  # a token opens no page
            assert (await site.client(token).get(found, headers=HTML)).status_code == 403, found
    # Nor can her works be stated, undone or shown for her.
    statement = (await filled(mei, "{statement}")).strip("/")
    for query in (f"work={mei.works[0]}", f"undoes={statement}"):
        answer = await eve.http.get(f"/en/terms?{query}", headers=HTML)
        assert answer.status_code in (200, 400)
        assert 'name="payload"' not in answer.text
    form = mei.signed(await mei.form(f"/en/terms?work={mei.works[0]}"))
    own = (await eve.form("/en/account"))["form"]
    assert (await eve.sends("/en/terms/sign", {**form, "form": own})).status_code in (400, 403)


async def test_names_and_titles_are_text(site: Running, mei: Artist) -> None:
    for path in ("/en/home", "/zh/account"):
        answer = await mei.http.get(path, headers=HTML)
        assert "Mei &amp; &lt;Lin&gt;" in answer.text
        assert "<Lin>" not in answer.text


async def test_a_work_is_public_once_a_statement_about_it_is_in_the_log(site: Running, mei: Artist) -> None:
    page = Read((await site.http.get(f"/en/work/{mei.works[0]}", headers=HTML)).text)
    assert "No AI use" in page.text
    assert "I do not agree to any use this statement does not name." in page.text
    assert (await site.http.get(f"/en/work/{mei.works[1]}", headers=HTML)).status_code == 404


async def test_a_public_page_says_what_holds_of_its_picture_and_quotes_no_count(site: Running, mei: Artist) -> None:
    for language, one, names in (("en", "the 1 work", "Nobody may"), ("zh", "1 件作品", "任何人不得")):
        page = Read((await site.http.get(f"/{language}/work/{mei.works[0]}", headers=HTML)).text)
        assert (one in page.text, names in page.text) == (False, True)


async def test_everybody_but_whoever_registered_a_work_can_say_that_it_is_theirs(site: Running, mei: Artist) -> None:
    eve, path, new = await joined(site, "Eve"), f"/work/{mei.works[0]}", f"/disputes/new?about={mei.works[0]}"
    for language in LANGUAGES:
        for http in (site.http, eve.http):
            assert f"/{language}{new}" in (await held_whole(http, f"/{language}{path}", language)).links()
        assert f"/{language}{new}" not in (await held_whole(mei.http, f"/{language}{path}", language)).links()
    led = await site.http.get(f"/en{new}", headers=HTML)
    assert parse_qs(urlsplit(led.headers["location"]).query)["to"] == [f"/en{new}"]  # and back, once signed in


async def test_a_minute_is_one(site: Running, mei: Artist) -> None:
    w = ROOM.speaks("en")
    assert "within a minute in" in w("will_now", n=1)
    assert "within 15 minutes in" in w("will_now", n=15)
    page = Read((await mei.http.get(f"/en/terms?work={mei.works[1]}", headers=HTML)).text)
    assert "1 minutes" not in page.text
    front = Read((await site.http.get("/en", headers=HTML)).text)
    assert "Three to choose from" in front.text
