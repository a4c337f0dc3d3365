"""Key statements that a page shows before a passkey signs them: a key that asks to be let in, a delegation, an end.

Nothing is kept here. What was drafted names the statement in front of it: if the account's keys change before it is
signed, it is refused (``registry.accounts.keys``), and drafted anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from licet import canonical, identifiers, times
from licet.canonical import to_base64
from licet.errors import LicetError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope, Signature, pae
from licet.statements.keyring import DELEGABLE, DELEGATED_FOR, AccountKey, Keyring
from licet.statements.keys import KeySet
from licet.statements.kinds import PAYLOAD_TYPE, Budget, Delegation, KeyRegister, KeyRevoke, Limit
from licet.statements.webauthn import from_base64url, to_base64url
from registry.accounts import queries
from registry.accounts.identity import Caller
from registry.accounts.keyring import ring_of
from registry.accounts.keys import NONCE, check_key
from registry.errors import Conflict, Invalid, NotFound
from registry.http.moments import past
from registry.services import Services

LONGEST: Final = 8_192  # characters of a request, as it stands in a link


class ToSign(NamedTuple):
    """A statement for a passkey: what it says, its bytes, the signatures that are there, and what to sign with whom."""

    payload: Any
    body: str
    payload_type: str
    signatures: list[Signature]
    challenge: str
    passkeys: list[tuple[str, str]]  # credential and key id of each that the account may sign with


def read(text: str) -> Envelope:
    """Return the request in ``text``: the link that ``licet account join`` prints, or what stands behind its ``#``."""
    given = "".join(text.rpartition("#")[2].split())
    try:
        if 0 < len(given) <= LONGEST:
            return envelopes.parse(from_base64url(given, "request"))
    except LicetError:
        pass
    raise Invalid.field("request", "the link that licet account join printed, whole", given[:40])


async def asked(services: Services, caller: Caller, envelope: Envelope) -> ToSign:
    """Return the ``key-register`` in ``envelope``, once all of it holds but the root key's signature.

    Raises ``Invalid`` for another account's, registry's or kind, a key that did not sign for itself, or a statement
    that names none in front of it, and ``Conflict`` for a key that is known already or where the account's keys have
    changed since it was asked.
    """
    async with services.database.acquire() as conn:
        ring, _ = await ring_of(conn, services.keys.ref, caller.account)
    payload = proven(services, ring, envelope)
    return await _to_sign(services, caller, payload, envelope.body, envelope.signatures)


def proven(services: Services, ring: Keyring, envelope: Envelope) -> KeyRegister:
    """Return the ``key-register`` in ``envelope`` for the account of ``ring``; raises as `asked` does."""
    payload = envelopes.read_as(KeyRegister, envelope)
    named = (payload.registry, payload.account, payload.genesis, payload.kind)
    if named != (services.keys.ref, ring.account, ring.genesis, ring.kind):
        raise Invalid("expected a key that asks for this account at this registry, got another's")
    if payload.key_class not in ("root", "delegate"):
        raise Invalid.field("key_class", "root or delegate", payload.key_class)
    check_key(services, payload.key)
    past(payload.issued_at, "issued_at")
    if len(payload.nonce) not in NONCE:
        raise Invalid.field("nonce", "16 to 128 characters", payload.nonce)
    own = KeySet()
    keyid = own.learn(payload.key)
    if keyid in ring:
        raise Conflict("this key was let in already")
    if payload.prev is msgspec.UNSET:  # a history with gaps is not for somebody else to bring about
        raise Invalid.field("prev", f"{ring.head}, the account's last key statement", None)
    if payload.prev != ring.head:
        raise Conflict("the account's keys have changed since this was asked: run licet account join once more")
    try:
        envelopes.open_as(KeyRegister, envelope, [keyid], own)
    except LicetError as error:
        raise Invalid(f"expected what the new key itself has signed: {error.message}") from None
    return payload


async def delegation(
    services: Services, caller: Caller, keyid: str, scope: Sequence[str], days: int, works: int | None,
    budget: Sequence[Budget],
) -> ToSign:  # fmt: skip
    """Return the ``delegation`` that lets the live delegate key ``keyid`` sign; raises ``Invalid`` naming the field."""
    wanted = sorted(set(scope))
    if not wanted or not set(wanted) <= DELEGABLE:
        raise Invalid.field("scope", f"some of {', '.join(sorted(DELEGABLE))}", ", ".join(wanted) or None)
    if not 1 <= days <= DELEGATED_FOR.days:
        raise Invalid.field("days", f"1 to {DELEGATED_FOR.days}", days)
    if works is not None and works < 1:
        raise Invalid.field("works", "1 or more", works)
    key, fields, _ = await _next(services, caller, keyid)
    if key.key_class != "delegate" or key.revoked_from is not None:
        raise Invalid.field("key", "a delegate key that was not ended", keyid)
    payload = Delegation(
        keyid=keyid,
        scope=wanted,
        limit=Limit(works, sorted(budget, key=lambda each: each.currency)),
        valid_until=times.to_text(times.now() + timedelta(days=days)),
        **fields,
    )
    return await _to_sign(services, caller, payload, canonical.encode(payload), [])


async def end(services: Services, caller: Caller, keyid: str) -> ToSign:
    """Return the ``key-revoke`` that ends the live key ``keyid`` from now on.

    Raises ``Conflict`` for the last key that may do everything: nobody could sign for the account any more.
    """
    key, fields, roots = await _next(services, caller, keyid)
    if key.revoked_from is not None:
        raise Conflict("this key was ended already")
    if roots == [keyid]:
        raise Conflict("this is the last key that may do everything: let another in before you end it")
    payload = KeyRevoke(keyid=keyid, from_index=None, **fields)
    return await _to_sign(services, caller, payload, canonical.encode(payload), [])


async def _next(services: Services, caller: Caller, keyid: str) -> tuple[AccountKey, dict[str, Any], list[str]]:
    """Return a key of the account, the fields of the next statement about its keys, and which may do everything."""
    async with services.database.acquire() as conn:
        ring, _ = await ring_of(conn, services.keys.ref, caller.account)
    if keyid not in ring:
        raise NotFound("there is no such key of yours")
    fields = {
        "registry": services.keys.ref,
        "account": ring.account,
        "genesis": ring.genesis,
        "issued_at": times.to_text(times.now()),
        "nonce": identifiers.new_uuid().hex,
        "prev": ring.head,
    }
    return ring[keyid], fields, ring.roots


async def _to_sign(
    services: Services, caller: Caller, payload: Any, body: bytes, signatures: list[Signature]
) -> ToSign:
    payload_type = PAYLOAD_TYPE.format(kind=payload.__struct_config__.tag)
    challenge = to_base64url(sha256(pae(payload_type, body)).digest())
    return ToSign(payload, to_base64(body), payload_type, signatures, challenge, await roots(services, caller.account))


async def roots(services: Services, account: UUID) -> list[tuple[str, str]]:
    """Return credential and key id of each live passkey of ``account`` that may do everything."""
    async with services.database.acquire() as conn:
        rows = await conn.fetch(queries.ROOT_PASSKEYS, account)
    return [(to_base64url(row["credential"]), row["keyid"]) for row in rows]
