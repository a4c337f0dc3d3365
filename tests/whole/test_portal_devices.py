"""Devices and keys in a real browser: a second passkey, the end of one, and nothing left behind by who signs out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.whole.browser import chromium
from tests.whole.stage import Service
from tests.whole.visiting import Visitor, leaving, visiting

LANGUAGES = ("en", "zh")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(params=LANGUAGES)
def visitor(request: pytest.FixtureRequest, browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, f"http://localhost:{service.port}", request.param) as found:
        yield found


def test_a_second_device_signs_in_after_the_first_was_ended(visitor: Visitor) -> None:
    page = visitor.page
    first = visitor.passkeys()
    visitor.joins("苏棠" if visitor.language == "zh" else "Su Tang")
    visitor.opens("/account/keys")
    assert page.locator("a[href$='/end']").count() == 0  # the only key stays
    page.click("[data-new-key] button")  # this device has one already, and no other is there
    expect(page.locator("[data-new-key] button")).to_be_enabled()
    assert page.inner_text("[data-said]") == page.evaluate(
        "document.querySelector('template[data-say=known]').content.textContent"
    )
    second = visitor.passkeys("usb")
    visitor.goes("[data-new-key] button")
    page.wait_for_url("**/account/keys/new")
    page.click("summary")
    visitor.looks()
    keyid = page.inner_text(".code")
    assert '"key-register"' in page.inner_text("[data-bytes]")
    visitor.touched(second, touched=False)
    page.click("[data-sign]")
    expect(page.locator("[data-sign]")).to_be_enabled()  # nobody touched the new one: nothing was sent
    assert page.url.endswith("/account/keys/new")
    visitor.touched(second, touched=True)
    _signs_with_both(visitor, second)
    assert page.url.endswith("/account/keys")
    visitor.looks()
    assert keyid[:16] in page.inner_text(".rows")
    ends = page.locator("a[href$='/end']")
    assert ends.count() == 2
    # The first device is lost: the second signs in and ends it.
    lost = page.locator(".rows li").filter(has_not_text=keyid[:16]).locator("a").get_attribute("href")
    page.click(".foot .link")
    page.wait_for_selector(".said")
    visitor.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": first})
    visitor.opens("/sign-in")
    visitor.goes("[data-sign-in] button")
    page.goto(f"{visitor.url}{lost}")
    visitor.signs("**/account/keys")
    assert page.locator("a[href$='/end']").count() == 0  # again there is only one
    visitor.looks()
    page.goto(f"{visitor.url}/{visitor.language}/account/keys/{keyid}/end")
    assert page.locator("[data-sign]").count() == 0
    visitor.looks()


def _signs_with_both(visitor: Visitor, second: str) -> None:
    """Touch the new device when it is asked, and leave it alone when the old one is: one that has no such passkey and
    is touched all the same ends the ceremony. In software touches come at once, so the second question is held back
    until the new device is left alone."""
    page = visitor.page
    held = (
        "{const get = navigator.credentials.get.bind(navigator.credentials); let asked = 0;"
        "const given = new Promise(done => { window.give = done });"
        "navigator.credentials.get = async options => {"
        "if (asked++) { document.documentElement.dataset.held = ''; await given } return get(options)}}"
    )
    visitor.cdp.send("Runtime.evaluate", {"expression": held})
    page.click("[data-sign]")
    page.wait_for_selector("[data-held]")
    arguments = {"authenticatorId": second, "enabled": False}
    visitor.cdp.send("WebAuthn.setAutomaticPresenceSimulation", arguments)
    with leaving(page):
        page.evaluate("give()")
    visitor.cdp.send("WebAuthn.setAutomaticPresenceSimulation", {**arguments, "enabled": True})


def test_codes_that_were_just_made_are_said_to_be_there(visitor: Visitor) -> None:
    page = visitor.page
    visitor.passkeys()
    visitor.joins("Su Tang")
    visitor.opens("/account")
    before = page.inner_text("[data-left]")
    page.click("[data-codes] button")
    page.wait_for_selector(".codes li")
    after = page.inner_text("[data-left]")
    assert after != before
    assert after == page.evaluate("document.querySelector('[data-now]').content.textContent")


def test_an_artist_takes_everything_along_and_leaves(visitor: Visitor) -> None:
    page, name = visitor.page, "苏棠" if visitor.language == "zh" else "Su Tang"
    device = visitor.passkeys()
    visitor.joins(name)
    visitor.registers("No. 1")
    visitor.opens("/terms?scope=all&card=own")
    page.check("#card-no-ai")
    page.wait_for_selector("#terms:not(.changed) [data-sign]")
    visitor.signs()
    visitor.opens("/account/leave")
    # The passkey was used too long ago: it is asked for once more, and if nobody answers nothing happens.
    page.evaluate("document.querySelectorAll('[data-fresh]').forEach(each => { each.dataset.fresh = 0 })")
    visitor.touched(device, touched=False)
    page.click("form[action$='export'] button")
    expect(page.locator("[data-said]")).to_have_text(
        page.evaluate("document.querySelector('template[data-say=cancelled]').content.textContent")
    )
    visitor.touched(device, touched=True)
    with page.expect_download() as download:
        page.click("form[action$='export'] button")
    assert download.value.suggested_filename.endswith(".tar")
    page.fill("#name", "somebody else")
    visitor.goes("form[method=post][action$='leave'] .btn")
    assert page.locator("[role=alert] p").is_visible()
    visitor.looks()
    page.fill("#name", name)
    visitor.goes("form[method=post][action$='leave'] .btn")
    assert page.url == f"{visitor.url}/{visitor.language}"
    visitor.looks()
    visitor.opens("/home")
    assert "/sign-in" in page.url


def test_who_signs_out_leaves_no_chosen_pictures_behind(visitor: Visitor) -> None:
    page = visitor.page
    visitor.passkeys()
    visitor.joins("Su Tang")
    visitor.opens("/add")
    kept = "indexedDB.databases().then(found => found.map(each => each.name))"
    expect(page.locator("[data-ways]")).to_be_visible()  # once the list is open
    assert any(name.startswith("licet-adding-") for name in page.evaluate(kept))
    page.click(".foot .link")
    page.wait_for_selector(".said")
    assert page.evaluate(kept) == []
