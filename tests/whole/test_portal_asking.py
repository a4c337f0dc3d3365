"""A team asks an artist for a licence; she reads it, offers with a passkey, and refuses another one without scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.registry.catalogue import picture
from tests.whole.browser import chromium
from tests.whole.conftest import People
from tests.whole.stage import Service
from tests.whole.visiting import Visitor, leaving, signs, visiting


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(params=("en", "zh"))
def visitor(request: pytest.FixtureRequest, browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, f"http://localhost:{service.port}", request.param) as found:
        yield found


USE = ("--use", "train-gen", "--model", "acme/lantern@1")


def test_a_team_is_answered(visitor: Visitor, browser: Browser, person: People) -> None:
    page, language = visitor.page, visitor.language
    visitor.passkeys()
    visitor.joins("苏棠" if language == "zh" else "Su Tang")
    drawn = tuple(picture(884_900 + number + 10 * ord(language[0])) for number in (0, 1))
    works = visitor.registers("Salt Pans", "Tide", pictures=drawn)
    _states(visitor)
    lab = person(f"lab-{language}").joins("organisation", "Lantern Labs")
    seen = [visitor.context.request.get(f"{visitor.url}/v1/works/{each}").json()["log_index"] for each in works]
    lab.does("snapshot", "pull", "--covering", str(max(seen)))
    asks = []
    for message, work in zip(("We would like to.\nMay we?", "And this one?"), works, strict=True):
        sent = lab.does("licences", "request", work, *USE, "--message", message, "--yes")["requests"]
        asks.append(sent[0]["request"]["request"])
    visitor.opens("/home")
    visitor.goes(f"a[href='/{language}/requests']")
    visitor.goes(f"a[href$='{asks[0]}']")
    assert "May we?" in page.inner_text("main .pre")
    expect(page.locator("#share")).to_be_hidden()
    expect(page.locator("#notice")).to_be_hidden()
    page.check("#m-revenue-share")
    page.fill("#share", "300")
    page.select_option("#effect", "unlearn")
    page.fill("#notice", "30")
    expect(page.locator("#amount")).to_be_hidden()
    visitor.goes(".offer .btn")
    expect(page.locator("#wrong")).to_be_visible()
    assert (page.input_value("#share"), page.input_value("#notice")) == ("300", "30")  # nothing is lost
    visitor.looks()
    page.fill("#share", "30")
    page.fill("#least", "500")
    page.fill("#message", "Gladly.")
    visitor.goes(".offer .btn")
    page.click("summary")
    visitor.looks()
    assert '"answer":"offer"' in page.inner_text("[data-bytes]")
    visitor.signs(f"**/{language}/requests/{asks[0]}")
    visitor.looks()
    (offered,) = lab.does("licences", "requests", "--state", "offered")["requests"]
    assert offered["request"] == asks[0]
    said = lab.types("licences", "requests", "show", asks[0])
    assert "30% of net revenue" in said.out, said
    assert "at least 500.00 CNY" in said.out, said
    _takes_back(visitor, asks[0])
    _refuses_without_scripts(visitor, browser, asks[1])
    told = lab.types("licences", "requests", "show", asks[1])  # what the registry attested is verified here
    assert (told.code, "the artist refuses" in told.out) == (0, True), told
    said = lab.types("licences", "requests", "show", asks[0])
    assert "the artist took the offer back" in said.out, said
    gone = lab.does("licences", "requests", "withdraw", asks[0], "--message", "Never mind.", "--yes")
    assert gone["request"]["state"] == "withdrawn"
    visitor.opens(f"/requests/{asks[0]}")
    expect(page.locator("main .pre", has_text="Never mind.")).to_be_visible()
    assert page.locator("[name=answer]").count() == 0
    visitor.looks()


def _states(visitor: Visitor) -> None:
    """Sign terms that leave the price to an answer."""
    page = visitor.page
    visitor.opens("/terms?scope=all&card=own")
    for use in ("mine", "train-nongen", "train-gen", "evaluate"):
        page.check(f"[name=atom-{use}][value='1']")
    page.select_option("#c1-model", "negotiate")
    visitor.signs()


def _takes_back(visitor: Visitor, ask: str) -> None:
    page = visitor.page
    page.fill("#reason", "I mistyped.")
    visitor.goes("[name=answer][value=withdraw]")
    visitor.looks()
    visitor.signs(f"**/requests/{ask}")
    expect(page.locator("#offerh")).to_be_visible()  # the request can be answered as before


def _refuses_without_scripts(visitor: Visitor, browser: Browser, ask: str) -> None:
    """In the same session, in a browser that runs no scripts: the registry attests that she said no."""
    plain = browser.new_context(java_script_enabled=False, storage_state=visitor.context.storage_state())
    page = plain.new_page()
    page.goto(f"{visitor.url}/{visitor.language}/requests/{ask}")
    page.fill("#reason", "Not this one.")
    with leaving(page):
        page.click("form:has(#reason) .btn")
    assert page.inner_text("form .pre") == "Not this one."
    signs(page, f"**/requests/{ask}")
    assert page.locator("main .pre", has_text="Not this one.").count() == 1
    plain.close()
