"""Getting back into an account whose keys are lost: with a code that its owner signed for while there was a key.

The codes are made on the owner's machine; what reaches us before one is used is its digest, in a statement that a root
key signed. So a token, which signs nothing, cannot make codes. Whoever shows one gets a key of class ``recovered``,
which the registry's office countersigns: for 7 days it may only tighten, and everybody who verifies sees what it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID

from licet import canonical, identifiers, times
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.wire.accounts import KeyAccepted, Recovered, Recovery
from registry import translog
from registry.accounts import queries, tokens
from registry.accounts.identity import Caller
from registry.accounts.keyring import opened_by_root
from registry.accounts.keys import take
from registry.errors import Conflict, Invalid, NotAllowed
from registry.http.moments import past
from registry.services import Services

CODES: Final = range(1, 21)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CODE: Final = re.compile(r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){5}", re.ASCII)


async def keep_codes(services: Services, account: UUID, envelope: Envelope) -> int:
    """Return how many codes may recover ``account`` from now on; those that were not used are worthless now.

    Raises ``NotAllowed`` unless a live root key signed for them, and ``Conflict`` for a statement that is not newer
    than the last one.
    """
    payload = envelopes.read_as(kinds.RecoveryCodes, envelope)
    digests = payload.digests
    well_formed = all(_DIGEST.fullmatch(each) for each in digests) and digests == sorted(set(digests))
    if len(digests) not in CODES or not well_formed:
        raise Invalid.field("digests", "1 to 20 SHA-256 in lower-case hex, sorted, each once", digests)
    issued = past(payload.issued_at, "issued_at")
    async with services.database.transaction() as conn:
        await conn.fetchrow(queries.LOCK_ACCOUNT, account)
        await opened_by_root(conn, services.keys.ref, account, kinds.RecoveryCodes, envelope)
        newest = await conn.fetchval(queries.NEWEST_CODES, account)
        if newest is not None and issued <= newest:
            raise Conflict("expected codes signed after the last ones")
        await conn.execute(queries.FORGET_CODES, account)
        kept = await conn.fetch(queries.KEEP_CODES, account, issued, [bytes.fromhex(each) for each in digests])
        if len(kept) < len(digests):
            raise Conflict("expected codes that were never kept before: make new ones")
    return len(digests)


async def draft_codes(services: Services, caller: Caller, digests: Sequence[str]) -> bytes:
    """Return the bytes that a root key of the caller has to sign for codes with these digests; nothing is kept.

    The codes themselves are made where they are shown, and never come here before one is used.
    """
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(queries.ACCOUNT, caller.account)
    if row is None or row["genesis"] is None:
        raise NotAllowed("expected the account of an artist or organisation")
    payload = kinds.RecoveryCodes(
        registry=services.keys.ref,
        account=caller.id,
        genesis=row["genesis"],
        digests=sorted(set(digests)),
        issued_at=times.to_text(times.now()),
        nonce=identifiers.new_uuid().hex,
    )
    return canonical.encode(payload)


async def recover(services: Services, request: Recovery) -> Recovered:
    """Return once the new key is in the log as ``recovered``, with a token for the account; the code is used up.

    Sending it again gives the same key and, while it was never used, a new secret for the same token. Raises
    ``NotAllowed`` for a code that is not this account's or was used.
    """
    account = identifiers.to_uuid(request.account, "art", "org", field="account")
    if not _CODE.fullmatch(request.code):
        raise Invalid.field("code", "six groups of four letters and digits", "another form")
    payload = envelopes.read_as(kinds.KeyRegister, request.envelope)
    if payload.key_class != "recovered" or payload.account != request.account or len(request.envelope.signatures) != 1:
        raise Invalid("envelope: expected a key-register of class recovered for this account, signed by the new key")
    async with services.database.transaction() as conn:
        envelope = envelopes.countersign(request.envelope, await services.keys.hold(conn, "office"))
        digest = bytes.fromhex(envelope.payload_digest)
        known = await conn.fetchrow(queries.KEY_STATEMENT, digest)
        used = await conn.fetchval(queries.USE_CODE, sha256(request.code.encode()).digest(), account)
        if known is None and used is None:
            raise NotAllowed("expected a recovery code of this account that was not used, got another")
        statement, pending, keyid = await take(services, conn, account, envelope)
        scopes = tokens.usual(request.account[:3])
        token = await tokens.create(conn, account, scopes, services.settings.token_ttl, request=digest)
    receipt = await translog.wait(services.database, pending)
    key = KeyAccepted(identifiers.from_uuid("stm", statement), "key-register", keyid, receipt.log_index, receipt)
    return Recovered(request.account, key, token)
