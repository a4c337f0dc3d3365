"""Accounts, their tokens, alerts and recovery codes, and what happened in them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote as escape

import msgspec

from licet.client.endpoints.listing import Listing, listed
from licet.exchange.calls import Body, Call, Filters, get, nothing, post, reader
from licet.exchange.retrying import idempotency_key
from licet.identifiers import new_uuid
from licet.statements.envelope import Envelope
from licet.wire import accounts, erasure


def create_account(name: str, envelope: Envelope) -> Call[accounts.AccountCreated]:
    """A new account from its genesis."""
    body = accounts.AccountCreate(name, envelope)
    return post("createAccount", "/v1/accounts", body, accounts.AccountCreated)


def me() -> Call[accounts.Me]:
    """The caller's own account."""
    return get("getMe", "/v1/me", accounts.Me, scope="")


def erase_account(account: str, deny: bool, dry_run: bool) -> Call[erasure.ErasureAnswer]:
    """The end of the account, or what that would be."""
    body = erasure.ErasureRequest("" if dry_run else account, dry_run, deny)
    return post("eraseAccount", "/v1/me/erasure", body, erasure.ErasureAnswer, scope="account", key=new_uuid().hex)


def account_export(after: str | None) -> str:
    """The path of everything that is held of the account, behind the file named ``after``."""
    return "/v1/me/export" + ("" if after is None else f"?after={escape(after, safe='')}")


def create_token(
    scopes: Sequence[str], days: int, envelope: Envelope | None, spend_limit: accounts.SpendLimitWanted | None
) -> Call[accounts.TokenCreated]:
    """A further token, another one each time."""
    body = accounts.TokenCreate(list(scopes), days, envelope, spend_limit)
    return post("createToken", "/v1/tokens", body, accounts.TokenCreated, scope="account", key=new_uuid().hex)


def tokens(limit: int | None, filters: Filters) -> Listing[accounts.TokenInfo]:
    """The account's tokens."""
    return listed("listTokens", "/v1/tokens", accounts.TokenInfo, filters, limit, scope="account")


def revoke_token(token: str) -> Call[None]:
    """The end of a token."""
    path = f"/v1/tokens/{escape(token, safe='')}"
    return Call("revokeToken", "DELETE", path, nothing, key=idempotency_key("DELETE", path), scope="account")


def alerts() -> Call[accounts.Alerts]:
    """Which topics the artist is alerted of."""
    return get("getAlerts", "/v1/me/alerts", accounts.Alerts, scope="account")


def set_alerts(off: Sequence[str]) -> Call[accounts.Alerts]:
    """The topics that are off; said again later it may mean something new, so the key is."""
    body, key = Body(msgspec.json.encode(accounts.AlertsSet(list(off)))), new_uuid().hex
    read = reader(accounts.Alerts)
    return Call("setAlerts", "PUT", "/v1/me/alerts", read, body=body, key=key, scope="account")


def keep_recovery_codes(envelope: Envelope) -> Call[accounts.RecoveryCodes]:
    """The digests of codes that recover the account."""
    body = accounts.KeyStatement(envelope)
    return post("keepRecoveryCodes", "/v1/recovery-codes", body, accounts.RecoveryCodes, scope="account")


def recover_account(account: str, code: str, envelope: Envelope) -> Call[accounts.Recovered]:
    """A new key for an account that has lost its own."""
    body = accounts.Recovery(account, code, envelope)
    return post("recoverAccount", "/v1/recoveries", body, accounts.Recovered)


def events(limit: int | None, filters: Filters) -> Listing[accounts.EventInfo]:
    """What the account is told of."""
    return listed("listEvents", "/v1/events", accounts.EventInfo, filters, limit, scope="account")
