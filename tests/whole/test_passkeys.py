"""Passkeys in a real browser (semantics 1 to 3): made, used to sign in and to sign; lost, revoked, lied about."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser

from licet import canonical, identifiers, times
from licet.canonical import from_base64, to_base64
from licet.statements import kinds
from licet.statements.envelope import pae
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.statements.webauthn import from_base64url, to_base64url
from licet.terms.atoms import ATOMS
from licet.wire.common import StatementFile
from tests.whole.browser import Tab, chromium
from tests.whole.stage import Service

KEY_REGISTER = "application/vnd.licet.key-register+json"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Tab]:
    tab = Tab(browser, f"http://localhost:{service.port}/")
    yield tab
    tab.close()


class Mei:
    """An artist who has nothing but a browser and a passkey in it."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.device = tab.authenticator()
        drafted = self.make()
        envelope = self.sealed(from_base64(drafted["payload"]), drafted["payload_type"], drafted["keyid"])
        status, created = tab.post("/v1/accounts", {"name": "Mei", "envelope": envelope})
        assert status == 201, created
        self.id, self.genesis, self.keyid = created["account"], created["genesis"], drafted["keyid"]
        self.credential = self.last

    def make(self) -> dict[str, Any]:
        """Make a passkey, and return what it has to sign."""
        status, options = self.tab.post("/v1/passkeys/options", {"name": "Mei"})
        assert status == 200, options
        created = self.tab.create(options["publicKey"])
        self.last = created["credential"]
        status, drafted = self.tab.post("/v1/passkeys", created)
        assert status == 200, drafted
        return dict(drafted)

    def adds_another(self) -> tuple[str, Any, str, str]:
        """Add a passkey on a second device; return the device, its credential, its key and the statement."""
        first = self.last
        # The second device makes its passkey, proves possession; then the first one agrees.
        self.tab.touched(self.device, touched=False)
        device = self.tab.authenticator("usb")
        drafted = self.make()
        body = from_base64(drafted["payload"])
        envelope = self.sealed(body, KEY_REGISTER, drafted["keyid"])
        second, self.last = self.last, first
        self.tab.touched(device, touched=False)
        self.tab.touched(self.device, touched=True)
        envelope["signatures"].append(self.signature(body, KEY_REGISTER, self.keyid))
        status, added = self.tab.post("/v1/keys", {"envelope": envelope})
        assert status == 201, added
        assert added["keyid"] == drafted["keyid"]
        return device, second, drafted["keyid"], added["statement"]

    def signature(self, body: bytes, payload_type: str, keyid: str, **lies: Any) -> dict[str, Any]:
        """Sign a statement with the passkey at hand."""
        challenge = sha256(pae(payload_type, body)).digest()
        options = {
            "challenge": to_base64url(challenge),
            "rpId": "localhost",
            "userVerification": "required",
            "allowCredentials": [{"type": "public-key", "id": self.last}],
            **lies,
        }
        got = self.tab.get(options)
        assertion = {
            "authenticatorData": _standard(got["authenticator_data"]),
            "clientDataJSON": _standard(got["client_data"]),
        }
        return {"keyid": keyid, "sig": _standard(got["signature"]), "webauthn": assertion}

    def sealed(self, body: bytes, payload_type: str, keyid: str, **lies: Any) -> dict[str, Any]:
        """Return the signed envelope of a statement."""
        signature = self.signature(body, payload_type, keyid, **lies)
        return {"payload": to_base64(body), "payloadType": payload_type, "signatures": [signature]}

    def signs_in(self) -> tuple[int, Any]:
        """Open a session."""
        options = self.tab.post("/v1/sessions/options")[1]["publicKey"]
        return self.tab.post("/v1/sessions", self.tab.get(options))

    def registers(self) -> list[str]:
        """Register a work in the session, and return it."""
        work = {
            "work": identifiers.new_id("wrk"),
            "mode": "fingerprint-only",
            "sha256": sha256(self.id.encode()).hexdigest(),
        }
        status, registered = self.tab.post("/v1/works", {"works": [work]})
        assert status == 201, registered
        return [registered["items"][0]["work"]]

    def drafts(self, works: list[str], terms: Any) -> tuple[bytes, str]:
        """Ask for the bytes to sign."""
        status, drafted = self.tab.post("/v1/statements/draft", {"works": works, "terms": terms})
        assert status == 200, drafted
        return from_base64(drafted["payload"]), drafted["payload_type"]

    def states(self, works: list[str], terms: Any) -> tuple[int, Any]:
        """Sign terms for works, as they were drafted."""
        body, payload_type = self.drafts(works, terms)
        return self.tab.post(
            "/v1/statements", {"envelope": self.sealed(body, payload_type, self.keyid), "works": works}
        )

    def statement(self, schema: Any, **fields: Any) -> bytes:
        """Return the bytes of a key statement of this account."""
        status, registry = self.tab.post("/v1/registry", method="GET")
        assert status == 200
        ref = kinds.RegistryRef(registry["origin"], registry["key"])
        now, nonce = times.to_text(times.now()), identifiers.new_uuid().hex
        payload = schema(registry=ref, account=self.id, genesis=self.genesis, issued_at=now, nonce=nonce, **fields)
        return canonical.encode(payload)


