"""Somebody at the portal in a real Chromium with a passkey in software; what they do is counted, as people do it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_LOCALES: Final = {"en": "en-GB", "zh": "zh-CN"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium for the block; raises ``FileNotFoundError`` where there is none."""
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    if found is None:
        raise FileNotFoundError("Chromium is missing: apt-get install -y --no-install-recommends chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"], headless=True)
        try:
            yield browser
        finally:
            browser.close()


class Person:
    """A browser of one's own at ``url`` with a passkey; ``did`` lists every tap, text, choice of files and touch."""

    def __init__(self, browser: Browser, url: str, language: str = "en", **context: Any) -> None:
        self.url, self.language = url, language
        self.context = browser.new_context(locale=_LOCALES[language], **context)
        self.page = self.context.new_page()
        self.did: list[str] = []
        self.cdp = self.context.new_cdp_session(self.page)
        for event in ("WebAuthn.credentialAdded", "WebAuthn.credentialAsserted"):
            self.cdp.on(event, lambda _: self.did.append("touch the passkey"))
        self.cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def opens(self, path: str) -> None:
        """Open a page in the person's language."""
        self.page.goto(f"{self.url}/{self.language}{path}")

    def taps(self, selector: str) -> None:
        """Tap one thing."""
        self.did.append(f"tap {' '.join(self.page.locator(selector).first.inner_text().split())!r}")
        self.page.locator(selector).first.click()

    def writes(self, selector: str, text: str) -> None:
        """Fill in one field."""
        self.did.append(f"write {text!r}")
        self.page.fill(selector, text)

    def chooses(self, selector: str, *files: Path) -> None:
        """Choose files in one dialogue."""
        self.did.append(f"choose {len(files)} files")
        self.page.set_input_files(selector, files)

    def joins(self, name: str, *, team: bool = False) -> None:
        """Open an account with a passkey, an artist's or a team's."""
        self.opens("/join?as=team" if team else "/join")
        self.writes("#name", name)
        self.taps("[data-join] button")
        self.page.wait_for_url(f"**/{self.language}/{'organisation' if team else 'home'}")

    def signs(self) -> str:
        """Sign the terms on the page and return the statement of the receipt."""
        self.taps("[data-sign]")
        self.page.wait_for_url("**/statements/*")
        return self.page.url.rpartition("/")[2]

    def cookies(self) -> dict[str, str]:
        """Return the cookies of the session, for those who ask without a browser."""
        return {each["name"]: each["value"] for each in self.context.cookies()}
