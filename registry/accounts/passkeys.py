"""Making a passkey: what the browser is asked for, what it made, and the statement that registers it.

The statement is then signed by the passkey itself in a second ceremony, whose challenge is the digest of its PAE: that
proves possession to everybody, for ever. Attestation (who made the authenticator) is neither asked for nor looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from webauthn import generate_registration_options, options_to_json, verify_registration_response
from webauthn.helpers import parse_cbor
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from licet import canonical, identifiers, times
from licet.canonical import to_base64
from licet.errors import LicetError
from licet.identifiers import KINDS
from licet.statements.envelope import pae
from licet.statements.keys import KeySet
from licet.statements.kinds import PAYLOAD_TYPE, KeyRegister
from licet.statements.webauthn import EDDSA, ES256, Passkey, from_base64url, to_base64url
from licet.wire.accounts import PasskeyCreated, PasskeyDrafted
from registry.accounts import challenges, queries
from registry.accounts.identity import Caller
from registry.accounts.keyring import ring_of
from registry.errors import Invalid, NotAllowed
from registry.services import Services

ALGORITHMS: Final = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.EDDSA]
_PREFIX: Final = {"artist": "art", "organisation": "org"}
# What the library raises for bytes of ill will, beside its own errors.
_FOREIGN: Final = (WebAuthnException, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, LicetError)


async def options(services: Services, caller: Caller | None, name: str, kind: str) -> dict[str, Any]:
    """Return what ``navigator.credentials.create`` takes, for a new account of ``kind`` or for the caller's own."""
    account = identifiers.new_uuid() if caller is None else caller.account
    prefix = _PREFIX[kind] if caller is None else caller.kind
    if prefix not in _PREFIX.values():
        raise NotAllowed("expected the account of an artist or organisation")
    async with services.database.transaction() as conn:
        challenge = await challenges.issue(conn, "register", account, prefix)
        known = [row["credential"] for row in await conn.fetch(queries.CREDENTIALS, account)]
    return creation(services, account, name, challenge, known)


def creation(services: Services, account: UUID, name: str, challenge: bytes, known: Sequence[bytes]) -> dict[str, Any]:
    """Return what ``navigator.credentials.create`` takes for ``challenge``; none of ``known`` makes another."""
    made = generate_registration_options(
        rp_id=services.settings.site.rp_id,
        rp_name="Licet",
        user_id=account.bytes,
        user_name=name,
        user_display_name=name,
        challenge=challenge,
        timeout=challenges.MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        supported_pub_key_algs=ALGORITHMS,
    )
    return dict(msgspec.json.decode(options_to_json(made)))


async def drafted(services: Services, caller: Caller | None, created: PasskeyCreated) -> PasskeyDrafted:
    """Return the ``key-register`` that the new passkey has to sign next; nothing is kept.

    Raises ``NotAllowed`` for a challenge that is not to be answered (again), ``Invalid`` for what is no passkey made on
    a page of this registry with its user verified.
    """
    client_data = from_base64url(created.client_data, "client_data")
    taken = await challenges.take(services.database, "register", client_data)
    assert taken.account is not None
    if taken.kind is None or taken.kind not in _PREFIX.values():
        raise NotAllowed("expected an answer to a challenge for the account of an artist or organisation")
    genesis: str | None = None
    prev: str | msgspec.UnsetType = msgspec.UNSET
    if caller is not None:
        if taken.account != caller.account:
            raise NotAllowed("expected an answer to a challenge for this account")
        genesis, prev = await _begun(services, caller.account)
    passkey = verified(services, taken.challenge, created)
    name = identifiers.from_uuid(taken.kind, taken.account)
    return _to_sign(services, name, passkey, "root", genesis, prev)


async def recovering(services: Services, named: str, created: PasskeyCreated) -> PasskeyDrafted:
    """Return the ``key-register`` of class ``recovered`` by which the new passkey would come to the account ``named``.

    Nothing is kept, and nothing follows from it without a recovery code. Raises as `drafted` does.
    """
    account = identifiers.to_uuid(named, *_PREFIX.values(), field="account")
    client_data = from_base64url(created.client_data, "client_data")
    taken = await challenges.take(services.database, "register", client_data)
    genesis, prev = await _begun(services, account)
    passkey = verified(services, taken.challenge, created)
    return _to_sign(services, named, passkey, "recovered", genesis, prev)


