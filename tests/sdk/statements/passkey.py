"""An authenticator in software, the same on every machine, that says whatever a liar wants it to say."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from licet import canonical
from licet.canonical import to_base64
from licet.statements.envelope import Envelope, Signature, pae
from licet.statements.keys import SigningKey, keyid_of
from licet.statements.kinds import PAYLOAD_TYPE
from licet.statements.webauthn import EDDSA, ES256, Assertion, Passkey, to_base64url

RP_ID = "registry.example"
ORIGIN = "https://registry.example"
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80


class Authenticator:
    """One passkey with its private half."""

    def __init__(self, name: str, cose: int = ES256, origins: tuple[str, ...] = (ORIGIN,), rp_id: str = RP_ID) -> None:
        secret = sha256(f"test passkey {name}".encode()).digest()
        self._private: ec.EllipticCurvePrivateKey | Ed25519PrivateKey
        if cose == EDDSA:
            self._private = Ed25519PrivateKey.from_private_bytes(secret)
            public = self._private.public_key().public_bytes_raw()
        else:
            self._private = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
            public = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        credential = sha256(f"credential {name}".encode()).hexdigest()
        self.passkey = Passkey(cose, public.hex(), credential, rp_id, sorted(origins))  # type: ignore[arg-type]
        self.keyid = keyid_of(self.passkey)

    def sign(self, message: bytes) -> bytes:
        """Return the bare signature over ``message``, the same every time."""
        if isinstance(self._private, Ed25519PrivateKey):
            return self._private.sign(message)
        return self._private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))

    def answer(
        self,
        challenge: bytes,
        /,
        *,
        flags: int = UP | UV,
        rp_id: str = RP_ID,
        tail: bytes = b"",
        raw: bytes | None = None,
        client: bytes | None = None,
        drop: str = "",
        **said: Any,
    ) -> tuple[bytes, Assertion]:
        """Return signature and assertion for ``challenge``; the rest is how a liar would have it."""
        fields: dict[str, Any] = {
            "type": "webauthn.get",
            "challenge": to_base64url(challenge),
            "origin": ORIGIN,
            "crossOrigin": False,
            **said,
        }
        fields.pop(drop, None)
        client = json.dumps(fields, separators=(",", ":")).encode() if client is None else client
        raw = sha256(rp_id.encode()).digest() + bytes([flags]) + bytes(4) + tail if raw is None else raw
        return self.sign(raw + sha256(client).digest()), Assertion(to_base64(raw), to_base64(client))

    def create(self, challenge: bytes, origin: str = ORIGIN, flags: int = UP | UV | AT, **said: Any) -> dict[str, str]:
        """Return what a browser gives when this passkey is made for ``challenge``, as the service takes it."""
        fields = {"type": "webauthn.create", "challenge": to_base64url(challenge), "origin": origin, **said}
        client = json.dumps(fields, separators=(",", ":")).encode()
        credential = bytes.fromhex(self.passkey.credential)
        head = sha256(self.passkey.rp_id.encode()).digest() + bytes([flags]) + bytes(4)
        data = head + bytes(16) + len(credential).to_bytes(2, "big") + credential + self._cose()
        # {"fmt": "none", "attStmt": {}, "authData": …} in CBOR
        attested = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59" + len(data).to_bytes(2, "big") + data
        return {
            "credential": to_base64url(credential),
            "attestation_object": to_base64url(attested),
            "client_data": to_base64url(client),
        }

    def _cose(self) -> bytes:
        raw = bytes.fromhex(self.passkey.public)
        if self.passkey.cose == EDDSA:
            return bytes.fromhex("a4010103272006215820") + raw
        return bytes.fromhex("a5010203262001215820") + raw[1:33] + bytes.fromhex("225820") + raw[33:]

    def endorse(self, message: bytes, /, **lies: Any) -> Signature:
        """Return this passkey's signature over ``message`` as an envelope carries it."""
        signature, assertion = self.answer(sha256(message).digest(), **lies)
        return Signature(self.keyid, to_base64(signature), assertion)


def sealed(payload: msgspec.Struct, *signers: SigningKey | Authenticator, **lies: Any) -> Envelope:
    """Return ``payload`` signed by keys and passkeys in this order; the passkeys tell ``lies``."""
    body = canonical.encode(payload)
    payload_type = PAYLOAD_TYPE.format(kind=payload.__struct_config__.tag)
    message = pae(payload_type, body)
    signatures = [
        each.endorse(message, **lies)
        if isinstance(each, Authenticator)
        else Signature(each.keyid, to_base64(each.sign(message)))
        for each in signers
    ]
    return Envelope(to_base64(body), payload_type, signatures)
