"""Key statements of an account: registered, rotated, revoked, delegated, recovered (semantics 1 to 3), told and logged.

One statement at a time under the account's row lock: the log's order of key statements is the order in which they were
weighed.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from licet import identifiers
from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keyring import KEY_KINDS, Keyring
from licet.statements.keys import keyid_of
from licet.statements.kinds import AnyKey, Delegation, KeyRegister, KeyRevoke, KeyRotate
from licet.statements.webauthn import Passkey
from licet.wire.accounts import KeyAccepted
from registry import translog
from registry.accounts import events, queries
from registry.accounts.keyring import Place, ring_of
from registry.database import Connection
from registry.errors import Conflict, Invalid, NotAllowed, NotFound
from registry.http.moments import past
from registry.services import Services

NONCE: Final = range(16, 129)
MOST: Final = 64  # live keys of one account
MOST_STATEMENTS: Final = 1000  # a verifier reads at most 1,024, the genesis among them


async def accept(
    services: Services, account: UUID, envelope: Envelope, *, keyid: str | None = None, replaces: str | None = None
) -> KeyAccepted:
    """Return once the key statement in ``envelope`` is in force and in the published log; again, no second effect.

    ``keyid``: the key that it has to end, ``replaces``: that it has to replace.
    Raises ``MalformedError``, ``Invalid`` naming the field, ``NotAllowed``
    for a statement that is not signed or not allowed as semantics 1 to 3 ask, and ``Conflict``.
    """
    if keyid is not None and (named := envelopes.read_as(KeyRevoke, envelope).keyid) != keyid:
        raise Invalid.field("keyid", f"{keyid}, as in the path", named)
    if replaces is not None and (named := envelopes.read_as(KeyRotate, envelope).replaces) != replaces:
        raise Invalid.field("replaces", f"{replaces}, as in the path", named)
    async with services.database.transaction() as conn:
        statement, pending, about = await take(services, conn, account, envelope)
    receipt = await translog.wait(services.database, pending)
    return KeyAccepted(identifiers.from_uuid("stm", statement), envelope.kind, about, receipt.log_index, receipt)


async def take(services: Services, conn: Connection, account: UUID, envelope: Envelope) -> tuple[UUID, int, str]:
    """Return id, pending id and key of the statement that this transaction accepts; raises as `accept` does."""
    if envelope.kind not in KEY_KINDS:
        raise Invalid.field("envelope.payloadType", f"one of {', '.join(sorted(KEY_KINDS))}", envelope.payload_type)
    if await conn.fetchrow(queries.LOCK_ACCOUNT, account) is None:
        raise NotFound("there is no such account")
    digest = bytes.fromhex(envelope.payload_digest)
    known = await conn.fetchrow(queries.KEY_STATEMENT, digest)
    if known is not None:
        if known["account"] != account:
            raise Conflict("this statement is another account's")
        return known["id"], known["pending"], known["keyid"]
    ring, place = await ring_of(conn, services.keys.ref, account)
    if not ring.genesis:
        raise NotAllowed("expected the account of an artist or organisation")
    try:
        payload = ring.take(envelope, place.at, place.time)
    except VerificationError as error:
        if "follows" in error.details:
            raise Conflict(f"{error.message}; the account's keys have changed: look at them and sign anew") from None
        raise NotAllowed(error.message) from None
    if not ring.roots:
        raise Conflict("this is the last key that may do everything: add another, or rotate it, before it ends")
    await conn.fetchval(queries.LOCK_KEY, _changed(payload), account)
    about = await _about(services, conn, ring, account, payload, place)
    statement = identifiers.new_uuid()
    pending = await translog.submit(
        conn, envelope.kind, identifiers.from_uuid("stm", statement), envelopes.encode(envelope), account
    )
    await _keep(conn, account, payload, pending)
    await conn.execute(queries.KEEP_KEY_STATEMENT, statement, account, envelope.kind, about[0], digest, pending)
    await events.tell(conn, account, about[1], identifiers.from_uuid("stm", statement), about[2])
    return statement, pending, about[0]


def check_key(services: Services, key: AnyKey) -> None:
    """Return if ``key`` is an Ed25519 key, or a passkey for this registry's own pages; raises ``Invalid``."""
    if isinstance(key, Passkey):
        site = services.settings.site
        if key.rp_id != site.rp_id:
            raise Invalid.field("key.rp_id", site.rp_id, key.rp_id)
        if key.origins != list(site.origins):
            raise Invalid.field("key.origins", ", ".join(site.origins), key.origins)


