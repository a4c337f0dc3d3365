"""Passkey assertions over statements, verified offline: no server, no library beside ``cryptography``.

The challenge of an assertion is the SHA-256 of the statement's PAE, so what the authenticator signed is that statement
and nothing else. Source: Web Authentication level 3, section 7.2; what is stricter here: the user must have been
verified, the page must have been the top one of a published origin, no key of ``clientDataJSON`` comes twice, and only
ES256 (-7) and EdDSA over Ed25519 (-8) sign. The counter is ignored: passkeys that are synchronised do not count.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple, NoReturn
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from licet.canonical import from_base64
from licet.errors import MalformedError, VerificationError
from licet.statements.points import check_public

ES256: Final = -7
EDDSA: Final = -8
MAX_AUTHENTICATOR_DATA: Final = 1 << 12
MAX_CLIENT_DATA: Final = 1 << 13
MAX_ORIGINS: Final = 8
CREDENTIAL_BYTES: Final = range(16, 1024)  # WebAuthn level 3, "credential id"

_HEAD: Final = 37  # rpIdHash, flags, signCount
_PRESENT, _VERIFIED, _ELIGIBLE, _BACKED, _ATTESTED, _EXTENDED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
_RP_ID: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_POINT: Final = 65  # 0x04, x, y


class Assertion(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"authenticator_data": "authenticatorData", "client_data": "clientDataJSON"},
):
    """What an authenticator's signature is over, beside the signature: both in canonical padded base64."""

    authenticator_data: str
    client_data: str


class Passkey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="alg", tag="webauthn"):
    """A passkey's public half, and where it signs. ``public``: hex of the 65-byte point (-7) or of 32 bytes (-8)."""

    cose: Literal[-7, -8]
    public: str
    credential: str  # hex of the credential id
    rp_id: str
    origins: list[str]  # of pages that may ask for a signature; sorted


class AuthenticatorData(NamedTuple):
    """The parsed head of ``authenticatorData``."""

    rp_id_hash: bytes
    flags: int
    sign_count: int

    @property
    def present(self) -> bool:
        """Whether somebody touched the authenticator."""
        return bool(self.flags & _PRESENT)

    @property
    def verified(self) -> bool:
        """Whether the authenticator knew who it was: PIN, fingerprint, face."""
        return bool(self.flags & _VERIFIED)


class ClientData(NamedTuple):
    """What the browser says of the page that asked."""

    type: str
    challenge: bytes
    origin: str
    cross_origin: bool
    top_origin: str | None


def parse_authenticator_data(data: bytes) -> AuthenticatorData:
    """Return what ``authenticatorData`` of an assertion says; raises ``MalformedError``.

    Refused: attested credential data, which only a registration has; bytes that no flag announces; a credential that
    is backed up and not eligible for it.
    """
    if not _HEAD <= len(data) <= MAX_AUTHENTICATOR_DATA:
        raise MalformedError(
            f"authenticatorData: expected {_HEAD} to {MAX_AUTHENTICATOR_DATA} bytes, got {len(data)}",
            field="authenticatorData",
        )
    flags, rest = data[32], data[_HEAD:]
    if flags & _ATTESTED:
        raise MalformedError("authenticatorData: expected an assertion, got attested credential data (flag AT)")
    if flags & _BACKED and not flags & _ELIGIBLE:
        raise MalformedError("authenticatorData: expected flag BS only beside BE, got it alone")
    if bool(flags & _EXTENDED) != bool(rest):
        raise MalformedError("authenticatorData: expected extensions exactly if flag ED is set, got the contrary")
    if rest and rest[0] >> 5 != 5:
        raise MalformedError("authenticatorData: expected extensions as a CBOR map, got another type")
    return AuthenticatorData(data[:32], flags, int.from_bytes(data[33:_HEAD], "big"))


def parse_client_data(data: bytes) -> ClientData:
    """Return what ``clientDataJSON`` says; fields that a later level adds are ignored. Raises ``MalformedError``."""
    if len(data) > MAX_CLIENT_DATA:
        raise MalformedError(
            f"clientDataJSON: expected at most {MAX_CLIENT_DATA} bytes, got {len(data)}", field="clientDataJSON"
        )
    try:
        value = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"clientDataJSON: expected a JSON object, got {error!s:.120}") from None
    if not isinstance(value, dict):
        raise MalformedError("clientDataJSON: expected a JSON object, got another value")
    for name in ("type", "challenge", "origin"):
        if not isinstance(value.get(name), str):
            raise MalformedError(f"clientDataJSON: {name}: expected text, got {value.get(name)!r:.80}")
    cross = value.get("crossOrigin", False)
    top = value.get("topOrigin")
    if not isinstance(cross, bool):
        raise MalformedError(f"clientDataJSON: crossOrigin: expected true or false, got {cross!r:.80}")
    if "topOrigin" in value and not isinstance(top, str):
        raise MalformedError(f"clientDataJSON: topOrigin: expected text, got {top!r:.80}")
    return ClientData(value["type"], from_base64url(value["challenge"], "challenge"), value["origin"], cross, top)


