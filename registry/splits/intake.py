"""A split or an answer to one, held to the rules that need nothing but itself, its signer and who is named in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar
from uuid import UUID

from licet import identifiers
from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import (
    DisputeStep,
    LicenceAnswer,
    LicenceRevoke,
    RegistryRef,
    Split,
    SplitAnswer,
    SplitShare,
)
from registry.accounts.identity import Caller
from registry.accounts.keyring import only_signer, signer_of
from registry.database import Connection
from registry.errors import Conflict, Invalid
from registry.http import moments
from registry.splits import queries

NONCE: Final = range(16, 129)

P = TypeVar("P", Split, SplitAnswer, LicenceAnswer, LicenceRevoke, DisputeStep)


async def opened(conn: Connection, schema: type[P], envelope: Envelope, caller: Caller, registry: RegistryRef) -> P:
    """Return the payload that a live key of ``caller`` signed for this registry; the key stays so until COMMIT.

    Raises ``MalformedError`` and ``Invalid`` naming the field, ``NotAllowed`` for a key that may not sign it.
    """
    payload = envelopes.read_as(schema, envelope)
    keyid = only_signer(envelope)
    if not keyid:
        keyids = [signature.keyid for signature in envelope.signatures]
        raise Invalid.field("envelope.signatures", "one signature by a key of the account", keyids)
    if payload.registry != registry:
        raise Invalid.field("registry", f"{registry.origin} with its root key", payload.registry.origin)
    if payload.account != caller.id:
        raise Invalid.field("account", f"the caller, {caller.id}", payload.account)
    signer = await signer_of(conn, registry, caller.account, keyid, payload)
    if payload.genesis != signer.genesis:
        raise Invalid.field("genesis", "the genesis of the account", payload.genesis)
    try:
        envelopes.open_as(schema, envelope, [keyid], signer.keys)
    except VerificationError as error:
        raise Invalid(f"envelope: {error.message}") from None
    moments.past(payload.issued_at, "issued_at")
    if len(payload.nonce) not in NONCE:
        raise Invalid.field("nonce", "16 to 128 characters", payload.nonce)
    return payload


async def parties_of(conn: Connection, split: Split, replaced: Sequence[SplitShare]) -> dict[UUID, int]:
    """Return the basis points of every account that ``split`` gives a share, all of them known.

    One that was erased is among them only with exactly the share that it has in what is ``replaced``.

    Raises ``InputError`` and ``Invalid`` naming the field.
    """
    named = {}
    for place, share in enumerate(split.shares):
        kind = "org" if share.account.startswith("org_") else "art"
        named[identifiers.to_uuid(share.account, kind, field=f"shares[{place}].account")] = (place, share)
    known = {row["id"]: row for row in await conn.fetch(queries.ACCOUNTS, list(named))}
    had = {each.account: each.bps for each in replaced}
    for account, (place, share) in named.items():
        row = known.get(account)
        if row is None or identifiers.from_uuid(row["kind"], account) != share.account:
            raise Invalid.field(f"shares[{place}].account", "an artist or organisation of this registry", share.account)
        if row["erased_at"] is not None and share.account not in had:
            raise Invalid.field(f"shares[{place}].account", "an account that was not erased", share.account)
        if row["erased_at"] is not None and share.bps != had[share.account]:
            expected = f"{had[share.account]}, which {share.account} had when it was erased"
            raise Invalid.field(f"shares[{place}].bps", expected, share.bps)
        if row["genesis"] != share.genesis:
            raise Invalid.field(f"shares[{place}].genesis", f"the genesis of {share.account}", share.genesis)
    return {account: share.bps for account, (_, share) in named.items()}


async def works_of(conn: Connection, account: UUID, split: Split) -> list[UUID]:
    """Return the works of ``split``, which are works of ``account``, not withdrawn, and what it says that they are.

    Raises ``InputError`` and ``Invalid`` naming the field.
    """
    ids = [
        identifiers.to_uuid(each.work, "wrk", field=f"works[{place}].work") for place, each in enumerate(split.works)
    ]
    known = {row["id"]: row for row in await conn.fetch(queries.WORKS, account, ids)}
    for place, (work, each) in enumerate(zip(ids, split.works, strict=True)):
        row = known.get(work)
        if row is None:
            raise Invalid.field(f"works[{place}].work", "a work that this account registered", each.work)
        if row["withdrawn_at"] is not None:
            raise Invalid.field(f"works[{place}].work", "a work that was not withdrawn", each.work)
        if row["digest"].hex() != each.digest:
            raise Invalid.field(f"works[{place}].digest", f"{row['digest'].hex()}, what the work is now", each.digest)
    return ids


async def hold_replaces(conn: Connection, works: list[UUID], replaces: bytes | None) -> UUID | None:
    """Return the split that is in force on each of ``works``, which is the one of digest ``replaces``; None for none.

    Raises ``Conflict`` where another one is in force on one of them.
    """
    standing = {row["work"]: row for row in await conn.fetch(queries.IN_FORCE, works)}
    found = None
    for work in works:
        row = standing.get(work)
        digest = None if row is None else row["digest"]
        if digest != replaces:
            name = identifiers.from_uuid("wrk", work)
            raise Conflict(
                f"replaces: expected {'null' if digest is None else digest.hex()}, what is in force on {name}, got "
                f"{'null' if replaces is None else replaces.hex()}"
            )
        found = None if row is None else row["split"]
    return found


def split_id(text: str, field: str) -> UUID:
    """Return the UUID of a split's name; raises ``InputError`` naming ``field``."""
    return identifiers.to_uuid(text, "spl", field=field)


def hold_answer(answer: SplitAnswer, split: UUID, document: bytes) -> None:
    """Return only if ``answer`` is to this very document; raises ``InputError`` and ``Invalid``."""
    if split_id(answer.split, "split") != split:
        raise Invalid.field("split", "the split in the path", answer.split)
    if answer.document != document.hex():
        raise Invalid.field("document", f"{document.hex()}, the SHA-256 of what was proposed", answer.document)
