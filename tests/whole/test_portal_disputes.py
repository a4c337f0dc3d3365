"""A dispute in two real browsers: opened with a passkey, objected to without scripts, and taken back again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.whole.browser import chromium
from tests.whole.stage import Service
from tests.whole.visiting import Visitor, visiting

TEXT = {"en": "I drew it in 2019.\nHere is how.", "zh": "这是我 2019 年画的。\n经过是这样。"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(params=("en", "zh"))
def visitor(request: pytest.FixtureRequest, browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, f"http://localhost:{service.port}", request.param) as found:
        yield found


def test_two_parties_dispute_a_picture(visitor: Visitor, browser: Browser) -> None:
    page, text = visitor.page, TEXT[visitor.language]
    visitor.passkeys()
    visitor.joins("苏棠" if visitor.language == "zh" else "Su Tang")
    with visiting(browser, visitor.url, visitor.language) as other:
        other.passkeys()
        other.joins("Bao")
        (work,) = other.registers("Salt Pans")
        other.opens("/terms?scope=all")
        other.signs()
        visitor.opens("/disputes")
        visitor.looks()
        visitor.opens(f"/disputes/new?about={work}")
        visitor.looks()
        page.fill("#text", text)
        page.fill("#evidence", "a photograph")
        page.click("main form .btn")
        page.wait_for_selector("[role=alert] details")
        visitor.looks()
        assert page.input_value("#text") == text  # nothing that was written is lost
        page.fill("#evidence", work)
        page.click("main form .btn")
        page.wait_for_selector("[data-sign]")
        page.click("summary")
        visitor.looks()
        assert page.inner_text("main .pre") == text
        page.click("[data-sign]")
        page.wait_for_url("**/disputes/dsp_*")
        visitor.looks()
        path = page.url.removeprefix(f"{visitor.url}/{visitor.language}")
        other.opens(path)
        other.looks()
        _objects_without_scripts(other, browser, path)
        other.opens(path)
        other.looks()
        visitor.opens(path)
        visitor.looks()
        page.fill("#text", "Never mind.")
        page.click("main form .btn")
        page.click("[data-sign]")
        page.wait_for_url("**/disputes/dsp_*")
        assert page.locator("#text").count() == 0  # it is over
        visitor.looks()
        visitor.opens("/disputes")
        visitor.looks()
        other.opens("/home")
        other.looks()


def test_an_operator_decides(visitor: Visitor, browser: Browser, service: Service) -> None:
    page, text = visitor.page, TEXT[visitor.language]
    visitor.passkeys()
    visitor.joins("Su Tang")
    with (
        visiting(browser, visitor.url, visitor.language) as other,
        visiting(browser, visitor.url, visitor.language) as office,
    ):
        other.passkeys()
        other.joins("Bao")
        (work,) = other.registers("Red Earth")
        other.opens("/terms?scope=all")
        other.signs()
        visitor.opens(f"/disputes/new?about={work}")
        page.fill("#text", text)
        page.click("main form .btn")
        page.click("[data-sign]")
        page.wait_for_url("**/disputes/dsp_*")
        path = page.url.removeprefix(f"{visitor.url}/{visitor.language}")
        other.opens(path)
        other.page.check("[value=concede]")
        other.page.fill("#text", "Yes.")
        other.page.click("main form .btn")
        other.looks()
        other.page.click("[data-sign]")
        other.page.wait_for_url("**/disputes/dsp_*")
        office.passkeys()
        link = service.office("invite", "--role", "operator", "--name", f"Office {visitor.language}")["link"]
        office.opens(f"/invited#{link.partition('#')[2]}")
        office.page.click("[data-invited] button")
        office.page.wait_for_url("**/operator")
        office.opens("/operator/disputes")
        office.looks()
        office.page.click(f"a[href$='{path}']")
        office.page.wait_for_url(f"**/operator{path}")
        office.looks()
        office.page.check("[value=upheld]")
        office.page.fill("#text", "Both say so.")
        office.page.click("main form[data-fresh] .btn")
        office.page.wait_for_url("**/operator/disputes")
        office.opens(f"/operator{path}")
        office.looks()
        assert office.page.locator("#text").count() == 0
    visitor.opens(path)
    assert "Both say so." in page.inner_text("main")
    visitor.looks()


def _objects_without_scripts(other: Visitor, browser: Browser, path: str) -> None:
    """Answer in a browser without scripts that holds the same session."""
    plain = browser.new_context(java_script_enabled=False, storage_state=other.context.storage_state())
    page = plain.new_page()
    page.goto(f"{other.url}/{other.language}{path}")
    page.fill("#text", "No.\nIt is mine.")
    page.click("main form .btn")
    page.click("[data-sign]")
    page.wait_for_url("**/disputes/dsp_*")
    assert "It is mine." in page.inner_text("main")
    plain.close()
