"""The portal in a real browser, in both languages: each page and state is usable by everybody, and nothing it does
is outside of its own policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.whole import stage
from tests.whole.browser import chromium
from tests.whole.stage import Person, Service
from tests.whole.visiting import Visitor, leaving, visiting

LANGUAGES = ("en", "zh")
TITLES = {"en": ("Salt Pans at Dusk", "Red Earth Slope"), "zh": ("晚霞里的盐田", "红土坡")}
FIRST_LOAD, SCRIPTS = 60_000, 30_000  # bytes as they travel


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(params=LANGUAGES)
def visitor(request: pytest.FixtureRequest, browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, f"http://localhost:{service.port}", request.param) as found:
        yield found


def picture(name: str) -> bytes:
    """A picture that no other test has drawn, with enough in it to be told from others."""
    return stage.encoded(stage.drawing(7_310_000 + sum(name.encode()), 256))


def test_an_artist_protects_her_pictures_from_the_first_page_on(visitor: Visitor, tmp_path: Path) -> None:
    page, titles = visitor.page, TITLES[visitor.language]
    page.goto(f"{visitor.url}/")
    assert page.url == f"{visitor.url}/{visitor.language}"  # by what the browser likes best
    device = visitor.passkeys()
    visitor.opens("/join")
    visitor.touched(device, touched=False)
    page.fill("#name", "苏棠")
    page.click("[data-join] button")
    expect(page.locator("[data-join] button")).to_be_enabled()
    assert page.inner_text("[data-said]") == page.evaluate(
        "document.querySelector('template[data-say=cancelled]').content.textContent"
    )
    visitor.touched(device, touched=True)
    visitor.joins("苏棠")
    drawn = picture(visitor.language)
    first, second = visitor.registers(*titles, pictures=(drawn,))
    visitor.opens("/works")

    # Terms: the strictest is chosen already, and only what is on screen can be signed.
    page.locator(".tick").nth(0).click()
    page.locator(".tick").nth(1).click()
    visitor.goes(".selbar button")
    assert page.is_checked("#card-no-ai")
    strict = page.inner_text("[data-oath]")
    page.check("#card-paid")
    page.wait_for_selector("#wrong")  # no price yet
    assert page.locator("[data-sign]").count() == 0
    visitor.looks()
    page.fill("#amount", "2.50")
    page.wait_for_selector("[data-sign]")
    assert "2.50" in page.inner_text("[data-oath]")
    for tab in ("#v2", "#v3"):
        page.check(tab)
        visitor.looks()
    page.check("#card-no-ai")
    expect(page.locator("[data-oath]")).to_have_text(strict)
    assert page.is_checked("#v3")  # what one looks at stays
    statement = visitor.signs()
    assert strict in page.inner_text(".oath")

    # Looser terms wait a day, and one tap takes them back.
    visitor.opens(f"/terms?work={first}&card=research")
    visitor.signs()
    visitor.looks()
    visitor.opens(f"/works/{first}")
    visitor.goes(".note .btn")
    visitor.looks()
    visitor.signs()
    visitor.opens(f"/works/{first}")
    assert page.locator(".note .btn").count() == 0

    # Two taps make everything strict: one opens the text, one signs it.
    visitor.opens("/home")
    page.click(".stop .btn")
    visitor.signs()
    visitor.opens("/statements")
    visitor.looks()
    page.click(".filter a[href$='?kind=consent']")
    expect(page.locator("tbody tr")).to_have_count(4)
    assert visitor.opens("/site?at=https://su.example") == 200
    with page.expect_download() as kit:
        page.click("a[download]")
    assert kit.value.suggested_filename == "licet-kit.zip"
    visitor.opens(f"/work/{first}")
    for form in page.locator("details summary").all():
        form.click()
    visitor.looks()
    assert titles[0] in page.inner_text("h1")
    assert visitor.context.request.get(f"{visitor.url}/v1/statements/{statement}").ok

    # Anybody finds it by the file.
    file = tmp_path / "picture.png"
    file.write_bytes(drawn)
    with visiting(page.context.browser, visitor.url, visitor.language) as stranger:  # type: ignore[arg-type]
        stranger.opens("/check")
        stranger.page.set_input_files("#picture", file)
        stranger.page.click("main form button")
        stranger.page.wait_for_selector(".answers")
        assert titles[0] in stranger.page.inner_text(".answers")
        stranger.looks()
        file.write_bytes(b"no picture at all")
        stranger.page.set_input_files("#picture", file)
        stranger.page.click("main form button")
        stranger.page.wait_for_selector("[role=alert]")
        stranger.looks()
        assert stranger.opens(f"/works/{first}") == 200
        assert "/sign-in?to=" in stranger.page.url
        assert stranger.opens(f"/work/{second}") == 200
    assert not visitor.faults


def refused(visitor: Visitor, name: str, exactly: str = "") -> None:
    """Hold the page to its own sentence ``name``; what the service has said is English, and stands apart from it."""
    page = visitor.page
    said = page.evaluate(f"document.querySelector('template[data-say={name}]').content.textContent")
    expect(page.locator("[data-said]")).to_have_text(said)
    assert visitor.language == "en" or not re.search("[a-z]{3}", said)
    if exactly:
        page.click("[data-exactly] summary")
        assert exactly in page.inner_text("[data-exactly] p[lang=en]")


def test_who_loses_a_device_comes_back_with_a_code(visitor: Visitor) -> None:
    page = visitor.page
    device = visitor.passkeys()
    visitor.joins("Su Tang")
    visitor.opens("/account")
    page.click("[data-codes] button")
    page.wait_for_selector(".codes li")
    visitor.looks()
    codes = page.locator(".codes code").all_inner_texts()
    assert len(set(codes)) == 10
    account = page.inner_text(".pairs code")
    page.click(".foot .link")
    page.wait_for_selector(".said")
    assert visitor.opens("/home") == 200
    assert "/sign-in?to=" in page.url
    visitor.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device})
    visitor.passkeys()
    visitor.opens("/recover")
    _recovers(visitor, account, codes[0])
    page.wait_for_url("**/sign-in")
    page.click("[data-sign-in] button")
    page.wait_for_url("**/home")
    visitor.opens("/account")
    assert page.locator("tbody tr").count() == 2  # the lost key and the new one
    visitor.opens("/recover")
    _recovers(visitor, account, codes[1])
    refused(visitor, "known")  # this device needs no code
    page.click(".foot .link")
    page.wait_for_selector(".said")
    visitor.opens("/recover")
    _recovers(visitor, account, codes[0])  # a code opens once
    refused(visitor, "code", "recovery code")
    visitor.looks()
    # What no page has a sentence for is said in words of its language, too.
    page.evaluate("document.querySelector('[data-recover]').action = '/en/nowhere'")
    _recovers(visitor, account, codes[1])
    refused(visitor, "meanwhile")


def test_a_team_joins_and_lets_a_program_in(visitor: Visitor) -> None:
    page = visitor.page
    device = visitor.passkeys()
    visitor.opens("/join")
    page.click("a[href$='/join?as=team']")
    visitor.joins("Lantern Labs", team=True)
    visitor.opens("/organisation/tokens")
    for scope in ("query", "license", "usage"):
        page.uncheck(f"[name=scopes][value={scope}]")
    page.click("[data-token] button")
    expect(page.locator("[data-said]")).to_be_visible()  # a token that may do nothing is none
    page.check("[name=scopes][value=usage]")
    visitor.touched(device, touched=False)
    page.click("[data-token] button")
    expect(page.locator("[data-token] button")).to_be_enabled()
    assert not page.locator("[data-made]").is_visible()
    visitor.touched(device, touched=True)
    page.click("[data-token] button")
    expect(page.locator("[data-made]")).to_be_focused()
    visitor.looks()
    with visiting(page.context.browser, visitor.url, visitor.language) as program:  # type: ignore[arg-type]
        sent = {"Authorization": f"Bearer {page.inner_text('[data-made] output')}"}
        me = program.context.request.get(f"{visitor.url}/v1/me", headers=sent)
        assert (me.json()["kind"], me.json()["scopes"]) == ("organisation", ["usage"])
        visitor.goes("[data-made] a")
        assert not page.locator("[data-made]").is_visible()  # it was shown this once
        page.click("[data-ends] button")
        page.wait_for_selector(".said")
        visitor.looks()
        assert program.context.request.get(f"{visitor.url}/v1/me", headers=sent).status == 401
    assert not visitor.faults


@pytest.mark.parametrize("key_class", ["root", "delegate"])
def test_a_team_of_passkeys_lets_a_program_sign_from_nothing(
    visitor: Visitor, person: Callable[[str], Person], key_class: str
) -> None:
    page = visitor.page
    visitor.passkeys()
    visitor.joins("Wick Labs", team=True)
    visitor.opens("/organisation/tokens")
    page.click("[data-token] button")
    expect(page.locator("[data-made]")).to_be_focused()
    token = page.inner_text("[data-made] output")
    visitor.opens("/organisation/start")
    account = page.locator(".pairs code").nth(1).inner_text()
    program = person(f"program-{visitor.language}-{key_class}")
    joining = ("account", "join", account, "--class", key_class, "--wait", "0")
    asked = program.does(*joining, LICET_TOKEN=token)
    assert asked["state"] == "asked"
    page.goto(asked["link"].replace("/en/", f"/{visitor.language}/"))
    page.wait_for_selector("[data-statement]")  # it is sent by the page itself
    assert asked["key"][:16] in page.inner_text(".pairs")
    visitor.looks()
    visitor.goes("[data-statement] button")
    if key_class == "delegate":
        page.wait_for_url("**/keys/delegate?key=*")
        page.fill("#amount", "5")
        visitor.goes("main form button")
        visitor.looks()
        visitor.goes("[data-statement] button")
    assert page.url.endswith("/organisation/keys")
    joined = program.does(*joining, LICET_TOKEN=token)
    assert (joined["state"], joined["key"]) == ("joined", asked["key"])
    filtering = ("filter", program.draws("pictures", 7_310_901), "-o", "kept", "--use", "train-gen")
    kept = program.types(*filtering, "--purpose", "commercial", "--accept", "--model", "wick/wax@1", "--dataset", "wax")
    assert kept.code == 0, kept
    visitor.opens("/organisation/keys/add")
    page.fill("#request", "nothing of the kind")
    page.click("main form button")
    page.wait_for_selector("[role=alert]")
    visitor.looks()
    assert not visitor.faults


def test_an_auditor_comes_in_by_a_link_and_looks_to_the_proof(
    visitor: Visitor, service: Service, person: Callable[[str], Person]
) -> None:
    page = visitor.page
    visitor.passkeys()
    link = service.office("invite", "--role", "auditor", "--name", "Ada Okafor")["link"]
    visitor.opens(f"/invited#{link.partition('#')[2]}")
    visitor.looks()
    visitor.goes("[data-invited] button")
    page.wait_for_url("**/auditor")
    assert "#" not in page.url
    month = (page.locator("main table a[href*='period=']").first.get_attribute("href") or "").rpartition("=")[2]
    with page.expect_download() as held:
        page.locator("a[href*='/v1/audit/bundle']").first.click()
    assert held.value.suggested_filename.endswith(".zip")
    visitor.opens(f"/auditor/entries?period={month[:7]}")
    amounts = page.locator("main .fold .money")
    if amounts.count():  # the registry is shared: another test may have posted something
        amounts.first.click()
        page.wait_for_url("**/auditor/entries/tra_*")
    page.locator(".foot form button").click()
    page.wait_for_url(f"**/{visitor.language}")
    visitor.opens("/sign-in")
    page.click("[data-sign-in] button")
    page.wait_for_url("**/auditor")
    visitor.opens("/invited")
    page.click("[data-invited] button")  # without a secret
    page.wait_for_selector("[data-said]:not([hidden])")
    visitor.looks()
    assert not visitor.faults


def test_an_operator_invites_and_dismisses(visitor: Visitor, service: Service) -> None:
    page = visitor.page
    visitor.passkeys()
    link = service.office("invite", "--role", "operator", "--name", "Office")["link"]
    visitor.opens(f"/invited#{link.partition('#')[2]}")
    visitor.goes("[data-invited] button")
    page.wait_for_url("**/operator")
    visitor.opens("/operator/staff")
    page.fill("#name", "Ada Okafor")
    page.fill("#scope", "everything")
    page.click("section form .btn")
    page.wait_for_selector("section [role=alert]")
    visitor.looks()
    page.fill("#scope", "2026-01..2026-12")
    page.click("section form .btn")
    page.wait_for_selector("main pre")
    assert "/invited#" in page.inner_text("main pre")
    visitor.looks()
    visitor.opens("/operator/staff")
    before = page.locator("form[action$='dismiss']").count()
    assert before
    page.locator("form[action$='dismiss'] button").first.click()
    page.wait_for_selector("p.said")
    visitor.looks()
    assert not visitor.faults


def test_keys_alone_do_everything_at_four_hundred_percent(browser: Browser, service: Service) -> None:
    seen = {"width": 320, "height": 256}  # 1280 pixels at 400 %
    with visiting(browser, f"http://localhost:{service.port}", "en", viewport=seen) as visitor:
        visitor.passkeys()
        visitor.joins("Keys Alone")
        visitor.registers("By Key")
        visitor.opens("/works")
        page = visitor.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        _tab_to(visitor, "input[type=checkbox]")
        page.keyboard.press("Space")
        _tab_to(visitor, ".selbar button")
        with leaving(page):
            page.keyboard.press("Enter")
        _tab_to(visitor, "[name=card]")
        page.keyboard.press("ArrowDown")
        expect(page.locator("#terms")).not_to_have_class("changed")
        assert page.evaluate("document.activeElement.id") == "card-research"  # the swap left the focus where it was
        _tab_to(visitor, "[data-sign]")
        with leaving(page):
            page.keyboard.press("Enter")
        page.wait_for_url("**/statements/*")


def test_of_two_tabs_the_later_one_is_told_that_its_text_is_old(browser: Browser, service: Service) -> None:
    with visiting(browser, f"http://localhost:{service.port}", "en") as visitor:
        visitor.passkeys()
        visitor.joins("Two Tabs")
        (work,) = visitor.registers("Twice")
        visitor.opens(f"/terms?work={work}")
        other = visitor.context.new_page()
        other.goto(f"{visitor.url}/en/terms?work={work}")
        visitor.signs()
        assert visitor.page.url.rpartition("/")[2].startswith("stm_")
        # The other tab still shows its text: signed without a key, it is told, and nothing is lost.
        with other.expect_navigation():
            other.evaluate("document.querySelector('#terms').submit()")
        assert "came first" in other.inner_text("[role=alert]")


def test_whoever_is_signed_out_meanwhile_signs_in_on_the_spot_and_loses_nothing(visitor: Visitor) -> None:
    page = visitor.page
    visitor.passkeys()
    visitor.joins("Su Tang")
    works = visitor.registers(*TITLES[visitor.language])
    visitor.opens("/works")
    for tick in page.locator(".tick").all():
        tick.click()
    visitor.goes(".selbar button")
    # While the terms are chosen: the choice comes back.
    visitor.context.clear_cookies()
    with leaving(page):
        page.check("#card-research")
    visitor.looks()
    visitor.goes("[data-resume] button")
    assert page.is_checked("#card-research")
    assert {each.input_value() for each in page.locator("#terms [name=w]").all()} == set(works)
    # While they are signed: the signature counts.
    visitor.context.clear_cookies()
    visitor.goes("[data-sign]")
    visitor.goes("[data-resume] button")
    page.wait_for_url("**/statements/*")
    signed = [visitor.context.request.get(f"{visitor.url}/v1/works/{each}").json()["statement"] for each in works]
    assert signed == [page.url.rpartition("/")[2]] * 2
    assert not visitor.faults


def test_a_browser_without_passkeys_says_so_and_signs_nothing(visitor: Visitor) -> None:
    page = visitor.page
    visitor.passkeys()
    visitor.joins("Old Browser")
    (work,) = visitor.registers("Unsigned")
    visitor.context.add_init_script("delete window.PublicKeyCredential")
    said = "document.querySelector('template[data-say=unsupported]').content.textContent"
    visitor.opens(f"/terms?work={work}")
    page.click("[data-sign]")
    expect(page.locator("[data-said]")).to_be_visible()
    assert page.inner_text("[data-said]") == page.evaluate(said)
    visitor.looks()
    assert visitor.context.request.get(f"{visitor.url}/v1/works/{work}").json()["state"] == "unsigned"
    visitor.context.clear_cookies()
    for place in ("/join", "/sign-in"):
        visitor.opens(place)
        expect(page.locator("[data-said]")).to_be_visible()
        assert page.inner_text("[data-said]") == page.evaluate(said)
        assert page.locator("main form button").is_disabled()
        visitor.looks()


@pytest.mark.parametrize("path", ["", "/join", "/check"])
def test_the_first_load_is_small(browser: Browser, service: Service, path: str) -> None:
    phone = {"width": 390, "height": 844}
    with visiting(browser, f"http://localhost:{service.port}", "zh", viewport=phone) as visitor:
        sizes: dict[str, int] = {}
        urls: dict[str, str] = {}
        heard = {
            "Network.responseReceived": lambda said: urls.update({said["requestId"]: said["response"]["url"]}),
            "Network.loadingFinished": lambda said: sizes.update({said["requestId"]: int(said["encodedDataLength"])}),
        }
        for event, hear in heard.items():
            visitor.cdp.on(event, hear)
        visitor.cdp.send("Network.enable")
        visitor.page.goto(f"{visitor.url}/zh{path}", wait_until="networkidle")
        scripts = sum(size for each, size in sizes.items() if urls.get(each, "").endswith(".js"))
        assert 0 < sum(sizes.values()) <= FIRST_LOAD, sizes
        assert scripts <= SCRIPTS, sizes


def test_reading_needs_no_scripts(browser: Browser, service: Service) -> None:
    with visiting(browser, f"http://localhost:{service.port}", "zh", java_script_enabled=False) as visitor:
        for path in ("", "/check", "/join", "/sign-in", "/register"):
            assert visitor.opens(path) == 200
            assert visitor.page.locator("h1").count() == 1
        visitor.opens("/join")
        assert visitor.page.locator("noscript p").is_visible()


def _recovers(visitor: Visitor, account: str, code: str) -> None:
    visitor.page.fill("#account", account)
    visitor.page.fill("#code", code)
    visitor.page.click("[data-recover] button")


def _tab_to(visitor: Visitor, selector: str) -> None:
    for _ in range(80):
        if visitor.page.evaluate(f"document.activeElement.matches({selector!r})"):
            return
        visitor.page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with the Tab key")
