"""Adding pictures in a real browser: looked at there, sent or kept back, and nothing lost with the line or the tab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, Route, expect

from tests.whole import stage
from tests.whole.browser import chromium
from tests.whole.stage import Service
from tests.whole.visiting import Visitor, visiting


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(params=["en", "zh"])
def visitor(request: pytest.FixtureRequest, browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, f"http://localhost:{service.port}", request.param) as found:
        yield found


def drawn(seed: int) -> bytes:
    return stage.encoded(stage.drawing(8_420_000 + seed, 192))


def says(visitor: Visitor, what: str, /, **values: object) -> str:
    """The page's own words for the script, with ``values`` in them."""
    text = visitor.page.evaluate(
        "what => document.querySelector(`template[data-say='${what}']`).content.textContent", what
    )
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", str(value))
    return str(text)


def states(visitor: Visitor) -> list[str]:
    return visitor.page.locator("[data-files] .may").all_inner_texts()


def test_pictures_are_added_past_a_lost_line_and_a_closed_tab(
    visitor: Visitor, browser: Browser, tmp_path: Path
) -> None:
    page, base = visitor.page, 100 if visitor.language == "en" else 200
    with visiting(browser, visitor.url, visitor.language) as other:
        other.passkeys()
        other.joins("Bao")
        other.registers("Estuary", pictures=(drawn(base + 4),))
        other.opens("/terms?scope=all")
        other.signs()
    device = visitor.passkeys()
    visitor.joins("苏棠")
    (known,) = visitor.registers("Known", pictures=(drawn(base),))
    (tmp_path / "a" / "b").mkdir(parents=True)
    files = {
        "known.png": drawn(base),
        "salt.png": drawn(base + 1),
        "b/salt.png": drawn(base + 2),  # another picture of the same name
        "again.png": drawn(base + 1),  # the same picture under another name
        "slope.png": drawn(base + 3),
        "estuary.png": drawn(base + 4),
        "notes.png": b"no picture at all",
        "empty.png": b"",
    }
    for name, content in files.items():
        (tmp_path / "a" / name).write_bytes(content)
    huge = tmp_path / "a" / "huge.png"
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    visitor.opens("/add")
    page.set_input_files("#picture", [tmp_path / "a" / name for name in (*files, "huge.png")])
    expect(page.locator("[data-start]")).to_be_visible()
    assert page.inner_text("[data-start]") == says(visitor, "start", n=4)
    kinds = ("yours", "ready", "ready", "same", "ready", "ready", "not", "not", "not")
    assert states(visitor) == [says(visitor, f"is-{kind}") for kind in kinds]
    shown = page.inner_text("[data-files]")
    for said in (says(visitor, "kind"), says(visitor, "empty"), says(visitor, "large", n="100 MB", all="50 MB")):
        assert said in shown
    assert says(visitor, "renamed", name="salt (2)") in shown
    assert page.locator("[data-files] img:visible").count() == 6  # pictures are shown small
    assert page.locator("[data-files] a:visible").first.get_attribute("href") == f"/{visitor.language}/works/{known}"
    visitor.looks()

    # The line is lost while the second is on its way: it says so, and goes on when the line is back.
    sent: list[str] = []

    def cut(route: Route, request: Request) -> None:
        sent.append(request.url.rpartition("/")[2])
        if len(sent) == 2:
            visitor.context.set_offline(True)
            route.abort()
        else:
            route.continue_()

    page.route("**/v1/uploads/*", cut)
    page.click("[data-start]")
    expect(page.locator("[data-phase]")).to_have_text(says(visitor, "phase-offline"))
    assert says(visitor, "is-waiting") in states(visitor)
    visitor.looks()
    # Closed, and opened again once there is a line: what was chosen is still there, and goes on by itself.
    visitor.reopens(device)
    visitor.context.set_offline(False)
    page = visitor.page
    visitor.opens("/add")
    expect(page.locator("[data-phase]")).to_have_text(says(visitor, "phase-finished", n=4))
    # One of them somebody else has registered before.
    expect(page.locator("[data-files]")).to_contain_text(says(visitor, "met"))
    assert sorted(states(visitor)) == sorted([says(visitor, "is-done")] * 3 + [says(visitor, "is-met")])
    visitor.looks()
    visitor.goes("[data-sign] button")
    assert page.locator("#terms [name=w]").count() == 4
    visitor.signs()
    visitor.opens("/add")
    expect(page.locator("[data-list]")).to_be_hidden()  # what is signed has left the list
    visitor.opens("/works")
    titles = page.locator(".label .t").all_inner_texts()
    assert len(titles) == 5
    assert any("salt (2)" in each for each in titles)
    visitor.looks()
    assert not visitor.faults


def test_by_fingerprint_alone_no_file_leaves(browser: Browser, service: Service, tmp_path: Path) -> None:
    with visiting(browser, f"http://localhost:{service.port}", "en") as visitor:
        visitor.passkeys()
        visitor.joins("At Home")
        page = visitor.page
        sent: list[int] = []
        page.on("request", lambda each: sent.append(len(each.post_data_buffer or b"")))
        files = []
        for number in range(501):
            files.append(tmp_path / f"{number:03}.bmp")
            files[-1].write_bytes(b"BM" + number.to_bytes(4, "big") + bytes(6_000))
        visitor.opens("/add")
        page.check("[value=fingerprint-only]")
        page.set_input_files("#picture", files)
        expect(page.locator("[data-notes]")).to_have_text(says(visitor, "too-many", n=501, all=500, more=1))
        # Not `expect`: at every look in vain it describes the whole page, five hundred rows of it.
        page.wait_for_selector("[data-start]", state="visible")
        assert page.inner_text("[data-start]") == says(visitor, "start", n=500)
        page.click("[data-files] li:first-child button")
        expect(page.locator("[data-start]")).to_have_text(says(visitor, "start", n=499))
        finished = says(visitor, "phase-finished", n=499)
        # The session has ended meanwhile: signed in again, it goes on from there.
        visitor.context.clear_cookies()
        page.click("[data-start]")
        expect(page.locator("[data-phase]")).to_have_text(says(visitor, "phase-signin"))
        visitor.goes("[data-signin]")
        visitor.goes("[data-sign-in] button")
        page.wait_for_function(
            "said => document.querySelector('[data-phase]').innerText === said", arg=finished, polling=250
        )
        assert max(sent) < 200_000  # of three million bytes: names and fingerprints
        visitor.goes("[data-sign] button")
        visitor.signs()
        kept = page.evaluate("fetch('/v1/works?limit=1').then(answer => answer.json()).then(found => found.items[0])")
        assert (kept["mode"], kept["state"] != "unsigned") == ("fingerprint-only", True)
        assert not visitor.faults


def test_without_scripts_a_form_does_it(browser: Browser, service: Service, tmp_path: Path) -> None:
    url = f"http://localhost:{service.port}"
    with visiting(browser, url, "zh") as visitor:
        visitor.passkeys()
        visitor.joins("素")
        state = visitor.context.storage_state()
    with visiting(browser, url, "zh", java_script_enabled=False, storage_state=state) as plain:
        file = tmp_path / "海.png"
        file.write_bytes(drawn(300))
        plain.opens("/add")
        assert plain.page.locator("[data-ways]").is_hidden()
        plain.page.set_input_files("#picture", file)
        plain.goes("#add button")
        plain.goes("[name=w] ~ .acts button")
        assert plain.page.locator("#terms [name=w]").count() == 1