async def add_key(conn: Connection, account: UUID, key: AnyKey, key_class: str, pending: int) -> None:
    """Keep ``key`` as one of the account's; raises ``Conflict`` if it is anybody's already."""
    passkey = isinstance(key, Passkey)
    added = await conn.fetchval(
        queries.ADD_KEY,
        keyid_of(key),
        account,
        bytes.fromhex(key.public),
        key_class,
        pending,
        "webauthn" if passkey else "ed25519",
        bytes.fromhex(key.credential) if isinstance(key, Passkey) else None,
    )
    if not added:
        raise Conflict("this key is registered already")


def _changed(payload: msgspec.Struct) -> str | None:
    """Return the key that may sign less, or other things, from ``payload`` on."""
    if isinstance(payload, (KeyRevoke, Delegation)):
        return payload.keyid
    return payload.replaces if isinstance(payload, KeyRotate) else None


async def _about(
    services: Services, conn: Connection, ring: Keyring, account: UUID, payload: msgspec.Struct, place: Place
) -> tuple[str, str, str]:
    """Return the key that ``payload`` is about, and what the account is told: kind of event, words."""
    if not isinstance(payload, (KeyRegister, KeyRotate, KeyRevoke, Delegation)):
        raise Invalid("expected a key statement")
    past(payload.issued_at, "issued_at")
    if len(payload.nonce) not in NONCE:
        raise Invalid.field("nonce", "16 to 128 characters", payload.nonce)
    said = await conn.fetchrow(queries.KEYS_SAID, account)
    if said is None or said["statements"] >= MOST_STATEMENTS:
        raise Conflict(f"expected at most {MOST_STATEMENTS} key statements of one account, got one more")
    if isinstance(payload, (KeyRegister, KeyRotate)):
        check_key(services, payload.key)
        if said["live"] >= MOST:
            raise Conflict(f"expected at most {MOST} live keys of one account, got one more")
        keyid = keyid_of(payload.key)
        if isinstance(payload, KeyRotate):
            return keyid, "key-rotated", f"key {payload.replaces} was replaced by {keyid}"
        kind = "key-recovered" if payload.key_class == "recovered" else "key-added"
        return keyid, kind, f"key {keyid} was added as {payload.key_class}"
    if isinstance(payload, Delegation):
        scope = ", ".join(payload.scope)
        return payload.keyid, "delegated", f"key {payload.keyid} may sign {scope} until {payload.valid_until}"
    await _reaches_back(conn, account, payload, place)
    return payload.keyid, "key-revoked", f"key {payload.keyid} was revoked"


async def _reaches_back(conn: Connection, account: UUID, payload: KeyRevoke, place: Place) -> None:
    """Let a revocation begin in the past only where nothing stands that it would undo."""
    start = payload.from_index
    if start is None:
        return
    if not 0 <= start <= place.at:
        raise Invalid.field("from_index", f"0 to {place.at}, the size of the log", start)
    for row in await conn.fetch(queries.SINCE, account, start):
        envelope = envelopes.parse(row["envelope"])
        signed = any(signature.keyid == payload.keyid for signature in envelope.signatures)
        if signed or _tightens(envelope):
            raise Invalid.field(
                "from_index",
                f"more than {row['index'] if row['index'] is not None else place.at}, where {row['subject']} stands "
                f"(undo or tighten that first; statements by a revoked key count only where they tighten)",
                start,
            )


def _tightens(envelope: Envelope) -> bool:
    if envelope.kind == "work-update":
        return True
    return envelope.kind == "consent" and msgspec.json.decode(envelope.body).get("effect") == "tighten"


async def _keep(conn: Connection, account: UUID, payload: msgspec.Struct, pending: int) -> None:
    if isinstance(payload, KeyRegister):
        await add_key(conn, account, payload.key, payload.key_class, pending)
    elif isinstance(payload, KeyRotate):
        await conn.execute(queries.REVOKE_KEY, payload.replaces, account, pending, None)
        await add_key(conn, account, payload.key, "root", pending)
    elif isinstance(payload, KeyRevoke):
        await conn.execute(queries.REVOKE_KEY, payload.keyid, account, pending, payload.from_index)