async def joining(services: Services, account: UUID, kind: str, created: PasskeyCreated) -> PasskeyDrafted:
    """Return the ``key-register`` by which the new passkey asks to be let into ``account``, which invited it.

    Nothing is kept, and nothing follows from it without a root key of the account. Raises as `drafted` does.
    """
    client_data = from_base64url(created.client_data, "client_data")
    taken = await challenges.take(services.database, "register", client_data)
    if taken.account != account:
        raise NotAllowed("expected an answer to a challenge for this account")
    return await once_more(services, account, kind, verified(services, taken.challenge, created))


async def once_more(services: Services, account: UUID, kind: str, passkey: Passkey) -> PasskeyDrafted:
    """Return the ``key-register`` by which ``passkey`` asks for a place behind the last statement of ``account``."""
    genesis, prev = await _begun(services, account)
    return _to_sign(services, identifiers.from_uuid(kind, account), passkey, "root", genesis, prev)


def _to_sign(
    services: Services,
    account: str,
    passkey: Passkey,
    key_class: Literal["root", "recovered"],
    genesis: str | None,
    prev: str | msgspec.UnsetType,
) -> PasskeyDrafted:
    payload = KeyRegister(
        registry=services.keys.ref,
        account=account,
        kind="artist" if KINDS[account[:3]] == "artist" else "organisation",
        genesis=genesis,
        key=passkey,
        key_class=key_class,
        issued_at=times.to_text(times.now()),
        nonce=identifiers.new_uuid().hex,
        prev=prev,
    )
    body = canonical.encode(payload)
    payload_type = PAYLOAD_TYPE.format(kind="key-register")
    challenge = sha256(pae(payload_type, body)).digest()
    return PasskeyDrafted(
        KeySet().learn(passkey), payload.account, to_base64(body), payload_type, to_base64url(challenge)
    )


async def _begun(services: Services, account: UUID) -> tuple[str, str]:
    """Return the account's genesis and the last statement about its keys."""
    async with services.database.acquire() as conn:
        ring, _ = await ring_of(conn, services.keys.ref, account)
    if not ring.genesis:
        raise NotAllowed("expected the account of an artist or organisation")
    return ring.genesis, ring.head


def verified(services: Services, challenge: bytes, created: PasskeyCreated) -> Passkey:
    """Return the passkey that the browser made for ``challenge`` on one of our pages; raises ``Invalid``."""
    site = services.settings.site
    response = {"clientDataJSON": created.client_data, "attestationObject": created.attestation_object}
    credential = {"id": created.credential, "rawId": created.credential, "response": response, "type": "public-key"}
    try:
        verified = verify_registration_response(
            credential={**credential, "clientExtensionResults": {}},
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
        cose, public = _public(parse_cbor(verified.credential_public_key))
        passkey = Passkey(cose, public.hex(), verified.credential_id.hex(), site.rp_id, list(site.origins))  # type: ignore[arg-type]
        KeySet().learn(passkey)
    except _FOREIGN as error:
        raise Invalid(f"expected a passkey made on {', '.join(site.origins)} by a verified user: {error}") from None
    if to_base64url(verified_id := bytes.fromhex(passkey.credential)) != created.credential:
        raise Invalid.field("credential", to_base64url(verified_id), created.credential)
    return passkey


def _public(cose: Any) -> tuple[int, bytes]:
    """Return algorithm and public key of a COSE key (RFC 9053): 1 kty, 3 alg, -1 crv, -2 x, -3 y."""
    if cose[3] == ES256 and (cose[1], cose[-1]) == (2, 1):
        return ES256, b"\x04" + cose[-2] + cose[-3]
    if cose[3] == EDDSA and (cose[1], cose[-1]) == (1, 6):
        return EDDSA, bytes(cose[-2])
    raise Invalid.field("attestation_object", "a key for ES256 or EdDSA over Ed25519", cose[3])