DENY = {atom: {"permission": "deny"} for atom in ATOMS}


def _standard(text: str) -> str:
    return to_base64(from_base64url(text, "text"))


def _verified(tab: Tab, service: Service, statement: str) -> list[str]:
    """What a stranger who knows only the root makes of a statement's file."""
    status, raw = tab.post(f"/v1/statements/{statement}", method="GET")
    assert status == 200, raw
    registry = tab.post("/v1/registry", method="GET")[1]
    file = msgspec.convert(raw, StatementFile)
    return verify_statement_file(file, Trust(registry["origin"], registry["root"])).checks


def test_an_artist_joins_signs_in_and_signs_with_a_passkey_alone(page: Tab, service: Service) -> None:
    mei = Mei(page)
    assert page.post("/v1/me", method="GET")[0] == 401
    status, session = mei.signs_in()
    assert (status, session["account"], session["keyid"]) == (201, mei.id, mei.keyid)
    cookie = next(each for each in page.context.cookies() if each["name"] == "__Host-sid")
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
    assert page.page.evaluate("document.cookie") == ""
    works = mei.registers()
    status, accepted = mei.states(works, DENY)
    assert status == 201, accepted
    checks = _verified(page, service, accepted["statement"])
    assert any(mei.keyid in check for check in checks)
    assert page.post("/v1/sessions/current", method="DELETE")[0] == 204
    assert page.post("/v1/me", method="GET")[0] == 401


def test_a_user_whom_the_authenticator_does_not_know_gets_nowhere(page: Tab) -> None:
    mei = Mei(page)
    mei.signs_in()
    works = mei.registers()
    body, payload_type = mei.drafts(works, DENY)
    page.knows_user(mei.device, verifies=False)
    envelope = mei.sealed(body, payload_type, mei.keyid, userVerification="discouraged")
    status, refused = page.post("/v1/statements", {"envelope": envelope, "works": works})
    assert status == 400
    assert "flag UV" in refused["detail"]
    options = page.post("/v1/sessions/options")[1]["publicKey"]
    named = [{"type": "public-key", "id": mei.last}]
    lax = {**options, "userVerification": "discouraged", "allowCredentials": named}
    status, refused = page.post("/v1/sessions", page.get(lax))
    assert status == 403
    assert "flag UV" in refused["detail"]
    options = page.post("/v1/passkeys/options", {"name": "Mei"})[1]["publicKey"]
    page.unplug(mei.device)
    page.authenticator("usb", verifies=False)
    lax = {"userVerification": "discouraged", "residentKey": "discouraged"}
    created = page.create({**options, "excludeCredentials": [], "authenticatorSelection": lax})
    assert page.post("/v1/passkeys", created)[0] == 400


def test_a_page_of_another_origin_signs_nothing_with_our_passkey(page: Tab, browser: Browser) -> None:
    mei = Mei(page)
    mei.signs_in()
    works = mei.registers()
    body, payload_type = mei.drafts(works, DENY)
    credentials = page.cdp.send("WebAuthn.getCredentials", {"authenticatorId": mei.device})["credentials"]
    with _elsewhere() as url:
        lying = Tab(browser, url)
        device = lying.authenticator()
        for each in credentials:
            lying.cdp.send("WebAuthn.addCredential", {"authenticatorId": device, "credential": each})
        mei.tab = lying
        envelope = mei.sealed(body, payload_type, mei.keyid)
        options = page.post("/v1/sessions/options")[1]["publicKey"]
        answer = lying.get(options)
        lying.close()
    mei.tab = page
    status, refused = page.post("/v1/statements", {"envelope": envelope, "works": works})
    assert status == 400
    assert "origin: expected" in refused["detail"]
    status, refused = page.post("/v1/sessions", answer)
    assert status == 403
    assert "origin: expected" in refused["detail"]