class PasskeyVerifier:
    """Verifies what one passkey signed. ``MalformedError`` on making one from a passkey that is not usable."""

    def __init__(self, passkey: Passkey) -> None:
        check_place(passkey.rp_id, passkey.origins)
        credential = _hex(passkey.credential, "credential")
        if len(credential) not in CREDENTIAL_BYTES:
            raise MalformedError(f"credential: expected 16 to 1023 bytes, got {len(credential)}")
        self._passkey = passkey
        self.public = _public(passkey.cose, _hex(passkey.public, "public"))

    def verify(self, assertion: Assertion, signature: bytes, message: bytes) -> None:
        """Return if ``signature`` is this passkey's over ``message``, asked for as it must be.

        Raises ``MalformedError`` for what does not parse, ``VerificationError`` for what does not hold.
        """
        self.verify_challenge(assertion, signature, sha256(message).digest())

    def verify_challenge(self, assertion: Assertion, signature: bytes, challenge: bytes) -> None:
        """Return if this passkey answered ``challenge``; raises as `verify` does."""
        raw = from_base64(assertion.authenticator_data, "authenticatorData")
        said = from_base64(assertion.client_data, "clientDataJSON")
        authenticator, client = parse_authenticator_data(raw), parse_client_data(said)
        if client.type != "webauthn.get":
            raise VerificationError(f"clientDataJSON: type: expected webauthn.get, got {client.type!r:.80}")
        if client.challenge != challenge:
            raise VerificationError("clientDataJSON: challenge: expected the digest of this statement, got another")
        if client.origin not in self._passkey.origins:
            raise VerificationError(
                f"clientDataJSON: origin: expected {' or '.join(self._passkey.origins)}, got {client.origin!r:.120}"
            )
        if client.cross_origin or client.top_origin is not None:
            raise VerificationError("clientDataJSON: expected a page of its own, got one inside a page of another site")
        if authenticator.rp_id_hash != sha256(self._passkey.rp_id.encode()).digest():
            raise VerificationError(f"authenticatorData: expected an answer for {self._passkey.rp_id}, got another's")
        if not authenticator.present:
            raise VerificationError("authenticatorData: expected a user who was present (flag UP), got none")
        if not authenticator.verified:
            raise VerificationError("authenticatorData: expected a user who was verified (flag UV), got none")
        verify_signature(self.public, signature, raw + sha256(said).digest())


def verify_signature(public: ec.EllipticCurvePublicKey | Ed25519PublicKey, signature: bytes, message: bytes) -> None:
    """Return if ``signature`` holds: DER for ES256, low or high S; raises ``VerificationError``."""
    try:
        if isinstance(public, Ed25519PublicKey):
            public.verify(signature, message)
        else:
            public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise VerificationError("the signature by the passkey does not hold") from None


def check_place(rp_id: str, origins: list[str]) -> None:
    """Return if ``origins`` are secure origins (or localhost) within ``rp_id``; raises ``MalformedError``."""
    if not _RP_ID.fullmatch(rp_id):
        raise MalformedError(f"rp_id: expected a host name in lower case, got {rp_id!r:.120}", field="rp_id")
    if not 0 < len(origins) <= MAX_ORIGINS or origins != sorted(set(origins)):
        raise MalformedError(f"origins: expected 1 to {MAX_ORIGINS}, sorted, each once, got {origins!r:.200}")
    for origin in origins:
        if not _within(origin, rp_id):
            raise MalformedError(f"origins: expected https origins within {rp_id}, got {origin!r:.120}")


def from_base64url(text: str, field: str) -> bytes:
    """Return the bytes whose one unpadded base64url spelling is ``text``; raises ``MalformedError``."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or to_base64url(data) != text:
        raise MalformedError(f"{field}: expected unpadded base64url, got {text!r:.80}", field=field)
    return data


def to_base64url(data: bytes) -> str:
    """Return ``data`` in the URL-safe alphabet without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _public(cose: int, raw: bytes) -> ec.EllipticCurvePublicKey | Ed25519PublicKey:
    if cose == EDDSA:
        check_public(raw)
        return Ed25519PublicKey.from_public_bytes(raw)
    if len(raw) != _POINT or raw[0] != 4:
        raise MalformedError(f"public: expected an uncompressed point of P-256, 65 bytes, got {len(raw)}")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        raise MalformedError("public: expected a point on P-256, got another") from None


def _within(origin: str, rp_id: str) -> bool:
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    local = host == "localhost"
    plain = f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
    if origin != plain or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        return False
    return bool(_RP_ID.fullmatch(host)) and (host == rp_id or host.endswith(f".{rp_id}"))


def _hex(text: str, field: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if raw.hex() != text:
        raise MalformedError(f"{field}: expected lower-case hex digits, got {text!r:.80}", field=field)
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object with one key twice")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, which JSON does not have")
