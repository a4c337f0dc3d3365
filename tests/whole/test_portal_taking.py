"""A team that never saw a command line: it asks an artist, she answers, and it takes the licence, all by passkeys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.registry.catalogue import picture
from tests.whole.browser import chromium
from tests.whole.stage import Service
from tests.whole.visiting import Visitor, leaving, signs, visiting


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_team_asks_is_answered_and_takes_the_licence(browser: Browser, service: Service, language: str) -> None:
    url = f"http://localhost:{service.port}"
    with visiting(browser, url, language) as ada, visiting(browser, url, language) as team:
        work = _offers_nothing_but_answers(ada)
        team.passkeys()
        team.joins("Lantern Labs", team=True)
        ask = _asks(team, work)
        _answers(ada, ask, "9")
        _declines_without_scripts(team, browser, ask)
        _answers(ada, ask, "2.50")
        _takes(team, ask)
        _is_told_no_price_twice(team, work)


def _offers_nothing_but_answers(ada: Visitor) -> str:
    ada.passkeys()
    ada.joins("苏棠" if ada.language == "zh" else "Su Tang")
    (work,) = ada.registers("Salt Pans", pictures=(picture(887_100 + ord(ada.language[0])),))
    ada.opens(f"/terms?work={work}&card=own")
    ada.page.check("[name=atom-train-gen][value='1']")
    ada.page.select_option("#c1-model", "negotiate")
    ada.signs()
    return work


def _asks(team: Visitor, work: str) -> str:
    page = team.page
    team.opens(f"/work/{work}")
    team.goes(f"a[href$='/requests/new?work={work}']")
    assert page.input_value("#works") == work
    team.goes("form.ask .btn")
    expect(page.locator("#wrong-model")).to_be_visible()  # no model yet
    expect(page.locator("#model")).to_have_attribute("aria-invalid", "true")
    team.looks()
    page.fill("#model", "acme/lantern@1")
    page.fill("#message", "May we?")
    team.goes("form.ask .btn")
    team.looks()
    assert '"message":"May we?"' in (page.text_content("[data-bytes]") or "")
    team.signs("**/organisation/requests/ask_*")
    return page.url.rpartition("/")[2]


def _declines_without_scripts(team: Visitor, browser: Browser, ask: str) -> None:
    """In the same session, in a browser that runs no scripts: the registry attests that the team said no."""
    plain = browser.new_context(java_script_enabled=False, storage_state=team.context.storage_state())
    page = plain.new_page()
    page.goto(f"{team.url}/{team.language}/organisation/requests/{ask}")
    page.fill("#message", "Too dear.")
    with leaving(page):
        page.click("form[action*='/reply'] .btn")
    assert page.inner_text("form .pre") == "Too dear."
    signs(page, f"**/organisation/requests/{ask}")
    assert page.locator("main .pre", has_text="Too dear.").count() == 1
    plain.close()
    team.opens(f"/organisation/requests/{ask}")
    team.looks()


def _answers(ada: Visitor, ask: str, amount: str) -> None:
    page = ada.page
    ada.opens(f"/requests/{ask}")
    page.check("#m-per-work")
    page.fill("#amount", amount)
    ada.goes(".offer .btn")
    ada.signs(f"**/requests/{ask}")


def _takes(team: Visitor, ask: str) -> None:
    page = team.page
    team.opens("/organisation")
    team.goes(f"a[href$='/organisation/requests/{ask}']")
    team.looks()
    team.goes("form[action$='/offer'] .btn")
    team.looks()
    assert "2.50" in page.inner_text(".oath")
    page.focus("[data-sign]")
    with leaving(page):
        page.keyboard.press("Enter")
    page.wait_for_url("**/organisation/licences/lic_*")
    expect(page.locator("[role=status]").first).to_be_visible()
    team.opens(f"/organisation/requests/{ask}")
    assert page.locator("form[action$='/offer']").count() == 0
    team.looks()


def _is_told_no_price_twice(team: Visitor, work: str) -> None:
    """What her terms deny cannot be asked for, and the page says so before anybody signs."""
    page = team.page
    team.opens(f"/organisation/requests/new?work={work}")
    page.fill("#model", "acme/lantern@2")
    page.uncheck("[name=use][value=train-gen]")
    page.check("[name=use][value=redistribute]")
    team.goes("form.ask .btn")
    expect(page.locator("#wrong-works")).to_be_visible()
    assert page.locator("[data-sign]").count() == 0
    team.looks()
