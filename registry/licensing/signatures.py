"""Whose signature a statement carries: one live key of the caller's account, and a payload that names both."""

from __future__ import annotations

from typing import TypeVar

from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import (
    DatasetManifest,
    DutyDone,
    Licence,
    LicenceReply,
    LicenceRequest,
    ModelCard,
    RegistryRef,
    RevenueReport,
    Run,
    UsageBatch,
)
from registry.accounts.identity import Caller
from registry.accounts.keyring import only_signer, signer_of
from registry.database import Connection
from registry.errors import Invalid, NotAllowed

P = TypeVar(
    "P", Licence, DatasetManifest, Run, ModelCard, UsageBatch, LicenceRequest, LicenceReply, RevenueReport, DutyDone
)


async def opened(conn: Connection, schema: type[P], envelope: Envelope, caller: Caller, registry: RegistryRef) -> P:
    """Return the payload that ``caller`` signed for this registry with one key that may sign it now, and no other.

    The key stays live until the caller's transaction ends, so it was live at the statement's log index. Raises
    ``Invalid`` or ``MalformedError`` that says what does not hold.
    """
    keyid = only_signer(envelope)
    if not keyid:
        keyids = [signature.keyid for signature in envelope.signatures]
        raise Invalid.field("envelope.signatures", "one signature by a key of the account", keyids)
    claimed = envelopes.read_as(schema, envelope)
    try:
        signer = await signer_of(conn, registry, caller.account, keyid, claimed)
        payload = envelopes.open_as(schema, envelope, [keyid], signer.keys)
    except NotAllowed as error:
        raise Invalid.field(
            "envelope.signatures", "one signature by a live root key of the account", error.detail
        ) from None
    except VerificationError as error:
        raise Invalid(f"envelope: {error.message}") from None
    if payload.registry != registry:
        raise Invalid.field("payload.registry", f"{registry.origin} with its root key", payload.registry.origin)
    if payload.organisation != caller.id:
        raise Invalid.field("payload.organisation", f"the caller, {caller.id}", payload.organisation)
    if not isinstance(payload, DatasetManifest) and payload.genesis != signer.genesis:
        raise Invalid.field("payload.genesis", "the genesis of the account", payload.genesis)
    return payload
