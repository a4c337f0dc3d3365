"""Drafts: the exact bytes to sign and the plain text beside them, for who signs elsewhere than here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from licet import canonical
from licet.canonical import to_base64
from licet.statements.consent import draft_consent
from licet.statements.kinds import PAYLOAD_TYPE, Consent, WorksScope
from licet.statements.works import works_root
from licet.terms import Terms
from licet.wire.works import StatementDrafted
from registry.accounts.identity import Caller
from registry.consent import owners, queries
from registry.consent.intake import signer_of, work_ids
from registry.consent.records import head
from registry.consent.service import known_terms
from registry.consent.types import Group
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
        signer = await signer_of(conn, caller)
        chain = await head(conn, caller.account)
        own = [] if ids is None else await conn.fetch(queries.DRAFTED, caller.account, ids)
        shared = [] if ids is None or own else await owners.shared_among(conn, caller.account, ids)
        if ids is not None and len(own or shared) != len(ids):
            raise Invalid(
                "works: expected works of this account, or works of others that it has a share in, that are not "
                "withdrawn, got others among them"
            )
        before = [row["own"] for row in own] or [each.own for each in shared]
        olds = await _olds(conn, caller.account, None if ids is None else {each for each in before if each is not None})

    def build() -> tuple[Consent, str, bytes]:
        consent, text = draft_consent(
            registry=services.keys.ref,
            account=signer.id,
            genesis=signer.genesis,
            head_seq=chain.seq,
            head_digest=chain.digest,
            works=None if ids is None else _scope([row["digest"] for row in own] or [each.digest for each in shared]),
            terms=stated,
            old_terms=olds,
            lang=lang,
            who=signer.name,
        )
        return consent, text, canonical.encode(consent)

    _, text, payload = await asyncio.to_thread(build)
    return StatementDrafted(to_base64(payload), PAYLOAD_TYPE.format(kind="consent"), text)


async def _olds(conn: Connection, account: UUID, said: set[bytes] | None) -> list[Terms]:
    """Return the terms of hashes ``said`` before, or (None) the catalogue's: what the statement would follow on."""
    if said is None:
        standing = await conn.fetchrow(queries.CATALOGUE, account)
        said = {standing["terms"]} if standing else set()
    known = await known_terms(conn, [Group(each, b"", pending=False, matched=False) for each in said])
    return [known[each] for each in sorted(said)]


def _scope(digests: Sequence[bytes]) -> WorksScope:
    return WorksScope(len(digests), works_root(digests))
