"""Tokens: ``lct_``, 30 random base62 characters, and 6 of CRC32 over them.

The checksum lets a scanner tell a leaked token from noise without asking us; only the SHA-256 of a token is kept.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from licet import identifiers, money, times
from licet.money import Money
from licet.wire.accounts import SCOPES, SpendLimit, TokenCreated, TokenInfo
from licet.wire.common import Page
from registry.accounts import queries
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, KeyReused, NotAllowed, NotFound
from registry.http.paging import Asked, page_of

LONGEST: Final = timedelta(days=365)
SCOPES_OF: Final[dict[str, tuple[str, ...]]] = {
    "art": ("account", "query", "register", "usage", "audit", "payout", "erase"),
    "org": ("account", "query", "register", "license", "usage", "audit", "payout", "erase"),
    "aud": ("query", "audit"),
    "opr": ("query", "usage", "audit"),
}
# What no token has unless it was stepped up to: it ends the account for good, or says where its money goes.
STEPPED_UP: Final = frozenset({"erase", "payout"})
_PREFIX: Final = "lct_"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM: Final = 30
_CHECK: Final = 6


def usual(kind: str) -> list[str]:
    """Return what the first token of an account of ``kind`` may do: everything that can be undone."""
    return [scope for scope in SCOPES_OF[kind] if scope not in STEPPED_UP]


def new_token(prefix: str = _PREFIX) -> str:
    """Return a fresh token of 178 random bits."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return f"{prefix}{random}{_checksum(random)}"


def digest_of(token: str, prefix: str = _PREFIX) -> bytes | None:
    """Return the digest under which ``token`` is kept, None for text that cannot be a token."""
    body = token.removeprefix(prefix)
    if len(token) != len(prefix) + _RANDOM + _CHECK or len(body) != _RANDOM + _CHECK or not token.isascii():
        return None
    random, check = body[:_RANDOM], body[_RANDOM:]
    if not random.isalnum() or _checksum(random) != check:
        return None
    return sha256(token.encode()).digest()


async def create(
    conn: Connection,
    account: UUID,
    scopes: Iterable[str],
    lifetime: timedelta,
    *,
    request: bytes | None = None,
    limit: SpendLimit | None = None,
) -> TokenCreated:
    """Return a new token of ``account`` that lasts for ``lifetime``; this is the only time it is seen.

    ``request`` is the digest of the key of the request that asked. Asking again before the token was ever used gives
    it a new secret: the first answer was lost. Afterwards that raises ``Conflict``, and ``KeyReused`` if something
    else is asked for. ``limit`` is what it may charge in a month.
    """
    if not timedelta(0) < lifetime <= LONGEST:
        raise Invalid.field("expires_in_days", f"1 to {LONGEST.days}", lifetime.days)
    token, granted = new_token(), sorted(set(scopes))
    most = None if limit is None else Money(_currency(limit.currency), _micro(limit.amount))
    asked = f"{','.join(granted)}\n{lifetime}" + ("" if most is None else f"\n{most.micro} {most.currency}")
    payload = None if request is None else sha256(asked.encode()).digest()
    expires = times.now() + lifetime
    row = await conn.fetchrow(
        queries.MINT,
        identifiers.new_uuid(),
        account,
        digest_of(token),
        granted,
        expires,
        request,
        payload,
        most and most.micro,
        most and most.currency,
    )
    if row is None:
        if await conn.fetchval(queries.MINTED, account, request) != payload:
            raise KeyReused("this Idempotency-Key was used for another token")
        raise Conflict("this request made a token that is in use already; it was shown once")
    return TokenCreated(
        id=identifiers.from_uuid("tok", row["id"]),
        token=token,
        scopes=list(row["scopes"]),
        expires_at=times.to_text(row["expires_at"]),
        spend_limit=None if most is None else SpendLimit(money.to_decimal(most.micro), most.currency),
    )


def _currency(code: str) -> str:
    return money.currency(code, "spend_limit.currency")


def _micro(amount: str) -> int:
    return money.to_micro(amount, "spend_limit.amount")


def narrowed(scopes: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """Return ``scopes`` sorted if each exists and is in ``allowed``; raises ``Invalid`` or ``NotAllowed``."""
    wanted, own = sorted(set(scopes)), set(allowed)
    if not wanted or not set(wanted) <= set(SCOPES):
        raise Invalid.field("scopes", f"one or more of {', '.join(SCOPES)}", wanted)
    if not set(wanted) <= own:
        raise NotAllowed(f"expected scopes within {', '.join(sorted(own)) or 'none'}, got {', '.join(wanted)}")
    return wanted


async def listed(
    conn: Connection, account: UUID, asked: Asked, *, active: bool | None = None, scope: str | None = None
) -> Page[TokenInfo]:
    """Return one page of the tokens of ``account``; raises ``Invalid`` naming the parameter."""
    rows, more = await page_of(conn, queries.TOKENS, asked, account, active, scope)
    items = [
        TokenInfo(
            id=identifiers.from_uuid("tok", row["id"]),
            scopes=list(row["scopes"]),
            created_at=times.to_text(row["created_at"]),
            expires_at=times.to_text(row["expires_at"]),
            last_used_at=row["last_used_at"] and times.to_text(row["last_used_at"]),
            revoked_at=row["revoked_at"] and times.to_text(row["revoked_at"]),
            spend_limit=_limit(row),
            spent=None if row["spend_limit"] is None else money.to_decimal(row["spent"]),
        )
        for row in rows
    ]
    return Page(items, more)


def _limit(row: Row) -> SpendLimit | None:
    if row["spend_limit"] is None:
        return None
    return SpendLimit(money.to_decimal(row["spend_limit"]), row["spend_currency"])


async def revoke(conn: Connection, token: UUID, account: UUID | None = None) -> None:
    """Make ``token`` (of ``account``, if that is given) worthless from now on; again is no error."""
    if await conn.fetchval(queries.REVOKE, token, account) is None:
        raise NotFound("there is no such token")


def _checksum(random: str) -> str:
    number = zlib.crc32(random.encode())
    digits = []
    for _ in range(_CHECK):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
