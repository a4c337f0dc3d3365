"""Step-up: what cannot be taken back, or changes who may sign, asks for more than a cookie or a token that lies about.

A session has to have been raised by its passkey in the last five minutes. A token needs a scope that no first token
has (``erase``); a token with it is made in such a session, or for a ``token-request`` that a live root key signed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from licet import times
from licet.statements.envelope import Envelope
from licet.statements.keyring import RECOVERED_FOR
from licet.statements.kinds import TokenRequest
from registry.accounts import queries
from registry.accounts.identity import Caller, authenticated
from registry.accounts.keyring import opened_by_root
from registry.accounts.tokens import SCOPES_OF, STEPPED_UP
from registry.errors import Invalid, NotAllowed
from registry.http.moments import past
from registry.services import Services

FRESH: Final = timedelta(minutes=5)


class StepUpRequired(NotAllowed):
    """The caller is known, and this asks for more: the detail says what."""

    slug = "step-up-required"
    title = "Step up required"

    def __init__(self, detail: str, challenge: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": f'Bearer realm="licet", {challenge}'})


async def fresh(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard: a session has to have been raised in the last five minutes; a token is as good as it ever was."""
    found = await authenticated(connection)
    if found is not None:
        hold_fresh(found)


def hold_fresh(caller: Caller) -> None:
    """Raise ``StepUpRequired`` for a session whose passkey was used too long ago."""
    if caller.session is not None and not _is_fresh(caller):
        # RFC 9470 section 3: how long ago the user may have been there, for programs.
        raise StepUpRequired(
            "expected a passkey used in the last 5 minutes: step up (POST /v1/sessions/step-up), then ask again",
            f'error="insufficient_user_authentication", max_age="{int(FRESH.total_seconds())}"',
        )


async def hold_for_good(services: Services, caller: Caller, scope: str) -> None:
    """Raise ``StepUpRequired`` unless ``caller`` may do what cannot be taken back, and which ``scope`` names.

    In the days after a recovery no session may: whoever found a recovery code is not to end the account with it.
    """
    if caller.session is None:
        if scope not in caller.scopes:
            raise StepUpRequired(
                f"expected a token with scope {scope}: ask POST /v1/tokens for one, in a session whose passkey was "
                "just used, or with a token-request that a root key of the account has signed",
                f'error="insufficient_scope", scope="{scope}"',
            )
        return
    hold_fresh(caller)
    async with services.database.acquire() as conn:
        if await conn.fetchval(queries.RECOVERING, caller.account, RECOVERED_FOR):
            raise StepUpRequired(
                f"the account was recovered in the last {RECOVERED_FOR.days} days: expected a token for which a root "
                "key that was not recovered has signed a token-request",
                f'error="insufficient_scope", scope="{scope}"',
            )


async def granted(services: Services, caller: Caller, scopes: list[str], envelope: Envelope | None) -> frozenset[str]:
    """Return the scopes that a new token of ``caller`` may have, if it asks for ``scopes``.

    Raises ``StepUpRequired`` where one of them needs more than the caller shows, ``NotAllowed`` or ``Invalid`` for an
    ``envelope`` that does not ask for exactly these, is not from the last five minutes or not by a live root key.
    """
    if envelope is None:
        if caller.session is not None:
            for scope in STEPPED_UP.intersection(scopes):
                await hold_for_good(services, caller, scope)
        return caller.scopes
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        wish = await opened_by_root(conn, services.keys.ref, caller.account, TokenRequest, envelope)
    if times.now() - past(wish.issued_at, "envelope.issued_at") > FRESH:
        raise Invalid.field("envelope.issued_at", "a time of the last 5 minutes", wish.issued_at)
    if wish.scopes != sorted(set(scopes)):
        raise Invalid.field("envelope.scopes", f"the scopes that are asked for, {sorted(set(scopes))}", wish.scopes)
    return frozenset(wish.scopes).intersection(SCOPES_OF[caller.kind])


def _is_fresh(caller: Caller) -> bool:
    return caller.stepped_up_at is not None and times.now() - caller.stepped_up_at < FRESH
