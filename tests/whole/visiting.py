"""Somebody at the portal in a real browser: pages as they are sent, a passkey in software, what axe says of each."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import resources
from typing import Any, Final

from playwright.sync_api import Browser, ConsoleMessage, Page

from licet import identifiers
from tests.whole.browser import PATIENCE

#: Width and height of a small phone and of a desktop.
SIZES: Final = {"phone": (320, 640), "desktop": (1280, 900)}
#: A desktop of 1280 × 1024 at 400 %.
ZOOMED: Final = {"width": 320, "height": 256}
_LOCALES: Final = {"en": "en-GB", "zh": "zh-CN"}
_RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_POST: Final = """async ([path, body, method, type]) => {
    const bytes = type === 'application/json' ? body : Uint8Array.from(atob(body), each => each.charCodeAt(0));
    const headers = {'Content-Type': type, 'Idempotency-Key': `"${crypto.randomUUID()}"`};
    const answer = await fetch(path, {method, headers, body: bytes});
    return [answer.status, await answer.text()];
}"""
#: What of a page is cut off or stands beside the window, and what has the focus without being seen.
_AMISS: Final = """() => {
    const found = [], root = document.documentElement, shown = element => element.outerHTML.slice(0, 160);
    if (root.scrollWidth > root.clientWidth) found.push(['wider than the window', root.scrollWidth]);
    // What is not meant to be seen.
    const aside = element => element.closest('.vh, .skip, noscript, template')
        || getComputedStyle(element).clipPath === 'inset(50%)';
    const scrolls = element => /auto|scroll/.test(getComputedStyle(element).overflowX);
    for (const each of document.body.querySelectorAll('*')) {
        const style = getComputedStyle(each), cuts = /hidden|clip/;
        if (!each.checkVisibility() || aside(each) || each.matches('input, select')) continue;  // a value scrolls
        if (cuts.test(style.overflowX) && each.scrollWidth > each.clientWidth + 1
            || cuts.test(style.overflowY) && each.scrollHeight > each.clientHeight + 1)
            found.push(['cut off', shown(each)]);
    }
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
    while (texts.nextNode()) {
        const parent = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !parent.checkVisibility()) continue;
        let outer = parent, free = false;
        for (; outer && !free; outer = outer.parentElement) free = aside(outer) || scrolls(outer);
        range.selectNodeContents(texts.currentNode);
        const boxes = [...range.getClientRects()].filter(box => box.width);
        if (!free && boxes.some(box => box.left < -1 || box.right > innerWidth + 1))
            found.push(['beside the window', shown(parent)]);
    }
    const reached = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    for (const each of document.querySelectorAll(reached)) {
        if (!each.checkVisibility() || each.disabled || each.type === 'hidden') continue;
        each.focus({focusVisible: true});
        if (document.activeElement !== each) continue;
        const box = each.getBoundingClientRect(), middle = Math.min(Math.max(box.x + box.width / 2, 1), innerWidth - 1);
        const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
        if (bottom <= top) { found.push(['not in the window', shown(each)]); continue; }
        // What stays in its place while the page moves, such as a bar at the foot.
        for (const y of [top + 2, (top + bottom) / 2, bottom - 2]) {
            let over = document.elementFromPoint(middle, y);
            while (over && !/sticky|fixed/.test(getComputedStyle(over).position)) over = over.parentElement;
            if (over && !over.contains(each)) { found.push(['under something', shown(each), shown(over)]); break; }
        }
        const marked = [each, each.closest('label'), each.closest('.pic')?.querySelector('img')].some(one => {
            const style = one && getComputedStyle(one);
            return style && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
        });
        if (!marked) found.push(['no sign of the focus', shown(each)]);
    }
    document.activeElement.blur();
    scrollTo(0, 0);
    return found;
}"""

#: Moments that stand in a column too narrow for them, over what is beside it.
_TIMES_RUN_OVER: Final = """[...document.querySelectorAll('time')]
    .filter(each => getComputedStyle(each).display !== 'inline' && each.scrollWidth > each.clientWidth)
    .map(each => each.innerText)"""

#: A navigation of many rows, and codes that are broken although a line of their own would hold them.
_CROWDED: Final = """() => {
    const shown = [...document.querySelectorAll('.nav a')].filter(each => each.checkVisibility());
    const rows = new Set(shown.map(each => Math.round(each.getBoundingClientRect().top))).size;
    const broken = [...document.querySelectorAll('.fold td[data-l] code')].filter(each => {
        const lines = [...each.getClientRects()], whole = lines.reduce((width, line) => width + line.width, 0);
        const cell = each.closest('td');
        return getComputedStyle(cell).display === 'flex' && lines.length > 1 && whole <= cell.clientWidth;
    }).map(each => each.innerText);
    return [...(rows > 2 ? [`${rows} rows of navigation`] : []), ...broken];
}"""

#: The fields that reach beyond the part of the page that they stand in.
_STICKS_OUT: Final = """() => [...document.querySelectorAll('.field :is(input, select, textarea)')].filter(each => {
    const around = each.closest('.field').parentElement.getBoundingClientRect();
    return each.checkVisibility() && each.getBoundingClientRect().right > around.right + 1;
}).map(each => each.name)"""

#: Cells that a phone shows as a line of their label and more than one thing, each in a column of a few letters.
_PARTED: Final = """() => [...document.querySelectorAll('.fold td[data-l]')].filter(cell => {
    const things = [...cell.childNodes].filter(each => each.tagName !== 'BR' && each.textContent.trim());
    return getComputedStyle(cell).display === 'flex' && things.length > 1;
}).map(cell => cell.outerHTML.slice(0, 200))"""


@functools.cache
def _axe() -> str:
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()


@contextmanager
def leaving(page: Page) -> Iterator[None]:
    """What is done in the block, once the page is whole, leads to another one, which is whole at its end.

    Whole with its scripts: before they are there, a button sends its form as it is, and keys are not heard. Not an
    address is waited for, because it may be there already, and a page may change its own before it is left.
    """
    page.wait_for_load_state()
    with page.expect_event("load"):
        yield


def signs(page: Page, where: str) -> str:
    """Sign what is on the page and follow to ``where``; returns the last segment of the address."""
    page.wait_for_selector("button[data-sign]")
    with leaving(page):
        page.click("button[data-sign]")
    page.wait_for_url(where)
    return page.url.rpartition("/")[2]


class Visitor:
    """A browser of one's own, in one language; whatever a page's policy refuses, or a script throws, is remembered."""

    def __init__(self, browser: Browser, url: str, language: str, **context: Any) -> None:
        self.url, self.language = url, language
        self.context = browser.new_context(locale=_LOCALES[language], **context)
        self.context.set_default_timeout(PATIENCE)
        self.faults: list[str] = []
        self._tab()

    def _tab(self) -> None:
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._heard)
        self.cdp = self.context.new_cdp_session(self.page)
        self.cdp.send("WebAuthn.enable")

    def reopens(self, authenticator: str) -> None:
        """Close the tab and open an empty one in the same browser, with the passkeys of ``authenticator``."""
        held = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
        self.page.close()
        self._tab()
        again = self.passkeys()
        for each in held:
            self.cdp.send("WebAuthn.addCredential", {"authenticatorId": again, "credential": each})

    def _heard(self, message: ConsoleMessage) -> None:
        # What was refused with a status is a page of its own; everything else that is an error is a fault of ours.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(message.text)

    def passkeys(self, transport: str = "internal") -> str:
        """Plug in an authenticator that knows its user and is touched whenever it asks; one may be ``internal``."""
        options = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        return str(self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"])

    def touched(self, authenticator: str, *, touched: bool) -> None:
        """Let somebody touch the authenticator whenever it asks, or refuse."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": touched})

    def keeps(self, name: str, value: str) -> None:
        """Hold a cookie that the service gave elsewhere."""
        host = {"domain": "localhost", "path": "/", "secure": True, "httpOnly": True, "sameSite": "Lax"}
        self.context.add_cookies([{"name": name, "value": value, **host}])  # type: ignore[typeddict-item]

    def opens(self, path: str) -> int:
        """Open a page in the visitor's language and return the status."""
        answer = self.page.goto(f"{self.url}/{self.language}{path}")
        assert answer is not None
        return answer.status

    def goes(self, selector: str) -> None:
        """Click what leads to another page, and wait until that one is whole."""
        with leaving(self.page):
            self.page.click(selector)

    def joins(self, name: str, *, team: bool = False) -> None:
        """Open an account with a passkey, an artist's or a team's."""
        self.opens("/join?as=team" if team else "/join")
        self.page.fill("#name", name)
        self.page.click("[data-join] button")
        self.page.wait_for_url(f"**/{self.language}/{'organisation' if team else 'home'}")

    def signs(self, where: str = "**/statements/*") -> str:
        """Sign what is on the page, and return the id that the page after it is about: the receipt's statement."""
        return signs(self.page, where)

    def registers(self, *titles: str, pictures: tuple[bytes, ...] = ()) -> list[str]:
        """Register works by the API in the session: of ``pictures`` with their files, else by fingerprint alone."""
        works = []
        for number, title in enumerate(titles):
            found: dict[str, Any] = {"work": identifiers.new_id("wrk"), "mode": "fingerprint-only", "title": title}
            found["sha256"] = sha256(found["work"].encode()).hexdigest()
            if number < len(pictures):
                found |= {"mode": "upload", "sha256": sha256(pictures[number]).hexdigest()}
                sent = base64.b64encode(pictures[number]).decode()
                self._sends(f"/v1/uploads/{found['sha256']}", sent, "PUT", "application/octet-stream")
            works.append(found)
        self._sends("/v1/works", {"works": works}, "POST", "application/json")
        return [each["work"] for each in works]

    def _sends(self, path: str, body: Any, method: str, kind: str) -> None:
        sent = json.dumps(body) if kind == "application/json" else body
        status, said = self.page.evaluate(_POST, [path, sent, method, kind])
        assert status in (200, 201), said

    def looks(self, *sizes: str) -> None:
        """Hold the page, once it is whole, to what anybody must be able to use: in ``sizes``, without any in all."""
        self.page.wait_for_load_state()
        before = self.page.viewport_size
        for name in sizes or SIZES:
            width, height = SIZES[name]
            self.page.set_viewport_size({"width": width, "height": height})
            found = self._violations()
            assert not found, (name, self.page.url, found)
            wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{self.page.url} is {wide} pixels wider than a {name}"
            assert not self.page.evaluate(_STICKS_OUT), (self.page.url, name)
            assert not self.page.evaluate(_TIMES_RUN_OVER), (self.page.url, name)
            crowded = self.page.evaluate(_CROWDED)
            assert not crowded, (self.page.url, name, crowded)
            parted = self.page.evaluate(_PARTED)
            assert not parted, (self.page.url, name, parted)
        assert not self.faults, self.faults
        if before is not None:
            self.page.set_viewport_size(before)

    def zooms(self) -> None:
        """Hold the page, as it stands, to 400 %: nothing is cut off or covered, and what has the focus is seen."""
        self.page.set_viewport_size(ZOOMED)  # type: ignore[arg-type]
        found = self.page.evaluate(_AMISS)
        assert not found, (self.page.url, found)

    def _violations(self) -> list[Any]:
        # By the debugger, not by the page: its policy lets no script in that it did not send.
        if not self.page.evaluate("'axe' in window"):
            self.cdp.send("Runtime.evaluate", {"expression": _axe()})
        said = self.cdp.send(
            "Runtime.evaluate",
            {
                "expression": f"axe.run(document, {{runOnly: {list(_RULES)}, resultTypes: ['violations'], "
                "selectors: false})"
                ".then(found => found.violations)"
                ".then(found => found.map(each => [each.id, each.nodes.map(node => node.html.slice(0, 200))]))",
                "awaitPromise": True,
                "returnByValue": True,
            },
        )
        assert "exceptionDetails" not in said, said
        found: list[Any] = said["result"]["value"]
        return found

    def close(self) -> None:
        """Close the browser's window with everything that it kept."""
        self.context.close()


@contextmanager
def visiting(browser: Browser, url: str, language: str, **context: Any) -> Iterator[Visitor]:
    """A visitor for the block."""
    visitor = Visitor(browser, url, language, **context)
    try:
        yield visitor
    finally:
        visitor.close()
