"""Key statements as an account's owner makes them, and the authenticators that sign some of them."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from http.cookies import SimpleCookie
from typing import Any

import httpx
import msgspec

from licet import identifiers, times
from licet.canonical import from_base64
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.webauthn import from_base64url, to_base64url
from licet.wire.accounts import KeyAccepted
from tests.registry.harness import Account, Running
from tests.sdk.statements.passkey import Authenticator, sealed

Key = SigningKey | Authenticator


def passkey(site: Running, name: str = "hers", **changes: Any) -> Authenticator:
    """Return a passkey that was made on a page of the service."""
    where = site.services.settings.site
    return Authenticator(f"{name} {identifiers.new_uuid()}", origins=where.origins, rp_id=where.rp_id, **changes)


def public(key: Key) -> kinds.AnyKey:
    """Return ``key`` as statements name it."""
    return key.passkey if isinstance(key, Authenticator) else kinds.PublicKey(key.public.hex())


def registration(site: Running, account: Account, key: Key, key_class: str = "root", **changes: Any) -> Any:
    """Return the payload that adds ``key``."""
    fields: dict[str, Any] = {
        "registry": site.services.keys.ref,
        "account": account.id,
        "kind": "artist" if account.id.startswith("art") else "organisation",
        "genesis": account.genesis,
        "key": public(key),
        "key_class": key_class,
        **_now(),
        **changes,
    }
    return kinds.KeyRegister(**fields)


def rotation(site: Running, account: Account, replaces: str, key: Key) -> kinds.KeyRotate:
    """Return the payload that puts ``key`` in the place of ``replaces``."""
    return kinds.KeyRotate(**_of(site, account), replaces=replaces, key=public(key))


def revocation(site: Running, account: Account, keyid: str, start: int | None = None) -> kinds.KeyRevoke:
    """Return the payload that ends ``keyid``."""
    return kinds.KeyRevoke(**_of(site, account), keyid=keyid, from_index=start)


def delegation(site: Running, account: Account, keyid: str, *scope: str, days: float = 30, **limit: Any) -> Any:
    """Return the payload that lets ``keyid`` sign statements of the kinds in ``scope``."""
    until = times.to_text(times.now() + timedelta(days=days))
    bounds = kinds.Limit(limit.get("works"), limit.get("budget", []))
    return kinds.Delegation(**_of(site, account), keyid=keyid, scope=sorted(scope), limit=bounds, valid_until=until)


def codes(site: Running, account: Account, *codes: str) -> kinds.RecoveryCodes:
    """Return the payload that lets ``codes`` recover the account."""
    digests = sorted(sha256(code.encode()).hexdigest() for code in codes)
    return kinds.RecoveryCodes(**_of(site, account), digests=digests)


def wish(site: Running, account: Account, *scopes: str, **changes: Any) -> kinds.TokenRequest:
    """Return the payload that asks for a token of ``scopes``, whatever the present one may do."""
    return kinds.TokenRequest(**{**_of(site, account), "scopes": sorted(scopes), **changes})


async def granted(site: Running, account: Account, payload: kinds.TokenRequest, key: Key | None = None) -> Any:
    """Ask for the token that ``payload`` wishes for, signed by ``key`` (by default the account's)."""
    envelope = signed(site, payload, key or account.key)
    body = {"scopes": payload.scopes, "expires_in_days": 1, "envelope": msgspec.to_builtins(envelope)}
    return await site.post("/v1/tokens", body, http=account.http)


async def eraser(site: Running, account: Account) -> httpx.AsyncClient:
    """Return a client with a token that may erase ``account``, which its key has signed for."""
    answer = await granted(site, account, wish(site, account, "erase"))
    assert answer.status_code == 201, answer.text
    return site.client(answer.json()["token"])


SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


async def made(
    site: Running, key: Authenticator, name: str, http: httpx.AsyncClient | None = None, kind: str = "artist"
) -> httpx.Response:
    """Let ``key`` be made as a browser would, and return what the service drafts for it."""
    client = http or site.http
    wanted = {"name": name, "kind": kind}
    options = (await client.post("/v1/passkeys/options", json=wanted, headers=SAME_ORIGIN)).json()["publicKey"]
    origin = site.services.settings.site.origins[0]
    created = key.create(from_base64url(options["challenge"], "challenge"), origin)
    return await client.post("/v1/passkeys", json=created, headers=SAME_ORIGIN)


async def signed_in(site: Running, key: Authenticator) -> httpx.AsyncClient:
    """Return a browser in which ``key`` has opened a session."""
    options = (await site.http.post("/v1/sessions/options")).json()["publicKey"]
    answer = await site.post("/v1/sessions", answered(site, key, options["challenge"]))
    assert answer.status_code == 201, answer.text
    cookie = SimpleCookie(answer.headers["set-cookie"])["__Host-sid"]
    assert (cookie["httponly"], cookie["secure"], cookie["path"], cookie["domain"]) == (True, True, "/", "")
    browser = site.client()
    browser.headers["Cookie"] = f"__Host-sid={cookie.value}"
    return browser


async def stepped_up(site: Running, key: Authenticator, browser: httpx.AsyncClient) -> httpx.Response:
    """Let ``key`` raise the session of ``browser``."""
    options = (await browser.post("/v1/sessions/step-up/options", headers=SAME_ORIGIN)).json()["publicKey"]
    body = answered(site, key, options["challenge"])
    return await site.post("/v1/sessions/step-up", body, http=browser, **SAME_ORIGIN)


def answered(site: Running, key: Authenticator, challenge: str, **lies: Any) -> dict[str, str]:
    """Return the answer of ``key`` as a page sends it."""
    where = site.services.settings.site
    lies = {"origin": where.origins[0], "rp_id": where.rp_id, **lies}
    signature, assertion = key.answer(from_base64url(challenge, "challenge"), **lies)
    return {
        "credential": to_base64url(bytes.fromhex(key.passkey.credential)),
        "authenticator_data": to_base64url(from_base64(assertion.authenticator_data)),
        "client_data": to_base64url(from_base64(assertion.client_data)),
        "signature": to_base64url(signature),
    }


async def send(site: Running, account: Account, path: str, payload: msgspec.Struct, *keys: Key) -> httpx.Response:
    """Send ``payload`` signed by ``keys``."""
    return await post(site, account, path, signed(site, payload, *keys))


async def post(site: Running, account: Account, path: str, envelope: Envelope) -> httpx.Response:
    """Send ``envelope`` as a key statement."""
    return await site.post(path, {"envelope": msgspec.to_builtins(envelope)}, http=account.http)


def signed(site: Running, payload: msgspec.Struct, *keys: Key, **lies: Any) -> Envelope:
    """Return ``payload`` signed by ``keys``; passkeys answer the service's own page."""
    where = site.services.settings.site
    return sealed(payload, *keys, **{"origin": where.origins[0], "rp_id": where.rp_id, **lies})


def kept(answer: httpx.Response) -> KeyAccepted:
    """Return the acceptance that ``answer`` must be."""
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=KeyAccepted)


async def head(account: Account) -> str:
    """Return the digest of the last statement about the keys of ``account``, which a request to be let in names."""
    keys = (await account.http.get(f"/v1/statements/{account.id}")).json()["keys"]
    return msgspec.convert(keys[-1]["envelope"], type=Envelope).payload_digest if keys else account.genesis


async def add(site: Running, account: Account, key: Key, key_class: str = "root") -> KeyAccepted:
    """Add ``key`` in due form."""
    payload = registration(site, account, key, key_class)
    return kept(await send(site, account, "/v1/keys", payload, key, account.key))


def _of(site: Running, account: Account) -> dict[str, Any]:
    return {"registry": site.services.keys.ref, "account": account.id, "genesis": account.genesis, **_now()}


def _now() -> dict[str, str]:
    return {"issued_at": times.to_text(times.now()), "nonce": identifiers.new_uuid().hex}
