"""What a team asked, owes and trained, in a real browser: down to the files that prove it, and to a dispute."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.registry.catalogue import picture
from tests.whole.browser import chromium
from tests.whole.conftest import People
from tests.whole.stage import Person, Service
from tests.whole.visiting import Visitor, visiting

NEGOTIATED = """preset = "paid"
price = { model = "negotiate" }
[train-gen]
permission = "license"
price = { model = "negotiate" }
audience = ["commercial", "research"]
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(params=("en", "zh"))
def visitor(request: pytest.FixtureRequest, browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, f"http://localhost:{service.port}", request.param) as found:
        yield found


def joined(visitor: Visitor, program: Person) -> None:
    """Open a team by a passkey, and let ``program`` sign everything for it."""
    page = visitor.page
    visitor.passkeys()
    visitor.joins("Wick Labs", team=True)
    visitor.opens("/organisation/tokens")
    page.click("[data-token] button")
    expect(page.locator("[data-made]")).to_be_focused()
    token = page.inner_text("[data-made] output")
    visitor.opens("/organisation/start")
    joining = ("account", "join", page.locator(".pairs code").nth(1).inner_text(), "--wait", "0")
    asked = program.does(*joining, LICET_TOKEN=token)
    page.goto(asked["link"].replace("/en/", f"/{visitor.language}/"))
    page.wait_for_selector("[data-statement]")  # it is sent by the page itself
    visitor.goes("[data-statement] button")
    assert page.url.endswith("/organisation/keys")
    assert program.does(*joining, LICET_TOKEN=token)["state"] == "joined"


def test_a_team_follows_a_request_to_its_charge_and_disputes_it(visitor: Visitor, person: People) -> None:
    page, language = visitor.page, visitor.language
    ada, lab = person(f"ada-{language}").joins("artist", "Ada Rossi"), person(f"wick-{language}")
    (ada.home / "1.png").write_bytes(picture(884_900 + ord(language[0])))
    (ada.home / "terms.toml").write_text(NEGOTIATED, encoding="utf-8")
    ada.does("register", str(ada.home / "1.png"), "--terms", str(ada.home / "terms.toml"))
    (work,) = ada.does("works", "list")["works"]
    joined(visitor, lab)
    lab.does("snapshot", "pull", "--covering", str(work["log_index"]))
    use = ("--use", "train-gen", "--model", "wick/wax@1")
    asking = lab.types("licences", "request", work["work"], *use, "--message", "We would like to.", "--yes")
    assert asking.code == 0, asking
    visitor.opens("/organisation/requests")
    visitor.goes("main table th a")
    page.wait_for_url("**/organisation/requests/ask_*")
    assert "We would like to." in page.inner_text("main")
    ask = page.url.rpartition("/")[2]
    offered = ada.types("licences", "requests", "offer", ask, "--price", "2", "--currency", "usd", "--yes")
    assert offered.code == 0, offered
    visitor.opens("/organisation")
    visitor.goes(f"a[href$='/requests/{ask}']")
    page.click("form[action$='/offer'] ~ details summary")
    command = page.inner_text("main form ~ details pre")
    assert command == f"licet licences requests accept {ask} --budget 100USD"
    visitor.looks()
    taken = lab.types(*command.split()[1:], "--yes")  # as it stands there
    assert taken.code == 0, taken
    page.reload()
    visitor.goes("main .lead a")
    page.wait_for_url("**/organisation/licences/lic_*")
    visitor.opens("/organisation/charges")
    visitor.goes("a[href*='/disputes/new?about=tra_']")
    page.fill("#text", "We never took this.")
    visitor.goes("main form .btn")
    visitor.signs("**/disputes/dsp_*")
    visitor.opens("/organisation/charges")
    assert page.locator("a[href*='/disputes/new']").count() == 0
    visitor.goes("main table a[href*='/disputes/dsp_']")
    page.wait_for_url("**/disputes/dsp_*")
    visitor.looks()


