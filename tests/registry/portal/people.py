"""People at the portal without a browser: they read forms off pages, sign with a passkey, and send what pages send."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any

import httpx
import msgspec

from licet import identifiers
from licet.canonical import from_base64, to_base64
from licet.statements import kinds
from licet.statements.envelope import pae
from licet.wire.accounts import PasskeyDrafted
from tests.registry import keymaking as make
from tests.registry.harness import Running
from tests.sdk.statements.passkey import Authenticator

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}  # as browsers do
CONSENT = "application/vnd.licet.consent+json"


class Read(HTMLParser):
    """What a page is made of: elements, words, and the fields of its forms that are filled in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.fields: list[tuple[str, str]] = []
        self._words: list[str] = []
        self._linked: list[str] = []
        self._inside = 0
        self._select = self._area = ""
        self._written: list[str] = []
        self._options: list[tuple[str | None, list[str], bool]] = []  # value, words, chosen
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._inside += tag == "a"
        self.elements.append((tag, found))
        if tag == "input" and "name" in found:
            chosen = found.get("type") not in ("radio", "checkbox") or "checked" in found
            if chosen:
                self.fields.append((found["name"], found.get("value", "")))
        if tag == "select":
            self._select, self._options = found.get("name", ""), []
        if tag == "textarea":
            self._area, self._written = found.get("name", ""), []
        if tag == "option":
            self._options.append((found.get("value"), [], "selected" in found))

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag == "a"
        if tag == "select" and self._select and self._options:
            value, words, _ = next((each for each in self._options if each[2]), self._options[0])
            self.fields.append((self._select, "".join(words).strip() if value is None else value))
            self._select = ""

        if tag == "textarea" and self._area:
            self.fields.append((self._area, "".join(self._written)))
            self._area = ""

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._area:
            self._written.append(data)
        if self._select and self._options:
            self._options[-1][1].append(data)
        if self._inside:
            self._linked.append(data)

    @property
    def linked(self) -> str:
        """What of the text leads somewhere."""
        return " ".join(self._linked)

    @property
    def text(self) -> str:
        """Everything that stands on the page."""
        return " ".join("".join(self._words).split())

    @property
    def sent(self) -> list[str]:
        """Where the forms of the page go."""
        return [each["action"] for tag, each in self.elements if tag == "form" and "action" in each]

    def links(self) -> list[str]:
        """Every address of ours that the page leads to or loads."""
        found = (each.get("href") or each.get("src") or "" for _, each in self.elements)
        return sorted({each for each in found if each.startswith("/")})


@dataclass
class Artist:
    """An account that was opened at the portal, the passkey, and a browser with the session."""

    site: Running
    id: str
    key: Authenticator
    http: httpx.AsyncClient
    works: list[str] = field(default_factory=list)

    async def registers(self, count: int) -> None:
        """Register works by fingerprint."""
        works = [
            {"work": each, "mode": "fingerprint-only", "sha256": sha256(each.encode()).hexdigest(), "title": f"No. {n}"}
            for n, each in enumerate(identifiers.new_id("wrk") for _ in range(count))
        ]
        answer = await self.site.post("/v1/works", {"works": works}, http=self.http, **make.SAME_ORIGIN)
        assert answer.status_code == 201, answer.text
        self.works += [each["work"] for each in works]

    async def form(self, path: str) -> dict[str, list[str]]:
        """Open a page and return the fields of its forms."""
        answer = await self.http.get(path, headers=HTML)
        assert answer.status_code == 200, answer.text
        return fields_of(answer.text)

    async def sends(self, path: str, form: dict[str, Any], **headers: str) -> httpx.Response:
        """Send a form as a page of ours does."""
        return await self.http.post(path, data=form, headers={**HTML, **make.SAME_ORIGIN, **headers})

    def signed(self, form: dict[str, list[str]]) -> dict[str, list[str]]:
        """Return the form with the passkey's signature over the statement in it."""
        challenge = sha256(pae(CONSENT, from_base64(form["payload"][0]))).digest()
        where = self.site.services.settings.site
        signature, assertion = self.key.answer(challenge, origin=where.origins[0], rp_id=where.rp_id)
        signs = {
            "keyid": self.key.keyid,
            "sig": to_base64(signature),
            "authenticator": assertion.authenticator_data,
            "client": assertion.client_data,
        }
        return {**form, **{name: [value] for name, value in signs.items()}}


def fields_of(html: str) -> dict[str, list[str]]:
    """Return the fields of a page's forms; those of the form of the works are all there is."""
    found: dict[str, list[str]] = {}
    for name, value in Read(html).fields:
        if name != "form" or name not in found:
            found.setdefault(name, []).append(value)
    return found


async def joining(site: Running, key: Authenticator, name: str, kind: str = "artist") -> dict[str, Any]:
    """Return what the page sends to open an account of ``kind`` with ``key``."""
    answer = await make.made(site, key, name, kind=kind)
    drafted = msgspec.json.decode(answer.content, type=PasskeyDrafted)
    payload = msgspec.json.decode(from_base64(drafted.payload), type=kinds.KeyRegister)
    return {"name": name, "envelope": msgspec.to_builtins(make.signed(site, payload, key))}


async def joined(site: Running, name: str, language: str = "en") -> Artist:
    """Open an account as the page does, and return whose it is, with the session."""
    key = make.passkey(site)
    body = await joining(site, key, name)
    answer = await site.post(f"/{language}/join", body)
    assert answer.status_code == 201, answer.text
    browser = site.client()
    browser.headers["Cookie"] = f"__Host-sid={cookie(answer, '__Host-sid')}"
    return Artist(site, (await browser.get("/v1/me")).json()["account"], key, browser)


def cookie(answer: httpx.Response, name: str) -> str:
    """Return the value of a cookie that ``answer`` sets, which must be one that no script and no other host reads."""
    for header in answer.headers.get_list("set-cookie"):
        found = SimpleCookie(header)
        if name in found:
            held = found[name]
            assert (held["httponly"], held["secure"], held["path"], held["domain"]) == (True, True, "/", "")
            return held.value
    raise AssertionError(f"{name} is not set")
