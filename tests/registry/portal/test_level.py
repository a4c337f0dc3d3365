"""Claim levels at the portal: what waits below level 2 is told, and the way to level 2 is open, there and back."""

from __future__ import annotations

import pytest

from licet import identifiers
from registry.portal.artists.room import ROOM
from registry.portal.frame.languages import LANGUAGES, Language
from registry.portal.frame.notes import COOKIE
from tests.registry.catalogue import PAID
from tests.registry.claims.internet import Internet
from tests.registry.harness import Running
from tests.registry.market import trainer
from tests.registry.portal.people import HTML, Artist, Read, joined
from tests.registry.portal.selling import seller
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio


async def read(who: Artist, path: str) -> Read:
    return Read((await who.http.get(path, headers=HTML)).text)


async def claims(who: Artist) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (await who.http.get("/v1/claims")).json()["items"]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
async def test_home_leads_to_the_way_to_level_2(site: Running, mei: Artist, language: str) -> None:
    page = await held_whole(mei.http, f"/{language}/home", language)
    assert f"/{language}/level" in page.links()
    assert "No team has taken a licence" not in page.text
    assert ("Nothing has happened yet." in page.text) == (language == "en")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_new_artist_is_told_what_to_do_and_that_nothing_has_come_yet(site: Running, language: Language) -> None:
    ana, words = await joined(site, "Ana"), ROOM.speaks(language)
    home = await held_whole(ana.http, f"/{language}/home", language)
    assert words("home_new") in home.text
    assert words("home_lead", n=0) not in home.text
    for path, none, filtered in (
        ("/alerts", "alerts", "?topic=money"),
        ("/earnings", "charges", "?period=2026-01"),
        ("/earnings/entries", "charges", "?account=payable"),
    ):
        assert words(f"{none}_none_yet") in (await held_whole(ana.http, f"/{language}{path}", language)).text
        narrowed = await held_whole(ana.http, f"/{language}{path}{filtered}", language)
        assert words(f"{none}_none") in narrowed.text, path


async def test_money_that_waits_is_told_of_and_from_level_2_on_licences_are(site: Running) -> None:
    ada = await seller(site, "Ada")
    lab = await trainer(site, "Lantern Labs")
    await ada.sells(PAID, 2, lab)
    home = await read(ada.person, "/en/home")
    assert "Money waits for you." in home.text
    assert "US$0.09" in home.linked  # what is held, less the fee
    assert "Lantern Labs" not in home.text
    assert "Nothing has happened yet." not in home.text
    await ada.owner.raise_level(2)
    home = await read(ada.person, "/en/home")
    assert "Lantern Labs" in home.text
    assert "Money waits for you." not in home.text


async def test_the_terms_page_names_the_fee_and_what_is_held(site: Running) -> None:
    ada = await seller(site, "Ada")
    hers = await ada.shelf(PAID)
    page = await read(ada.person, f"/en/terms?work={hers.works[0]}")
    fee = ROOM.speaks("en").percent(site.services.settings.fee_bps)
    assert f"the registry keeps {fee}. The rest is yours, and is held until your claim level is 2" in page.text
    assert "so this reads as “unknown” to teams for now" in page.text
    assert "/en/level" in page.links()
    await ada.owner.raise_level(2)
    page = await read(ada.person, f"/en/terms?work={hers.works[0]}")
    assert f"the registry keeps {fee}. The rest is yours." in page.text
    assert "unknown" not in page.text


async def test_a_domain_is_asked_for_looked_at_proven_and_given_up(site: Running, net: Internet) -> None:
    ana = await joined(site, "Ana")
    own = (await ana.form("/en/level"))["form"]
    answer = await ana.sends("/en/level/domains", {"form": own, "domain": " Ada.Example "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/level")
    (claim,) = await claims(ana)
    for language in LANGUAGES:
        page = await held_whole(ana.http, f"/{language}/level", language)
        for part in (claim["value"], "https://ada.example/.well-known/licet.txt", "_licet.ada.example"):
            assert part in page.text
    assert "Yours is 0." in (await read(ana, "/en/level")).text
    sent = {"form": own, "claim": claim["claim"]}
    early = await ana.sends("/en/level/check", sent)
    assert f"{COOKIE}=domain_missed" in early.headers["set-cookie"]
    net.put_record("ada.example", claim["value"])
    found = await ana.sends("/en/level/check", sent)
    assert f"{COOKIE}=domain_proven" in found.headers["set-cookie"]
    page = await held_whole(ana.http, "/en/level", "en")
    assert "Yours is 2." in page.text
    assert "Proven." in page.text
    (proof,) = [each for each in page.links() if each.startswith("/v1/statements/stm_")]
    assert (await ana.http.get(proof)).json()["proof"].split()[2] in {
        each.removeprefix("/en/log/") for each in page.links() if each.startswith("/en/log/")
    }
    assert "your level falls to 0" in page.text  # said before it is given up
    for _ in range(2):  # a form that comes twice has one effect
        gone = await ana.sends("/en/level/drop", sent)
        assert (gone.status_code, gone.headers["location"]) == (303, "/en/level")
    assert await claims(ana) == []
    assert "Yours is 0." in (await read(ana, "/en/level")).text
    net.clear()


@pytest.mark.parametrize("domain", ["", "https://ada.example/", "github.io", "localhost", "10.0.0.1", "ada example"])
async def test_what_is_no_domain_is_said_beside_the_field_which_keeps_it(site: Running, domain: str) -> None:
    ana = await joined(site, "Ana")
    own = (await ana.form("/en/level"))["form"]
    answer = await ana.sends("/en/level/domains", {"form": own, "domain": domain})
    assert answer.status_code == 400
    page = Read(answer.text)
    assert "Please give a domain of your own" in page.text
    assert [each["value"] for tag, each in page.elements if each.get("id") == "domain"] == [domain]
    assert await claims(ana) == []


async def test_claims_are_their_accounts_own_and_take_a_passkey_that_was_just_used(
    site: Running, mei: Artist, net: Internet
) -> None:
    own = (await mei.form("/en/level"))["form"]
    assert (await mei.sends("/en/level/domains", {"form": own, "domain": "eve.example"})).status_code == 303
    (claim,) = await claims(mei)
    eve = await joined(site, "Eve")
    hers = (await eve.form("/en/level"))["form"]
    assert (await eve.sends("/en/level/check", {"form": hers, "claim": claim["claim"]})).status_code == 404
    assert (await eve.sends("/en/level/drop", {"form": hers, "claim": claim["claim"]})).status_code == 303
    assert await claims(mei) == [claim]
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "update sessions set stepped_up_at = now() - interval '6 minutes' where account = $1",
            identifiers.to_uuid(mei.id),
        )
    for path, sent in (("domains", {"domain": "ada.example"}), ("drop", {"claim": claim["claim"]})):
        answer = await mei.sends(f"/en/level/{path}", {"form": own, **sent})
        assert (answer.status_code, Read(answer.text).text.count("Please show your passkey once more")) == (403, 2)
    assert await claims(mei) == [claim]
