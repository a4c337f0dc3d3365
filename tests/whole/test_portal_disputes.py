"""A dispute in two real browsers: opened with a passkey, objected to without scripts, and taken back again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.whole.browser import chromium
from tests.whole.stage import Service
from tests.whole.visiting import Visitor, leaving, signs, visiting

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
        visitor.opens(f"/disputes/new?about={work}")
        page.fill("#text", text)
        page.fill("#evidence", "a photograph")
        visitor.goes("main form .btn")
        assert page.locator("[role=alert] details").is_visible()
        visitor.looks()
        assert page.input_value("#text") == text  # nothing that was written is lost
        page.fill("#evidence", work)
        visitor.goes("main form .btn")
        page.click("summary")
        visitor.looks()
        assert page.inner_text("main .pre") == text
        visitor.signs("**/disputes/dsp_*")
        visitor.looks()
        path = page.url.removeprefix(f"{visitor.url}/{visitor.language}")
        other.opens(path)
        other.looks()
        _takes_a_step_without_scripts(other, browser, path, "No.\nIt is mine.")
        other.opens(path)
        other.looks()
        visitor.opens(path)
        visitor.looks()
        page.fill("#text", "Never mind.")
        visitor.goes("main form .btn")
        visitor.signs("**/disputes/dsp_*")
        assert page.locator("#text").count() == 0  # it is over
        visitor.looks()


def test_an_operator_decides_and_another_reviews(visitor: Visitor, browser: Browser, service: Service) -> None:
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
        visitor.goes("main form .btn")
        visitor.signs("**/disputes/dsp_*")
        path = page.url.removeprefix(f"{visitor.url}/{visitor.language}")
        other.opens(path)
        other.page.check("[value=contest]")
        other.page.fill("#text", "No.")
        other.goes("main form .btn")
        other.looks()
        other.signs("**/disputes/dsp_*")
        _employed(office, service, "Office")
        office.opens("/operator/disputes")
        office.goes(f"a[href$='{path}']")
        office.page.check("[value=upheld]")
        office.page.fill("#text", "Her drafts say so.")
        office.goes("main form[data-fresh] .btn")
        assert office.page.url.endswith("/operator/disputes")
        office.opens(f"/operator{path}")
        office.looks()
        assert office.page.locator("#text").count() == 0
        visitor.opens(path)
        assert "Her drafts say so." in page.inner_text("main")
        visitor.looks()
        other.opens(path)
        other.looks()
        _takes_a_step_without_scripts(other, browser, path, "Look at the layers.")
        for who in (other, visitor):
            who.opens(path)
            who.looks()
        assert page.locator("#text").count() == 0  # nothing for whoever won to do
        office.opens(f"/operator{path}")
        office.looks()
        assert office.page.locator("#text").count() == 0  # nor for whoever decided
        with visiting(browser, visitor.url, visitor.language) as second:
            _employed(second, service, "Second")
            second.opens(f"/operator{path}")
            second.looks()
            second.page.check("[value=dismissed]")
            second.page.fill("#text", "His layers are older.")
            second.goes("main form[data-fresh] .btn")
            assert second.page.url.endswith("/operator/disputes")
        for who in (other, visitor):
            who.opens(path)
            assert "His layers are older." in who.page.inner_text("main")
            who.looks()


def test_who_lost_accepts_by_a_passkey(visitor: Visitor, browser: Browser, service: Service) -> None:
    visitor.passkeys()
    visitor.joins("Su Tang")
    with (
        visiting(browser, visitor.url, visitor.language) as other,
        visiting(browser, visitor.url, visitor.language) as office,
    ):
        other.passkeys()
        other.joins("Bao")
        (work,) = other.registers("Grey Tide")
        other.opens("/terms?scope=all")
        other.signs()
        visitor.opens(f"/disputes/new?about={work}")
        visitor.page.fill("#text", "Mine.")
        _signs(visitor)
        path = visitor.page.url.removeprefix(f"{visitor.url}/{visitor.language}")
        other.opens(path)
        other.page.fill("#text", "No.")
        _signs(other)
        _employed(office, service, "Third")
        office.opens(f"/operator{path}")
        office.page.check("[value=dismissed]")
        office.page.fill("#text", "His layers are older.")
        office.goes("main form[data-fresh] .btn")
        assert office.page.url.endswith("/operator/disputes")
        visitor.opens(path)
        visitor.page.check("[value=accept]")
        visitor.page.fill("#text", "So be it.")
        visitor.goes("main form .btn")
        visitor.looks()
        visitor.signs("**/disputes/dsp_*")
        assert visitor.page.locator("#text").count() == 0  # it is over
        visitor.looks()


def _signs(who: Visitor) -> None:
    """Show what was filled in, and sign it."""
    who.goes("main form .btn")
    who.signs("**/disputes/dsp_*")


def _employed(who: Visitor, service: Service, name: str) -> None:
    """Come in as an operator."""
    who.passkeys()
    link = service.office("invite", "--role", "operator", "--name", f"{name} {who.language}")["link"]
    who.opens(f"/invited#{link.partition('#')[2]}")
    who.page.click("[data-invited] button")
    who.page.wait_for_url("**/operator")


def _takes_a_step_without_scripts(other: Visitor, browser: Browser, path: str, text: str) -> None:
    """Take the step that is chosen already, an objection or an appeal, in a browser without scripts."""
    plain = browser.new_context(java_script_enabled=False, storage_state=other.context.storage_state())
    page = plain.new_page()
    page.goto(f"{other.url}/{other.language}{path}")
    page.fill("#text", text)
    with leaving(page):
        page.click("main form .btn")
    signs(page, "**/disputes/dsp_*")
    assert text in page.inner_text("main")
    plain.close()
