"""Whose signature a statement carries: one live root key of the caller's account, and a payload that names both."""

from __future__ import annotations

from typing import TypeVar

from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import KeySet
from licet.statements.kinds import DatasetManifest, Licence, RegistryRef, Run, UsageBatch
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.errors import Invalid
from registry.licensing import queries
from registry.licensing.types import Signer

P = TypeVar("P", Licence, DatasetManifest, Run, UsageBatch)


async def opened(conn: Connection, schema: type[P], envelope: Envelope, caller: Caller, registry: RegistryRef) -> P:
    """Return the payload that ``caller`` signed for this registry with one live root key, and with nothing else.

    The key stays live until the caller's transaction ends, so it was live at the statement's log index. Raises
    ``Invalid`` or ``MalformedError`` that says what does not hold.
    """
    keyids = [signature.keyid for signature in envelope.signatures]
    row = await conn.fetchrow(queries.SIGNER, caller.account, keyids[0]) if len(keyids) == 1 else None
    if row is None:
        raise Invalid.field("envelope.signatures", "one signature by a live root key of the account", keyids)
    signer = Signer(row["public"], row["genesis"])
    try:
        payload = envelopes.open_as(schema, envelope, keyids, KeySet([signer.public]))
    except VerificationError as error:
        raise Invalid(f"envelope: {error.message}") from None
    if payload.registry != registry:
        raise Invalid.field("payload.registry", f"{registry.origin} with its root key", payload.registry.origin)
    if payload.organisation != caller.id:
        raise Invalid.field("payload.organisation", f"the caller, {caller.id}", payload.organisation)
    if not isinstance(payload, DatasetManifest) and payload.genesis != signer.genesis:
        raise Invalid.field("payload.genesis", "the genesis of the account", payload.genesis)
    return payload
