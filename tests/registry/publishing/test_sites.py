"""A kit for an artist's own site says what holds for all of her works at once, and is hers alone."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest

from licet.terms import preset
from registry.portal.frame.machine_words import WORDS as FORMS
from registry.portal.frame.words import Words
from registry.publishing.sites import site_terms
from tests.registry.catalogue import NO_AI, PAID, artist, drawn, encoded, fingerprinted, picture
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, joined
from tests.registry.publishing.test_documents import WIDE

pytestmark = pytest.mark.anyio


async def test_the_strictest_of_all_works_holds_for_a_site(site: Running) -> None:
    ada = await artist(site, "Ada")
    await ada.raise_level(2)
    assert await site_terms(site.services, ada.uuid, "Ada") is None
    wide, paid = (await ada.picture(picture(1))).work, (await ada.picture(picture(2))).work
    await ada.state([wide], WIDE)
    one = await site_terms(site.services, ada.uuid, "Ada")
    assert one is not None
    assert (one.subject.terms.hash, one.works, one.kinds) == (WIDE.hash, 1, 1)
    await ada.state([paid], PAID)
    both = await site_terms(site.services, ada.uuid, "Ada")
    assert both is not None
    assert (both.works, both.kinds) == (2, 2)
    assert {use for use, rule in both.subject.terms.rules.items() if rule.permission == "deny"} == {
        use for use, rule in PAID.rules.items() if rule.permission == "deny"
    }
    eve = await artist(site, "Eve")
    await eve.raise_level(2)
    copy = (await eve.picture(encoded(drawn(1).resize((150, 150)), "JPEG"))).work
    await eve.state([copy], WIDE)
    contested = await site_terms(site.services, ada.uuid, "Ada")
    assert contested is not None
    assert {rule.permission for rule in contested.subject.terms.rules.values()} == {"deny"}
    assert contested.subject.unsaid == {"search"}  # one contested picture takes nobody's site out of search
    await ada.withdraw([wide])
    without = await site_terms(site.services, ada.uuid, "Ada")
    assert without is not None
    assert (without.works, without.subject.terms.rules["train-gen"].permission) == (1, "license")


async def test_what_is_denied_by_the_artist_herself_is_said(site: Running) -> None:
    ada = await artist(site)
    (made,) = await ada.register(fingerprinted(1))
    nothing = preset("no-ai").to_json() | {"search": {"permission": "deny"}}
    await ada.state([made.work], type(NO_AI).parse(nothing))
    found = await site_terms(site.services, ada.uuid, "Ada")
    assert found is not None
    assert not found.subject.unsaid


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_an_artist_takes_her_kit_home(site: Running, language: str) -> None:
    mei = await joined(site, "Mei", language)
    empty = await mei.http.get(f"/{language}/site/kit.zip")
    assert empty.status_code == 404
    assert (await mei.http.get(f"/{language}/site", headers=HTML)).status_code == 200
    await mei.registers(2)
    form = await mei.form(f"/{language}/terms?scope=unsigned")
    assert (await mei.sends(f"/{language}/terms/sign", mei.signed(form))).status_code == 303
    page = await mei.http.get(f"/{language}/site?at=https://mei.example", headers=HTML)
    assert page.status_code == 200
    assert "kit.zip?at=https%3A//mei.example" in page.text
    # A page for people says all of it.
    (people,) = re.findall(r"<code>licet/terms.html</code></dt><dd>(.*?)</dd>", page.text, re.DOTALL)
    assert Words("zh" if language == "zh" else "en", FORMS)("form_full") in people
    answer = await mei.http.get(f"/{language}/site/kit.zip?at=https://mei.example")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as kit:
        for name in kit.namelist():
            assert f"<code>{name}</code>" in page.text
        assert b"License: https://mei.example/licet/rsl.xml" in kit.read("robots.txt")
        assert json.loads(kit.read(".well-known/tdmrep.json"))[0]["tdm-reservation"] == "1"
        # Her fingerprints permit nothing yet, and nobody is taken out of search for that.
        assert b"Content-Usage: train-ai=n\n" in kit.read("robots.txt")
    wrong = await mei.http.get(f"/{language}/site?at=mei", headers=HTML)
    assert wrong.status_code == 400
    assert (await mei.http.get(f"/{language}/site/kit.zip?at=mei")).status_code == 400
    nobody = await site.http.get(f"/{language}/site/kit.zip", headers=HTML)
    assert (nobody.status_code, f"/{language}/sign-in" in nobody.headers["location"]) == (303, True)
