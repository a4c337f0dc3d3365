"""Licences on an artist's works at the portal: shown to her alone, and taken back by the statement that was shown."""

from __future__ import annotations

import msgspec
import pytest

from licet.canonical import from_base64
from licet.statements.kinds import LicenceRevoke
from registry.portal.frame.languages import LANGUAGES
from tests.registry.duties.talks import revocable_terms
from tests.registry.harness import Running
from tests.registry.market import trainer
from tests.registry.portal.people import HTML, Read, fields_of, joined
from tests.registry.portal.selling import seller, signed
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
