"""The portal by keys alone, at 400 %: an account, pictures, a signature, everything made strict, a dispute, payment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.registry.catalogue import picture
from tests.whole import stage
from tests.whole.browser import chromium
from tests.whole.conftest import People
from tests.whole.stage import Person, Service
from tests.whole.visiting import Visitor, leaving, visiting

ZOOMED = {"width": 320, "height": 256}  # 1280 pixels at 400 %


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(params=("en", "zh"))
def visitor(request: pytest.FixtureRequest, browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, f"http://localhost:{service.port}", request.param, viewport=ZOOMED) as found:
        yield found


def tab_to(visitor: Visitor, selector: str) -> None:
    """Press Tab until what ``selector`` names has the focus, wholly inside of the window and under nothing."""
    page = visitor.page
    for _ in range(120):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
        page.keyboard.press("Tab")
    else:
        raise AssertionError(f"{selector} cannot be reached with the Tab key on {page.url}")
    covered = page.evaluate(
        """() => {
            const box = document.activeElement.getBoundingClientRect();
            const at = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height, 20) / 2);
            return box.height && at && !document.activeElement.contains(at) && !at.contains(document.activeElement)
                && !at.closest('label') ? at.outerHTML.slice(0, 200) : null;
        }"""
    )
    assert covered is None, (page.url, selector, covered)


def press(visitor: Visitor, selector: str, key: str = "Enter") -> None:
    tab_to(visitor, selector)
    visitor.page.keyboard.press(key)


def follow(visitor: Visitor, selector: str) -> None:
    """Press what leads to another page."""
    with leaving(visitor.page):
        press(visitor, selector)


def write(visitor: Visitor, selector: str, text: str) -> None:
    tab_to(visitor, selector)
    visitor.page.keyboard.type(text)


def choose(visitor: Visitor, selector: str, value: str) -> None:
    press(visitor, selector, "Home")
    for _ in range(300):
        if visitor.page.input_value(selector) == value:
            return
        visitor.page.keyboard.press("ArrowDown")
    raise AssertionError(f"{value} cannot be chosen with the arrow keys in {selector}")


def test_everything_is_done_by_keys_alone(visitor: Visitor, browser: Browser, tmp_path: Path) -> None:
    page, language = visitor.page, visitor.language
    # From before the page opens: on a busy machine, what asks for it beside the key comes after the key.
    page.on("filechooser", lambda _: None)
    visitor.passkeys()
    # An account.
    visitor.opens("")
    follow(visitor, ".hero .btn")
    write(visitor, "#name", "By Keys")
    follow(visitor, "[data-join] button")
    # Pictures.
    follow(visitor, f"main a[href='/{language}/add']")
    page.wait_for_selector("[data-ways]:visible")
    file = tmp_path / "by-keys.png"
    file.write_bytes(stage.encoded(stage.drawing(8_430_000 + ord(language[0]), 192)))
    tab_to(visitor, "#picture")
    with page.expect_file_chooser() as choosing:
        page.keyboard.press("Space")
    choosing.value.set_files(file)
    page.wait_for_selector("[data-start]:visible")
    press(visitor, "[data-start]")
    page.wait_for_selector("[data-sign] button:not(.plain)")
    follow(visitor, "[data-sign] button")
    # Terms, and the signature.
    tab_to(visitor, "[name=card]")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#terms:not(.changed)")
    follow(visitor, "[data-sign]")
    page.wait_for_url("**/statements/*")
    # Everything strict again.
    follow(visitor, f"header a[href='/{language}/home']")
    follow(visitor, ".stop .btn")
    follow(visitor, "[data-sign]")
    page.wait_for_url("**/statements/*")
    # Where one is paid.
    visitor.opens("/earnings/payments")
    choose(visitor, "#bank", "GB")
    follow(visitor, "form:has(#bank) button")
    write(visitor, "#name", "By Keys")
    write(visitor, "#iban", "GB29NWBK60161331926819")
    choose(visitor, "#country", "GB")
    follow(visitor, "form:has(#iban) button")
    expect(page.locator(".said")).to_be_visible()
    # A dispute about somebody's picture.
    with visiting(browser, visitor.url, language) as other:
        other.passkeys()
        other.joins("Bao")
        (work,) = other.registers("Salt Pans")
        other.opens("/terms?scope=all")
        other.signs()
    visitor.opens(f"/disputes/new?about={work}")
    write(visitor, "#text", "I drew it in 2019.")
    follow(visitor, "main form .btn")
    follow(visitor, "[data-sign]")
    page.wait_for_url("**/disputes/dsp_*")
    visitor.looks()


def taken(lab: Person, pictures: tuple[bytes, ...], covering: int) -> str:
    """Take a licence of all pictures at the command line, and return it."""
    (lab.home / "in").mkdir()
    for number, content in enumerate(pictures):
        (lab.home / "in" / f"{number}.png").write_bytes(content)
    lab.does("snapshot", "pull", "--covering", str(covering))
    found = lab.does(
        "filter", str(lab.home / "in"), "-o", str(lab.home / "out"), "--use", "train-gen", "--model", "acme/lantern@1",
        "--dataset", "lanterns", "--accept", "--budget", "5USD",
    )  # fmt: skip
    assert found["kept"] == len(pictures), found
    (licence,) = lab.does("licences", "list")["licences"]
    return str(licence["licence"])


def test_a_licence_is_taken_back_by_keys_alone_and_going_back_says_so(
    visitor: Visitor, service: Service, person: People
) -> None:
    page, language, chinese = visitor.page, visitor.language, visitor.language == "zh"
    visitor.passkeys()
    visitor.joins("By Keys")
    pictures = tuple(picture(886_300 + 2 * chinese + number) for number in (0, 1))
    works = visitor.registers("Salt Pans", "Estuary", pictures=pictures)
    # Ticked on the wall, and signed on terms that let her take a licence back.
    visitor.opens("/works")
    for work in works:
        press(visitor, f"[name=work][value='{work}']", "Space")
    follow(visitor, ".selbar button")
    page.check("#card-paid")
    page.fill("#amount", "0.50")
    page.select_option("#currency", "USD")
    page.wait_for_selector("#terms:not(.changed) [data-sign]")
    visitor.goes("[name=details]")
    page.select_option("#c1-effect", "retire-model")
    page.fill("#c1-notice", "30")
    page.wait_for_selector("#terms:not(.changed) [data-sign]")
    statement = visitor.signs()
    # Going back asks nobody to send anything again, and says that it is signed.
    page.go_back()
    expect(page.locator("main .note").first).to_contain_text("已经保存" if chinese else "that is kept")
    assert page.locator(f"main .note a[href='/{language}/statements/{statement}']").count() == 1
    visitor.looks()
    visitor.opens("/account")
    service.office("attest", page.inner_text(".pairs code"), "--level", "2", "--evidence", "her drawings")
    said = visitor.context.request.get(f"{visitor.url}/v1/statements").json()["items"]
    licence = taken(person("lab").joins("organisation", "Lantern Labs"), pictures, said[0]["log_index"])
    # The licence, what it means to take it back, and the signature.
    visitor.opens("/licences")
    follow(visitor, f"main a[href='/{language}/licences/{licence}']")
    write(visitor, "main form textarea", "No more.")
    follow(visitor, "main form button")
    assert page.locator("[data-bytes]").count() == 1
    expect(page.locator(".oath")).to_have_text("No more.")
    press(visitor, "main details summary")
    visitor.looks()
    follow(visitor, "[data-sign]")
    assert page.url.endswith(f"/{language}/licences/{licence}")
    done = "你已经收回了 2 张画" if chinese else "You took back 2 pictures."
    expect(page.locator("main")).to_contain_text(done)
    visitor.looks()
    page.go_back()
    expect(page.locator("main")).to_contain_text(done)
    assert page.url.endswith(f"/{language}/licences/{licence}")
    assert page.locator("main form textarea").count() == 0  # there is nothing left to take back
