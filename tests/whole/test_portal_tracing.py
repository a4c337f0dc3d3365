"""A picture that was found somewhere is traced in a real browser, and the evidence of a work fits on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.whole import stage
from tests.whole.browser import chromium
from tests.whole.stage import Service
from tests.whole.visiting import Visitor, visiting


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(params=("en", "zh"))
def visitor(request: pytest.FixtureRequest, browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, f"http://localhost:{service.port}", request.param) as found:
        yield found


def test_a_picture_is_traced_and_its_evidence_printed(visitor: Visitor, tmp_path: Path) -> None:
    page, seed = visitor.page, 9_410_000 + len(visitor.language) + (visitor.language == "zh")
    visitor.passkeys()
    visitor.joins("Su Tang")
    drawn = stage.encoded(stage.drawing(seed, 256))
    (work,) = visitor.registers("Salt Pans", pictures=(drawn,))
    visitor.opens("/terms?scope=all")
    visitor.signs()
    visitor.opens("/trace")
    file = tmp_path / "found.jpg"
    file.write_bytes(stage.encoded(stage.drawing(seed, 256).resize((200, 200)), "JPEG", quality=80))
    page.set_input_files("#picture", file)
    visitor.goes("main form .btn")
    assert "Salt Pans" in page.inner_text(".answers")
    visitor.looks()
    visitor.goes(".answers .btn")
    page.wait_for_url(f"**/works/{work}/evidence")
    visitor.looks()
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()
    assert not page.locator("select").is_visible()  # what is for the screen alone
    assert page.locator(".paper").is_visible()
    page.emulate_media(media="screen")
    with page.expect_download() as download:
        page.click("form[action$='bundle'] .btn")
    assert download.value.suggested_filename.endswith(".zip")
    file.write_bytes(b"no picture at all")
    visitor.opens("/trace")
    page.set_input_files("#picture", file)
    visitor.goes("main form .btn")
    assert page.locator("[role=alert]").is_visible()
    visitor.looks()