def test_another_sites_page_cannot_use_the_session(page: Tab, browser: Browser, service: Service) -> None:
    mei = Mei(page)
    mei.signs_in()
    with _elsewhere() as url:
        page.page.goto(url)
        send = """async url => { try { await fetch(url, {method: 'POST', credentials: 'include', mode: 'no-cors',
            }); return 'sent' } catch { return 'refused' } }"""
        # Another port of the same host is the same site to a browser: the cookie travels, and the origin tells.
        with page.page.expect_response("**/v1/sessions/step-up/options") as answered:
            page.page.evaluate(send, f"http://localhost:{service.port}/v1/sessions/step-up/options")
        assert answered.value.status == 403


def test_an_answer_counts_once(page: Tab) -> None:
    mei = Mei(page)
    options = page.post("/v1/sessions/options")[1]["publicKey"]
    answer = page.get(options)
    assert page.post("/v1/sessions", answer)[0] == 201
    status, refused = page.post("/v1/sessions", answer)
    assert status == 403
    assert "not answered before" in refused["detail"]
    options = page.post("/v1/sessions/options")[1]["publicKey"]
    status, refused = page.post("/v1/sessions/step-up", page.get(options))
    assert status == 403
    options = page.post("/v1/passkeys/options", {"name": "Mei"})[1]["publicKey"]
    page.authenticator("usb")
    page.unplug(mei.device)
    created = page.create(options)
    assert page.post("/v1/passkeys", created)[0] == 200
    assert page.post("/v1/passkeys", created)[0] == 403


def test_a_tampered_statement_was_not_signed(page: Tab) -> None:
    mei = Mei(page)
    mei.signs_in()
    works = mei.registers()
    body, payload_type = mei.drafts(works, DENY)
    envelope = mei.sealed(body, payload_type, mei.keyid)
    other, _ = mei.drafts(works, DENY)  # the same terms with another nonce
    assert other != body
    status, refused = page.post(
        "/v1/statements", {"envelope": {**envelope, "payload": to_base64(other)}, "works": works}
    )
    assert status == 400
    assert "digest of this statement" in refused["detail"]
    assert page.post("/v1/statements", {"envelope": envelope, "works": works})[0] == 201


def test_a_second_passkey_saves_who_loses_the_first(page: Tab, service: Service) -> None:
    mei = Mei(page)
    mei.signs_in()
    first_device, first_key = mei.device, mei.keyid
    second_device, second, second_key, statement = mei.adds_another()
    _verified(page, service, statement)
    # The first one is lost.
    page.unplug(first_device)
    page.touched(second_device, touched=True)
    mei.last, mei.keyid = second, second_key
    assert mei.signs_in()[0] == 201
    ending = mei.statement(kinds.KeyRevoke, keyid=first_key, from_index=None)
    revoke = mei.sealed(ending, "application/vnd.licet.key-revoke+json", mei.keyid)
    status, revoked = page.post(f"/v1/keys/{first_key}/revoke", {"envelope": revoke})
    assert status == 201, revoked
    works = mei.registers()
    status, accepted = mei.states(works, DENY)
    assert status == 201, accepted
    _verified(page, service, accepted["statement"])


def test_a_revoked_passkey_opens_nothing_and_its_sessions_end(page: Tab) -> None:
    mei = Mei(page)
    mei.signs_in()
    assert page.post("/v1/me", method="GET")[0] == 200
    ending = mei.statement(kinds.KeyRevoke, keyid=mei.keyid, from_index=None)
    revoke = mei.sealed(ending, "application/vnd.licet.key-revoke+json", mei.keyid)
    status, refused = page.post(f"/v1/keys/{mei.keyid}/revoke", {"envelope": revoke})
    assert status == 409, "the last key stays"
    mei.adds_another()
    ending = mei.statement(kinds.KeyRevoke, keyid=mei.keyid, from_index=None)
    revoke = mei.sealed(ending, "application/vnd.licet.key-revoke+json", mei.keyid)
    assert page.post(f"/v1/keys/{mei.keyid}/revoke", {"envelope": revoke})[0] == 201
    assert page.post("/v1/me", method="GET")[0] == 401
    status, refused = mei.signs_in()
    assert status == 403
    assert "revoked" in refused["detail"]


class _Elsewhere(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>elsewhere</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _elsewhere() -> Iterator[str]:
    """Another site's page on this machine, for the block."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
