"""Held to the rules one by one: a signed statement, before it may meet what others have said.

Nothing in here depends on other statements, so all of it is done before the account's consent head is locked: the
signature, the terms, the text that was shown, and the root over digests of exactly the works that are named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from licet import identifiers
from licet.errors import MalformedError
from licet.statements import envelope as envelopes
from licet.statements.consent import consent_terms
from licet.statements.envelope import Envelope
from licet.statements.keys import KeySet
from licet.statements.kinds import Consent, WorksScope, WorkUpdate
from licet.statements.works import works_root
from licet.terms import plain_text, text_hash
from licet.wire.works import WorkKeys
from registry.accounts import queries as account_queries
from registry.accounts.identity import Caller
from registry.accounts.keyring import signer_of as signing_of
from registry.consent import owners
from registry.consent.queries import statements
from registry.consent.types import Added, Checked, Scope, Signer
from registry.consent.updating import added_by, hold_roots, is_update
from registry.database import Connection
from registry.errors import Invalid, NotAllowed
from registry.http import moments
from registry.services import Services
from registry.works import service as works

MAX_WORKS: Final = 1_000_000
NONCE: Final = range(16, 129)


async def checked(
    services: Services, caller: Caller, envelope: Envelope, named: Sequence[str], adds: Sequence[WorkKeys] = ()
) -> Checked:
    """Return the statement in ``envelope`` about the works ``named``, all of it true but for what others have said.

    An update of keys says in ``adds`` what they are.

    Raises ``MalformedError`` and ``Invalid`` naming the field, ``VerificationError`` for a signature or hash that does
    not hold, ``NotAllowed`` for a key that may not sign for the account.
    """
    payload = _payload(envelope)
    ids = await asyncio.to_thread(work_ids, named)
    async with services.database.transaction() as conn:
        await conn.execute(statements.PATIENT)
        signer = await signer_of(conn, caller)
        signing = await signing_of(conn, services.keys.ref, caller.account, _keyid(envelope), payload)
        # Before the digests: an update that comes between is noticed when the statement is accepted.
        updates: int = await conn.fetchval(statements.UPDATES, caller.account) or 0
        covered = await works.covered(conn, caller.account, ids) if ids else []
        shared = False
        if isinstance(payload, Consent) and len(covered) < len(ids):
            beside = [(each.work, each.digest) for each in await owners.shared_among(conn, caller.account, ids)]
            if covered and beside:
                raise Invalid("works: expected works of this account or works of others that it shares, got both")
            shared, covered = bool(beside), covered or beside
        _addressed(services, signer, payload)
        _covers_all(ids, [work for work, _ in covered])
        added = list[Added]()
        if is_update(payload):
            added = await added_by(conn, caller.account, signer, ids, adds)
        elif adds:
            raise Invalid.field("adds", "none beside another statement than an update of keys", f"{len(adds)} works")
    found = await asyncio.to_thread(_verified, envelope, payload, signing.keys, signer, covered, added, updates)
    return found._replace(shared=shared)


def work_ids(named: Sequence[str]) -> list[UUID]:
    """Return the UUIDs of work identifiers, rising; raises ``Invalid`` for too many, one twice, or one that is none."""
    if len(named) > MAX_WORKS:
        raise Invalid.field("works", f"at most {MAX_WORKS} works", f"{len(named)} works")
    ids = sorted(identifiers.to_uuid(work, "wrk", field="works") for work in named)
    if len(set(ids)) != len(ids):
        raise Invalid("works: expected each work once, got one twice")
    return ids


async def signer_of(conn: Connection, caller: Caller) -> Signer:
    """Return the caller's account as statements name it."""
    row = await conn.fetchrow(account_queries.ACCOUNT, caller.account)
    if row is None or row["genesis"] is None:
        raise NotAllowed("expected the account of an artist or organisation")
    return Signer(caller.account, caller.id, shown_name(row["name"]), row["genesis"])


def shown_name(name: str) -> str:
    """Return ``name`` as the plain text shows it: nothing where it is not one line of printable characters."""
    return name if name.isprintable() else ""


def _payload(envelope: Envelope) -> Consent | WorkUpdate:
    if envelope.kind == "consent":
        return envelopes.read_as(Consent, envelope)
    if envelope.kind == "work-update":
        return envelopes.read_as(WorkUpdate, envelope)
    raise MalformedError(f"payloadType: expected a consent or a work-update, got {envelope.payload_type!r:.80}")


def _keyid(envelope: Envelope) -> str:
    if len(envelope.signatures) != 1:
        raise MalformedError(f"signatures: expected exactly one, got {len(envelope.signatures)}")
    return envelope.signatures[0].keyid


def _addressed(services: Services, signer: Signer, payload: Consent | WorkUpdate) -> None:
    if payload.registry != services.keys.ref:
        raise Invalid.field("registry", f"{services.keys.ref.origin} with its root key", payload.registry.origin)
    if payload.account != signer.id:
        raise Invalid.field("account", signer.id, payload.account)
    if payload.genesis != signer.genesis:
        raise Invalid.field("genesis", signer.genesis, payload.genesis)
    if payload.v != 1:
        raise Invalid.field("v", "1", payload.v)
    moments.past(payload.issued_at, "issued_at")
    if len(payload.nonce) not in NONCE:
        raise Invalid.field("nonce", "16 to 128 characters", payload.nonce)


def _covers_all(named: Sequence[UUID], own: Sequence[UUID]) -> None:
    if len(own) == len(named):
        return
    missing = sorted(set(named) - set(own))
    shown = ", ".join(identifiers.from_uuid("wrk", work) for work in missing[:3])
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    raise Invalid(
        f"works: expected works of this account, or under a split in force by which it has a share, that are not "
        f"withdrawn, got {shown}{more}"
    )


def _verified(
    envelope: Envelope,
    payload: Consent | WorkUpdate,
    keys: KeySet,
    signer: Signer,
    covered: Sequence[tuple[UUID, bytes]],
    added: list[Added],
    updates: int,
) -> Checked:
    keyid = _keyid(envelope)
    envelopes.open_as(type(payload), envelope, [keyid], keys)
    if isinstance(payload, WorkUpdate) and payload.change == "keys":
        hold_roots(payload, added)
    elif isinstance(payload.scope, WorksScope):
        expected = WorksScope(len(covered), works_root(digest for _, digest in covered))
        if not covered or payload.scope != expected:
            raise Invalid.field("scope", f"{expected.count} works under root {expected.root}", payload.scope)
    elif covered:
        raise Invalid.field("works", "none beside a scope that is the catalogue", f"{len(covered)} works")
    terms = None
    if isinstance(payload, Consent):
        terms = consent_terms(payload)
        count = payload.scope.count if isinstance(payload.scope, WorksScope) else None
        shown = text_hash(plain_text(terms, payload.shown.lang, signer.name, count))
        if payload.shown.text_hash != shown:
            raise Invalid.field("shown.text_hash", f"{shown}, the digest of the text for these terms", payload.shown)
    scope: Scope = "works" if isinstance(payload.scope, WorksScope) else "catalogue"
    ids = [work for work, _ in covered]
    return Checked(envelope, payload, keyid, bytes.fromhex(envelope.payload_digest), scope, ids, terms, added, updates)
