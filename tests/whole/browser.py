"""Chromium without a window, authenticators that exist in software only, and the few lines that a page needs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

PATIENCE = 120_000.0  # milliseconds: what never comes is ended, a busy machine is not
INSTALL = "apt-get install -y --no-install-recommends chromium-headless-shell (or chromium)"
#: The same engine without what draws windows takes half the processor, so it comes first.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PAGE = """
const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=+$/, '');
window.licet = {
    async post(path, body, method = 'POST') {
        const headers = {'Content-Type': 'application/json', 'Idempotency-Key': `"${crypto.randomUUID()}"`};
        const answer = await fetch(path, {method, headers, body: body === null ? undefined : JSON.stringify(body)});
        const said = await answer.text();
        return {status: answer.status, body: said ? JSON.parse(said) : null};
    },
    async create(options) {
        const made = await navigator.credentials.create(
            {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)});
        return {
            credential: text(made.rawId),
            attestation_object: text(made.response.attestationObject),
            client_data: text(made.response.clientDataJSON),
        };
    },
    async get(options) {
        const got = await navigator.credentials.get(
            {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)});
        return {
            credential: text(got.rawId),
            authenticator_data: text(got.response.authenticatorData),
            client_data: text(got.response.clientDataJSON),
            signature: text(got.response.signature),
        };
    },
};
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium for the block; the test is skipped where there is none, unless ``CI`` says that there must be."""
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"Chromium is missing: {INSTALL}")
        pytest.skip(f"Chromium is missing; to run the tests in a browser: {INSTALL}")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"], headless=True)
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """A page on ``url`` with its own cookies and authenticators."""

    def __init__(self, browser: Browser, url: str) -> None:
        # Stands for a page of the portal: what the service answers to a program lets no script speak to it.
        self.context = browser.new_context(bypass_csp=True)
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self.page.goto(url)
        self.page.evaluate(PAGE)
        self.cdp: CDPSession = self.context.new_cdp_session(self.page)
        self.cdp.send("WebAuthn.enable")

    def authenticator(self, transport: str = "internal", *, verifies: bool = True) -> str:
        """Plug in an authenticator and return its id; a page has one ``internal`` one. ``verifies``: it knows users."""
        options = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": verifies,
            "isUserVerified": verifies,
            "automaticPresenceSimulation": True,
        }
        added: dict[str, Any] = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return str(added["authenticatorId"])

    def unplug(self, authenticator: str) -> None:
        """Take an authenticator away, with everything on it."""
        self.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": authenticator})

    def touched(self, authenticator: str, *, touched: bool) -> None:
        """Let somebody touch the authenticator whenever it is asked, or nobody."""
        arguments = {"authenticatorId": authenticator, "enabled": touched}
        self.cdp.send("WebAuthn.setAutomaticPresenceSimulation", arguments)

    def knows_user(self, authenticator: str, *, verifies: bool) -> None:
        """Let the authenticator recognise its user, or not."""
        arguments = {"authenticatorId": authenticator, "isUserVerified": verifies}
        self.cdp.send("WebAuthn.setUserVerified", arguments)

    def post(self, path: str, body: Any = None, method: str = "POST") -> tuple[int, Any]:
        """Send a request as the page, and return status and body."""
        answer = self.page.evaluate("([p, b, m]) => licet.post(p, b, m)", [path, body, method])
        return answer["status"], answer["body"]

    def create(self, options: dict[str, Any]) -> dict[str, str]:
        """Make a passkey."""
        made: dict[str, str] = self.page.evaluate("options => licet.create(options)", options)
        return made

    def get(self, options: dict[str, Any]) -> dict[str, str]:
        """Use a passkey."""
        got: dict[str, str] = self.page.evaluate("options => licet.get(options)", options)
        return got

    def close(self) -> None:
        """Close the page with everything that it kept."""
        self.context.close()
