"""What a caller may know of itself, and what everybody may know of the registry."""

from __future__ import annotations

import registry
from licet import times
from licet.identifiers import KINDS
from licet.terms import VOCAB
from licet.wire.accounts import KeyInfo, Me, RegistryInfo
from licet.wire.common import Page
from registry import translog
from registry.accounts import queries
from registry.accounts.identity import Caller
from registry.database import Connection, Row
from registry.errors import NotAuthenticated, NotFound, Unavailable
from registry.http.paging import Asked, page_of
from registry.services import Services


async def me(services: Services, caller: Caller) -> Me:
    """Return the caller's account, keys (in log order), the head of its consents and its frozen works."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        account = await conn.fetchrow(queries.ACCOUNT, caller.account)
        if account is None:
            raise NotAuthenticated("expected the token of an account, got one whose account is gone")
        keys = await conn.fetch(queries.KEYS, caller.account)
        head = await services.consent_head(conn, caller.account)
        frozen = await services.frozen_works(conn, caller.account)
    return Me(
        account=caller.id,
        kind=KINDS[account["kind"]],
        name=account["name"],
        genesis=account["genesis"],
        level=account["level"],
        scopes=sorted(caller.scopes),
        keys=[_key(row) for row in keys if row["index"] is not None],
        head=head,
        token_expires_at=times.to_text(caller.expires_at),
        frozen=frozen,
    )


async def keys(
    conn: Connection, caller: Caller, asked: Asked, *, key_class: str | None = None, active: bool | None = None
) -> Page[KeyInfo]:
    """Return one page of the caller's keys that are in the log; raises ``Invalid`` naming the parameter."""
    rows, more = await page_of(conn, queries.KEY_PAGES, asked, caller.account, key_class, active)
    return Page([_key(row) for row in rows], more)


async def registry_info(services: Services) -> RegistryInfo:
    """Return who this registry is: its root key and the logged statements of its working keys."""
    try:
        async with services.database.acquire() as conn:
            evidence = await translog.registry_keys_evidence(conn)
            await services.keys.refresh(conn)
    except NotFound:
        raise Unavailable("the registry's keys are not in the published log yet") from None
    keys = services.keys
    return RegistryInfo(
        origin=keys.origin,
        key=keys.ref.key,
        root=keys.root.public.hex(),
        log_vkey=keys.log_keys.vkey,
        keys=evidence,
        fee_bps=services.settings.fee_bps,
        vocab=VOCAB,
        version=registry.__version__,
        url=services.settings.url,
    )


def _key(row: Row) -> KeyInfo:
    return KeyInfo(row["keyid"], row["class"], row["index"], row["revoked_from"], row["alg"])
