"""Drafts: the exact bytes to sign and the plain text beside them, for who signs elsewhere than here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from licet import canonical
from licet.canonical import to_base64
from licet.statements.consent import draft_consent
from licet.statements.kinds import PAYLOAD_TYPE, Consent, WorkDigest, WorksScope
from licet.statements.works import works_root
from licet.terms import Terms
from licet.wire.works import StatementDrafted
from registry.accounts.identity import Caller
from registry.consent import owners, queries
from registry.consent.intake import signer_of, work_ids
from registry.consent.records import head
from registry.consent.service import known_terms
from registry.consent.types import Group, Signer
from registry.database import Connection
from registry.errors import Invalid
from registry.services import Services
from registry.works import service as works
from registry.works.types import Keys, digest_form

Lang = Literal["en", "zh-Hans"]


async def draft(
    services: Services, caller: Caller, named: Sequence[str] | None, terms: dict[str, Any], lang: Lang
) -> StatementDrafted:
    """Return the consent that states ``terms`` for the works ``named`` (None: the catalogue), as of this moment.

    They are works of the caller, or works of others that it has a share in by the split in force.

    Nothing is kept. Raises ``InputError`` and ``Invalid`` naming the field.
    """
    stated = Terms.parse(terms)
    ids = None if named is None else await asyncio.to_thread(work_ids, named)
    if ids is not None and not ids:
        raise Invalid.field("works", "one or more works, or null for the catalogue", "none")
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        signer = await signer_of(conn, caller)
        chain = await head(conn, caller.account)
        covered = [] if ids is None else await works.covered_keys(conn, caller.account, ids)
        shared = [] if ids is None or covered else await owners.shared_among(conn, caller.account, ids)
        if ids is not None and len(covered or shared) != len(ids):
            raise Invalid(
                "works: expected works of this account, or works of others that it has a share in, that are not "
                "withdrawn, got others among them"
            )
        olds = await _olds(conn, caller.account, ids, {each.own for each in shared if each.own is not None})

    def build() -> tuple[Consent, str, bytes]:
        consent, text = draft_consent(
            registry=services.keys.ref,
            account=signer.id,
            genesis=signer.genesis,
            head_seq=chain.seq,
            head_digest=chain.digest,
            works=None if ids is None else _scope(shared) if shared else _digests(signer, covered),
            terms=stated,
            old_terms=olds,
            lang=lang,
            who=signer.name,
        )
        return consent, text, canonical.encode(consent)

    _, text, payload = await asyncio.to_thread(build)
    return StatementDrafted(to_base64(payload), PAYLOAD_TYPE.format(kind="consent"), text)


async def _olds(conn: Connection, account: UUID, ids: Sequence[UUID] | None, shared: set[bytes]) -> list[Terms]:
    """Return the distinct terms that the statement would follow on; ``shared``: those for works of others."""
    if shared:
        wanted = shared
    elif ids is None:
        standing = await conn.fetchrow(queries.CATALOGUE, account)
        wanted = {standing["terms"]} if standing else set()
    else:
        wanted = {row["own"] for row in await conn.fetch(queries.PRESENT_AMONG, account, ids) if row["own"]}
    known = await known_terms(conn, [Group(each, b"", pending=False, matched=False) for each in wanted])
    return [known[each] for each in sorted(wanted)]


def _scope(shared: Sequence[owners.Shared]) -> WorksScope:
    return WorksScope(len(shared), works_root(each.digest for each in shared))


def _digests(signer: Signer, covered: Sequence[tuple[UUID, Keys]]) -> list[WorkDigest]:
    return [digest_form(work, signer.id, keys) for work, keys in covered]
