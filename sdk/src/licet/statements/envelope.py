"""DSSE v1 envelopes under a strict profile: one way to write each, and no room for a second meaning.

Source: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md. The profile (docs: internals/statements)
adds: canonical padded base64, known fields only, exactly the signatures that the kind requires, in a fixed order,
and a ``payloadType`` that agrees with the payload's ``type``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from licet import canonical
from licet.canonical import from_base64, to_base64
from licet.errors import MalformedError, VerificationError
from licet.statements.keys import KeySet, SigningKey
from licet.statements.kinds import PAYLOAD_TYPE, VERSION
from licet.statements.webauthn import Assertion

MAX_PAYLOAD: Final = 8 << 20
MAX_SIGNATURES: Final = 4

P = TypeVar("P", bound=msgspec.Struct)


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signature over the PAE of its envelope; ``sig`` is canonical padded base64.

    A passkey signs what ``webauthn`` carries, whose challenge is the SHA-256 of the PAE; with any other key it is left
    out.
    """

    keyid: str
    sig: str
    webauthn: Assertion | msgspec.UnsetType = msgspec.UNSET


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A signed payload: its bytes in base64, their type, and who signed them."""

    payload: str
    payload_type: str
    signatures: list[Signature]

    @property
    def body(self) -> bytes:
        """The payload bytes exactly as signed; raises ``MalformedError`` for a second spelling of base64."""
        return from_base64(self.payload, "payload")

    @property
    def kind(self) -> str:
        """The kind named by ``payloadType``, such as ``consent``."""
        prefix, _, rest = self.payload_type.partition(".licet.")
        if prefix != "application/vnd" or not rest.endswith("+json"):
            raise MalformedError(f"payloadType: expected application/vnd.licet.…+json, got {self.payload_type!r}")
        return rest.removesuffix("+json")

    @property
    def payload_digest(self) -> str:
        """Hex SHA-256 of the payload bytes: what ``genesis`` and ``prev`` name."""
        return hashlib.sha256(self.body).hexdigest()


def pae(payload_type: str, body: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding: the bytes that every signature covers."""
    name = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(body), body)


def seal(payload: msgspec.Struct, *keys: SigningKey) -> Envelope:
    """Return ``payload`` in canonical form, signed by each of ``keys`` in that order."""
    body = canonical.encode(payload)
    payload_type = PAYLOAD_TYPE.format(kind=payload.__struct_config__.tag)
    signed = pae(payload_type, body)
    return Envelope(
        payload=to_base64(body),
        payload_type=payload_type,
        signatures=[Signature(key.keyid, to_base64(key.sign(signed))) for key in keys],
    )


def countersign(envelope: Envelope, key: SigningKey) -> Envelope:
    """Return ``envelope`` with one more signature at the end, over the same bytes."""
    added = Signature(key.keyid, to_base64(key.sign(pae(envelope.payload_type, envelope.body))))
    return Envelope(envelope.payload, envelope.payload_type, [*envelope.signatures, added])


def encode(envelope: Envelope) -> bytes:
    """Return the canonical bytes of ``envelope``: what is stored, hashed and committed to by the log."""
    return canonical.encode(envelope)


def parse(data: bytes) -> Envelope:
    """Return the envelope whose canonical bytes are exactly ``data``; raises ``MalformedError``."""
    return canonical.decode_as(Envelope, data, limit=2 * MAX_PAYLOAD)


def open_as(schema: type[P], envelope: Envelope, signers: Sequence[str], keys: KeySet) -> P:
    """Return the payload of ``envelope`` once everything about it holds.

    ``signers`` are the key ids that must have signed, exactly these and in this order; ``keys`` knows their public
    halves. Raises ``MalformedError`` for bytes outside the profile and ``VerificationError`` for a signature that
    is missing, superfluous, by another key or wrong.
    """
    payload = read_as(schema, envelope)
    if not signers:
        raise VerificationError("signatures: expected to know who must have signed, got nobody")
    if len(envelope.signatures) > MAX_SIGNATURES:
        raise MalformedError(f"signatures: expected at most {MAX_SIGNATURES}, got {len(envelope.signatures)}")
    got = [signature.keyid for signature in envelope.signatures]
    if got != list(signers):
        raise VerificationError(f"signatures: expected keys {list(signers)}, got {got}")
    signed = pae(envelope.payload_type, envelope.body)
    for signature in envelope.signatures:
        assertion = None if signature.webauthn is msgspec.UNSET else signature.webauthn
        keys.verify(signature.keyid, from_base64(signature.sig, "sig"), signed, assertion)
    return payload


def read_as(schema: type[P], envelope: Envelope) -> P:
    """Return the payload of ``envelope`` as a ``schema`` WITHOUT verifying signatures; raises ``MalformedError``.

    For the moment before the signer is known: what comes out must not be trusted.
    """
    tag: Any = schema.__struct_config__.tag
    if envelope.kind != tag:
        raise MalformedError(f"payloadType: expected {PAYLOAD_TYPE.format(kind=tag)}, got {envelope.payload_type!r}")
    payload = canonical.decode_as(schema, envelope.body, limit=MAX_PAYLOAD)
    if getattr(payload, "v", VERSION) != VERSION:
        raise MalformedError(f"v: expected version {VERSION} of a {tag}, got another")
    return payload
