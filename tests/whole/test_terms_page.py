"""The page of terms that `licet terms export` writes, as Chromium draws it from a folder, on a phone and a desk."""

from __future__ import annotations

from pathlib import Path

import pytest

from licet.catalogue.publishing import export
from licet.terms import preset
from tests.whole.browser import chromium

ADDRESS = "https://licet.example/en/work/wrk_01m8k4gsw7eynry9dh4j14pvv6"


@pytest.mark.parametrize("wide", [320, 1280])
def test_a_page_of_terms_reads_on_every_screen_in_both_languages(tmp_path: Path, wide: int) -> None:
    export(preset("no-ai"), dialects=["page"], folder=tmp_path, title="金鱼", artist="Mei <Lin>", address=ADDRESS)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": wide, "height": 800})
        page.goto((tmp_path / "terms.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == wide
        assert page.locator("h1").count() == 1
        assert page.locator("main[lang=en]").inner_text().startswith("Terms of use\n")
        assert "Mei <Lin> states:" in page.locator("main").inner_text()
        assert "任何人不得" in page.locator("section[lang=zh-Hans]").inner_text()
        text = page.locator("main > p").nth(2).bounding_box()
        assert text is not None
        assert text["x"] >= 16  # a margin also on a phone
        assert text["width"] <= 700  # lines that an eye finds its way back from
        size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('main > p:nth-of-type(3)')).fontSize)")
        assert size >= 16
