"""An artist's money in a real browser, in both languages: what her claim level is, and how she gets to what waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.registry.catalogue import picture
from tests.registry.claims.internet import Internet
from tests.whole.browser import chromium
from tests.whole.conftest import People
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


def test_a_domain_brings_claim_level_2_and_is_given_up(visitor: Visitor, net: Internet) -> None:
    page = visitor.page
    visitor.passkeys()
    visitor.joins("苏棠")
    visitor.opens("/home")
    visitor.goes(f"a[href='/{visitor.language}/level']")
    page.fill("#domain", "github.io")
    visitor.goes("form:has(#domain) button")
    assert page.locator("#wrong").is_visible()
    assert page.input_value("#domain") == "github.io"
    visitor.looks()
    page.fill("#domain", "eve.example")
    visitor.goes("form:has(#domain) button")
    assert page.locator(".card").is_visible()
    visitor.looks()
    check = f"form[action='/{visitor.language}/level/check'] button"
    visitor.goes(check)
    assert page.locator(".card .code").count() == 1  # not found yet
    net.put_record("eve.example", page.inner_text(".card .code"))
    visitor.goes(check)
    assert page.locator(".card .code").count() == 0
    assert page.inner_text("tr[aria-current] th")[0] == "2"
    page.click(".card summary")
    visitor.looks()
    visitor.goes(f"form[action='/{visitor.language}/level/drop'] button")
    assert page.locator(".card").count() == 0
    assert page.inner_text("tr[aria-current] th")[0] == "0"
    net.clear()


def test_where_one_is_paid_is_said_as_the_banks_of_a_country_ask(visitor: Visitor) -> None:
    page = visitor.page
    visitor.passkeys()
    visitor.joins("苏棠")
    visitor.opens("/earnings/payments")
    page.select_option("#bank", "CN")
    visitor.goes("form:has(#bank) button")
    page.fill("#account", "6222 0212 0500 1234 567")
    visitor.looks()
    page.select_option("#bank", "GB")
    visitor.goes("form:has(#bank) button")
    page.fill("#name", " ")
    page.fill("#iban", "GB29NWBK60161331926891")
    visitor.goes("form:has(#iban) button")
    assert page.locator("#wrong-iban").is_visible()
    assert page.locator("#wrong-name").is_visible()
    assert page.input_value("#iban") == "GB29NWBK60161331926891"
    visitor.looks()
    page.goto(page.url.partition("#")[0])  # the form again, and nothing was done
    page.fill("#name", "Su Tang")
    page.fill("#iban", "GB29 NWBK 6016 1331 9268 19")
    visitor.goes("form:has(#iban) button")
    assert page.locator(".said").is_visible()
    assert "6819" in page.inner_text(".lead")
    visitor.looks()
    visitor.registers("Salt Pans")
    visitor.opens("/terms?scope=unsigned&card=own")
    assert page.locator(".atoms").is_visible()
    page.check("#card-no-ai")
    expect(page.locator(".atoms")).to_be_hidden()


def test_what_was_sold_is_seen_down_to_the_single_use(visitor: Visitor, person: People, service: Service) -> None:
    page, language = visitor.page, visitor.language
    visitor.passkeys()
    visitor.joins("苏棠")
    drawn = picture(884_700 + len(language) + ord(language[0]))
    (work,) = visitor.registers("Salt Pans", pictures=(drawn,))
    visitor.opens(f"/terms?work={work}&card=paid")
    visitor.looks()
    page.fill("#amount", "0.50")
    page.wait_for_selector("[data-sign]")
    statement = visitor.signs()
    visitor.opens("/account")
    service.office("attest", page.inner_text(".pairs code"), "--level", "2", "--evidence", "her drawings")
    lab = person(f"lab-{language}").joins("organisation", "Lantern Labs")
    (lab.home / "in").mkdir()
    (lab.home / "in" / "1.png").write_bytes(drawn)
    logged = visitor.context.request.get(f"{visitor.url}/v1/works/{work}").json()["log_index"]
    lab.does("snapshot", "pull", "--covering", str(logged))
    out = str(lab.home / "out")
    use = ("--use", "train-gen", "--model", "acme/lantern@1", "--accept", "--budget", "1CNY")
    assert lab.does("filter", str(lab.home / "in"), "-o", out, *use, "--dataset", "lanterns")["kept"] == 1
    visitor.opens("/home")
    assert "Lantern Labs" in page.inner_text("main")
    visitor.opens("/alerts")
    visitor.goes("main ul.alerts form button >> nth=0")
    assert page.locator(".said").is_visible()
    visitor.looks()
    for place in ("/earnings", "/earnings/uses", "/earnings/entries", "/licences"):
        visitor.opens(place)
        assert page.locator("main table tbody tr").count() >= 1
    visitor.opens("/earnings")
    visitor.goes("main table .money")
    assert page.locator(f"a[href='/{language}/statements/{statement}']").count() == 1
    visitor.goes(f"a[href^='/{language}/licences/lic_']")
    assert page.locator(f"a[href='/{language}/works/{work}']").count() == 1
