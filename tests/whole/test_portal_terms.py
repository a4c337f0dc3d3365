"""One's own terms in a browser: everything that terms can say is chosen on the page, seen before, and signed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.registry.catalogue import picture
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


def test_ones_own_terms_say_how_one_is_asked_and_how_a_licence_is_taken_back(visitor: Visitor) -> None:
    page, chinese = visitor.page, visitor.language == "zh"
    visitor.passkeys()
    visitor.joins("苏棠" if chinese else "Su Tang")
    (work,) = visitor.registers("Salt Pans", pictures=(picture(886_100 + chinese),))
    visitor.opens(f"/terms?work={work}")

    # The details of a card are what the card says, and are changed from there.
    page.check("#card-paid")
    page.fill("#amount", "2.50")
    expect(page.locator("[data-sign]")).to_be_visible()
    visitor.goes("[name=details]")
    assert page.is_checked("#card-own")
    assert (page.input_value("#c1-amount"), page.is_checked("[name=atom-train-gen][value='1']")) == ("2.50", True)
    expect(page.locator("#c1-notice")).to_be_hidden()  # the card offers what cannot be taken back
    visitor.looks()

    # What a price does not need is not asked for; keys alone are enough.
    page.focus("#c1-model")
    page.select_option("#c1-model", "negotiate")
    for field in ("amount", "currency", "share", "every", "least"):
        expect(page.locator(f"#c1-{field}")).to_be_hidden()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "c1-effect"
    page.select_option("#c1-effect", "retire-model")
    expect(page.locator("[data-oath]")).to_contain_text("停用" if chinese else "must be retired")
    expect(page.locator("[data-oath]")).to_contain_text("答复" if chinese else "answered with")
    page.check("#v2")
    visitor.looks()

    # Another set for one use; what is wrong is named and led to, though it was folded.
    visitor.goes("[name=more]")
    page.select_option("#c2-model", "revenue-share")
    page.check("[name=atom-generate][value='2']")
    page.fill("#c2-share", "30")
    page.fill("#c2-notice", "14")
    page.locator("#set-2 summary").nth(0).click()
    page.fill("#c2-only", "Atlantis")
    page.locator("#wrong .more[href='#c2-only']").click()
    assert "c2-only" in page.url
    visitor.looks()
    page.fill("#c2-only", "中国，Japan")
    page.locator("#set-2 summary").nth(1).click()
    page.select_option("#c2-weights", "no")
    page.locator("#set-2 summary").nth(2).click()
    page.fill("#c2-credit", "Su Tang")
    expect(page.locator("[data-oath]")).to_contain_text("CN")
    expect(page.locator("[data-oath]")).to_contain_text("Su Tang")
    visitor.looks()
    said = page.inner_text("[data-oath]")
    visitor.signs()
    assert said in page.inner_text(".oath")

    # What was signed is what the page begins with the next time.
    visitor.opens(f"/terms?work={work}")
    assert (page.input_value("#c1-model"), page.input_value("#c1-notice")) == ("negotiate", "30")
    assert (page.input_value("#c2-only"), page.input_value("#c2-share")) == ("CN, JP", "30")
    expect(page.locator("[data-oath]")).to_have_text(said)
