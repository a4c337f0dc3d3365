"""Drafts: the exact bytes to sign and the plain text beside them, for who signs elsewhere than here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from licet import canonical
from licet.canonical import to_base64
from licet.statements.consent import draft_consent
from licet.statements.kinds import PAYLOAD_TYPE, WorksScope
from licet.statements.works import works_root
from licet.terms import Terms
from licet.wire.accounts import ConsentHead
from licet.wire.works import StatementDrafted
from registry.accounts.identity import Caller
from registry.consent import owners
from registry.consent.intake import signer_of, work_ids
from registry.consent.keeping import known_terms
from registry.consent.queries import statements, states
from registry.consent.records import head
from registry.consent.together import Summed, Together, root_of, summed
from registry.consent.types import Group, Signer
from registry.database import Connection
from registry.errors import Invalid
from registry.services import Services

Lang = Literal["en", "zh-Hans"]


async def draft(
    services: Services, caller: Caller, named: Sequence[str] | None, terms: dict[str, Any], lang: Lang
) -> StatementDrafted:
    """Return the consent that states ``terms`` for the works ``named`` (None: the catalogue), as of this moment.

    They are works of the caller, or works of others that it has a share in by the split in force.

    Nothing is kept. Raises ``InputError`` and ``Invalid`` naming the field.
    """
    ids = None if named is None else await asyncio.to_thread(work_ids, named)
    return await draft_of(services, caller, ids, Terms.parse(terms), lang)


async def draft_of(
    services: Services, caller: Caller, ids: list[UUID] | None, stated: Terms, lang: Lang
) -> StatementDrafted:
    """Return the same for works that are known by their numbers, each once and in rising order."""
    if ids is not None and not ids:
        raise Invalid.field("works", "one or more works, or null for the catalogue", "none")
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        standing = await _standing(conn, caller)
        own = [] if ids is None else await conn.fetch(states.DRAFTED, caller.account, ids)
        shared = [] if ids is None or own else await owners.shared_among(conn, caller.account, ids)
        if ids is not None and len(own or shared) != len(ids):
            raise Invalid(
                "works: expected works of this account, or works of others that it has a share in, that are not "
                "withdrawn, got others among them"
            )
        before = [row["own"] for row in own] or [each.own for each in shared]
        olds = await _olds(conn, caller.account, None if ids is None else {each for each in before if each is not None})
    digests = [row["digest"] for row in own] or [each.digest for each in shared]
    scope = None if ids is None else WorksScope(len(ids), await asyncio.to_thread(works_root, digests))
    return await asyncio.to_thread(_built, services, standing, scope, stated, olds, lang)


async def draft_together(
    services: Services, caller: Caller, chosen: Together, most: int, stated: Terms, lang: Lang
) -> tuple[StatementDrafted | None, Summed]:
    """Return the same for works that are chosen together, None where there are none, and what is known of them."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        standing = await _standing(conn, caller)
        found = await summed(conn, caller.account, chosen, most)
        olds = await _olds(conn, caller.account, set(found.said))
    if not found.works:
        return None, found
    scope = WorksScope(found.works, await asyncio.to_thread(root_of, found.digests))
    return await asyncio.to_thread(_built, services, standing, scope, stated, olds, lang), found


async def _standing(conn: Connection, caller: Caller) -> tuple[Signer, ConsentHead]:
    return await signer_of(conn, caller), await head(conn, caller.account)


def _built(
    services: Services,
    standing: tuple[Signer, ConsentHead],
    scope: WorksScope | None,
    stated: Terms,
    olds: list[Terms],
    lang: Lang,
) -> StatementDrafted:
    signer, chain = standing
    consent, text = draft_consent(
        registry=services.keys.ref,
        account=signer.id,
        genesis=signer.genesis,
        head_seq=chain.seq,
        head_digest=chain.digest,
        works=scope,
        terms=stated,
        old_terms=olds,
        lang=lang,
        who=signer.name,
    )
    return StatementDrafted(to_base64(canonical.encode(consent)), PAYLOAD_TYPE.format(kind="consent"), text)


async def _olds(conn: Connection, account: UUID, said: set[bytes] | None) -> list[Terms]:
    """Return the terms of hashes ``said`` before, or (None) the catalogue's: what the statement would follow on."""
    if said is None:
        standing = await conn.fetchrow(statements.CATALOGUE, account)
        said = {standing["terms"]} if standing else set()
    known = await known_terms(conn, [Group(each, b"", pending=False, matched=False) for each in said])
    return [known[each] for each in sorted(said)]