def test_a_new_team_gets_a_token_and_lets_somebody_in_by_a_link(
    visitor: Visitor, browser: Browser, service: Service
) -> None:
    page = visitor.page
    visitor.passkeys()
    visitor.joins("Ember Labs", team=True)
    visitor.opens("/organisation/start")
    lines = page.locator("pre", has_text="LICET_TOKEN=")
    expect(lines).to_contain_text("LICET_TOKEN=lct_…")
    page.focus("[data-token] button")
    page.keyboard.press("Enter")
    expect(page.locator("[data-made]")).to_be_focused()
    visitor.looks()
    said = dict(line.removeprefix("export ").split("=", 1) for line in lines.inner_text().splitlines() if "=" in line)
    assert said["LICET_TOKEN"].startswith("lct_")
    # As it stands there, a program goes in with it.
    answered = visitor.context.request.get(
        f"{said['LICET_URL']}/v1/me", headers={"Authorization": f"Bearer {said['LICET_TOKEN']}"}
    )
    assert answered.json()["name"] == "Ember Labs"
    page.reload()
    expect(lines).to_contain_text("LICET_TOKEN=lct_…")  # shown once
    visitor.opens("/organisation/members")
    visitor.looks()
    page.fill("#note", "Jo")
    with page.expect_navigation():
        page.click("#invite ~ form button")
    visitor.looks()
    link = page.inner_text("main pre")
    _copies(visitor, link)
    with visiting(browser, f"http://localhost:{service.port}", visitor.language) as jo:
        _asks(jo, link)
        visitor.opens("/organisation/members")
        visitor.looks()
        page.click("#invited ~ ul a")
        expect(page.locator("main .pairs code").first).to_have_text(jo.page.inner_text("[data-code]"))
        visitor.looks()
        with page.expect_navigation(url="**/organisation/members"):
            page.click("[data-statement] button")
        expect(page.locator("main table")).to_contain_text("Jo")
        jo.page.goto("about:blank")
        jo.page.goto(link)
        jo.looks()
        jo.page.click("[data-is=joined] a")
        with jo.page.expect_navigation(url="**/organisation"):
            jo.page.click("[data-sign-in] button")
        expect(jo.page.locator("h1")).to_have_text("Ember Labs")
    assert not visitor.faults


def _copies(visitor: Visitor, link: str) -> None:
    """Take the link that the page shows by its button, or by the mark that a click on it leaves."""
    page = visitor.page

    def presses(says: str) -> None:
        page.click("[data-copies] button")
        said = page.evaluate(f"document.querySelector('template[data-{says}]').content.textContent")
        expect(page.locator("[data-copies] [role=status]")).to_have_text(said)

    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    presses("copied")
    assert page.evaluate("navigator.clipboard.readText()") == link
    visitor.looks()
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError')); }"
    )
    presses("marked")
    for _ in range(2):
        assert page.evaluate("getSelection().toString()").strip() == link
        page.evaluate("getSelection().empty()")
        page.click("[data-copies] code")


def _asks(jo: Visitor, link: str) -> None:
    """Open the link of an invitation and ask with a new passkey; what the page shows then stays."""
    page = jo.page
    jo.passkeys()
    page.goto(link)
    expect(page.locator("[data-team]")).to_have_text("Ember Labs")
    assert "#" not in page.url  # the secret stays in no history
    jo.looks()
    page.click("[data-member] button")
    expect(page.locator("[data-code]")).to_have_text(re.compile("^[0-9a-f]{16}$"))
    jo.looks()
    digits = page.inner_text("[data-code]")
    page.reload()  # as phones do with a page that was left for a while
    expect(page.locator("[data-code]")).to_have_text(digits)
    page.goto(page.url.replace("/join-team", "/sign-in"))  # too early
    page.click("[data-sign-in] button")
    said = page.evaluate("document.querySelector('template[data-say=stranger]').content.textContent")
    expect(page.locator("[data-said]")).to_have_text(said)
    page.go_back()
    expect(page.locator("[data-code]")).to_have_text(digits)


def test_a_team_reads_its_runs_and_fetches_the_snapshot(visitor: Visitor, person: People) -> None:
    page, lab = visitor.page, person(f"wax-{visitor.language}")
    joined(visitor, lab)
    filtering = ("filter", lab.draws("pictures", 7_310_950), "-o", "kept", "--use", "train-gen")
    kept = lab.types(*filtering, "--purpose", "commercial", "--accept", "--model", "wick/wax@1", "--dataset", "wax")
    assert kept.code == 0, kept
    for place in ("runs", "datasets", "models", "snapshot"):
        assert visitor.opens(f"/organisation/{place}") == 200
    with page.expect_download() as begun:
        page.click("#files ~ table a")
    assert begun.value.suggested_filename == page.inner_text("#files ~ table a")
    assert begun.value.path().stat().st_size > 0
    assert not visitor.faults
