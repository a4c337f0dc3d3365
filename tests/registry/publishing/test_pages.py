"""A work's public page says in its head and in its headers what its documents say, never looser."""

from __future__ import annotations

import pytest

from licet.signals import combine
from licet.signals.readers.headers import read_headers
from licet.signals.readers.html import read_html
from tests.registry.catalogue import PAID, artist, picture
from tests.registry.harness import Running
from tests.registry.publishing.test_documents import SHOP, WIDE

pytestmark = pytest.mark.anyio
HTML = {"Accept": "text/html"}


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_page_of_a_work_is_read_as_its_terms(site: Running, language: str) -> None:
    ada = await artist(site)
    await ada.raise_level(2)
    for number, terms in enumerate((WIDE, PAID)):
        work = (await ada.picture(picture(number), title="Heron")).work
        await ada.state([work], terms)
        page = await site.http.get(f"/{language}/work/{work}", headers=HTML)
        assert page.status_code == 200, page.text
        assert f'<link rel="license" type="application/rsl+xml" href="/works/{work}/terms.rsl.xml">' in page.text
        for signals in (read_html(page.content, SHOP, picture=True), read_headers(page.headers.multi_items(), SHOP)):
            assert signals
            assert not [each for each in signals if each.unreadable]
            for use in combine(signals).uses:
                assert use.verdict in ("deny", "unknown", "license"), use
                if terms.rules[use.use].permission == "deny":
                    assert use.verdict in ("deny", "unknown"), use
        assert page.headers["tdm-reservation"] == "1"
        for form in ("terms.json", "terms.rsl.xml", "terms.tdmrep.json", "terms.odrl.json", "terms.cawg.json"):
            assert f'href="/works/{work}/{form}"' in page.text
            assert (await site.http.get(f"/works/{work}/{form}")).status_code == 200


async def test_a_page_of_what_is_contested_denies(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    for who in (ada, eve):
        work = (await who.picture(picture(3))).work
        await who.state([work], PAID)
    page = await site.http.get(f"/en/work/{work}", headers=HTML)
    assert page.headers["content-usage"] == "train-ai=n, search=n"
    assert '<meta name="robots" content="noai, noimageai">' in page.text
    assert "tdm-policy" not in page.headers
