"""Bodies of RSL's Open License Protocol 1.0: OAuth's client credentials (RFC 6749), and introspection (RFC 7662).

Requests travel as forms. Unknown parameters are ignored, as RFC 6749 wants it.
"""

from __future__ import annotations

import msgspec


class TokenRequest(msgspec.Struct, frozen=True):
    """What a crawler asks of the licence server: a token for one address and some uses of what lies there.

    The uses are those that an RSL ``license`` element permits, or words of ``scope``: RSL's usages or our own uses.
    """

    grant_type: str
    resource: str
    license: str | None = None
    scope: str | None = None
    model: str | None = None  # ORG/NAME@VERSION
    client_id: str | None = None
    client_secret: str | None = None


class LicenceToken(msgspec.Struct, frozen=True):
    """A token that says: who holds it may use what lies at ``resource`` as ``scope`` says, for ``expires_in`` seconds.

    ``licences`` are those that it rests on; none where the terms allow the uses to everybody.
    """

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    resource: str
    licences: list[str] = []


class Introspect(msgspec.Struct, frozen=True):
    """The question whether a token holds; with ``resource``, whether it holds for that address."""

    token: str
    resource: str | None = None
    token_type_hint: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


class Introspection(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a token stands for at this moment; of one that does not hold, nothing but that."""

    active: bool
    token_type: str | None = None
    client_id: str | None = None
    scope: str | None = None
    resource: str | None = None
    licences: list[str] = []
    purpose: list[str] = []
    territory: list[str] | None = None
    iat: int | None = None  # seconds since 1970
    exp: int | None = None
