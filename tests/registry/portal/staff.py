"""Auditors and operators in browsers: invited, with a passkey in software and the session that it opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from licet import identifiers
from licet.statements.webauthn import from_base64url
from registry.accounts import operators, staff
from tests.registry import keymaking as make
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, cookie, fields_of
from tests.sdk.statements.passkey import Authenticator


@dataclass
class Staff:
    """Somebody of the staff; ``secret`` is that of the invitation which made the passkey."""

    site: Running
    id: str
    secret: str
    key: Authenticator
    http: httpx.AsyncClient

    async def form(self, path: str) -> str:
        """Return the token of the forms of a page."""
        return fields_of((await self.http.get(path, headers=HTML)).text)["form"][0]

    async def sends(self, page: str, path: str, **fields: str) -> httpx.Response:
        """Send a form that stands on ``page``."""
        body = {"form": await self.form(page), **fields}
        return await self.http.post(path, data=body, headers={**HTML, **make.SAME_ORIGIN})


async def comes_in(site: Running, secret: str, key: Authenticator, language: str = "en") -> httpx.Response:
    """Make a passkey by an invitation, as its page does, and return the last answer."""
    asked = await site.post(f"/{language}/invited/options", {"secret": secret})
    if asked.status_code != 200:
        return asked
    challenge = from_base64url(asked.json()["publicKey"]["challenge"], "challenge")
    created: dict[str, Any] = key.create(challenge, site.services.settings.site.origins[0])
    return await site.post(f"/{language}/invited", {"secret": secret, **created}, http=site.http, **make.SAME_ORIGIN)


async def employed(site: Running, role: str, name: str, *scopes: str) -> Staff:
    """Invite somebody and let them in."""
    account = await operators.enrol(site.services.database, role, name=name, scopes=scopes)
    secret = await staff.invited(site.services.database, identifiers.to_uuid(account))
    key = make.passkey(site, name)
    answer = await comes_in(site, secret, key)
    assert answer.status_code == 201, answer.text
    browser = site.client()
    browser.headers["Cookie"] = f"__Host-sid={cookie(answer, '__Host-sid')}"
    return Staff(site, account, secret, key, browser)
