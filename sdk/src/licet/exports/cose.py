"""COSE_Sign1 (RFC 9052) with Ed25519 under a strict profile: one spelling of each message, within limits.

The profile: tag 18; deterministic CBOR (RFC 8949, section 4.2.1) of integers, byte and text strings, arrays, maps and
null; the algorithm EdDSA (−8), which is what verifiers in the field know. Only this module imports ``cbor2``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from licet.errors import InputError, MalformedError, VerificationError
from licet.statements.keys import KeySet, SigningKey

if TYPE_CHECKING:
    from types import ModuleType

ALG: Final = 1
CONTENT_TYPE: Final = 3
KID: Final = 4
CLAIMS: Final = 15  # RFC 9597: CWT claims, of which 1 is the issuer and 2 the subject
EDDSA: Final = -8
ISS: Final = 1
SUB: Final = 2
MAX_BYTES: Final = 1 << 16
MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 1_024
_TAGGED: Final = b"\xd2"  # tag 18
_CONTEXT: Final = "Signature1"


class Sign1(msgspec.Struct, frozen=True):
    """A message as it was read, verified by nobody; ``payload`` is None where it is detached."""

    protected: dict[Any, Any]
    unprotected: dict[Any, Any]
    payload: bytes | None
    signature: bytes


def sign(
    protected: dict[Any, Any],
    unprotected: dict[Any, Any],
    payload: bytes,
    key: SigningKey,
    *,
    detached: bool = False,
) -> bytes:
    """Return the tagged message over ``payload`` by ``key``; ``protected`` needs no algorithm, it is added."""
    head = to_cbor({**protected, ALG: EDDSA})
    signature = key.sign(to_cbor([_CONTEXT, head, b"", payload]))
    return _TAGGED + to_cbor([head, unprotected, None if detached else payload, signature])


def parse(data: bytes, *, limit: int = MAX_BYTES) -> Sign1:
    """Return the message whose one spelling is ``data``; raises ``MalformedError`` for anything else."""
    if len(data) > limit:
        raise MalformedError(f"expected a COSE message of at most {limit} bytes, got {len(data)}")
    if data[:1] != _TAGGED:
        raise MalformedError("expected a COSE_Sign1 message (tag 18), got other bytes")
    value = from_cbor(data[1:])
    if not isinstance(value, list) or len(value) != 4:
        raise MalformedError("expected a COSE_Sign1 message of 4 parts, got another shape")
    head, unprotected, payload, signature = value
    protected = from_cbor(head) if isinstance(head, bytes) and head else None
    if not isinstance(protected, dict) or not isinstance(unprotected, dict):
        raise MalformedError("expected protected and unprotected headers as maps, got another shape")
    if not (payload is None or isinstance(payload, bytes)) or not isinstance(signature, bytes):
        raise MalformedError("expected payload and signature as byte strings, got another shape")
    if protected.get(ALG) != EDDSA:
        raise MalformedError(f"expected the algorithm EdDSA ({EDDSA}), got {protected.get(ALG)!r:.40}")
    return Sign1(protected, unprotected, payload, signature)


def verify(message: Sign1, public: bytes, payload: bytes | None = None) -> bytes:
    """Return the payload once ``public`` signed it; a detached one is given as ``payload``, an attached one is not.

    Raises ``VerificationError``.
    """
    body = message.payload if payload is None else payload
    if body is None or (payload is not None and message.payload is not None):
        raise VerificationError("expected a payload either in the message or beside it, got both or none")
    keys = KeySet()
    signed = to_cbor([_CONTEXT, to_cbor(message.protected), b"", body])
    keys.verify(keys.add(public), message.signature, signed)
    return body


def to_cbor(value: Any) -> bytes:
    """Return the deterministic CBOR of ``value``."""
    encoded: bytes = _cbor2().dumps(value, canonical=True)
    return encoded


def from_cbor(data: bytes) -> Any:
    """Return the value whose deterministic CBOR is ``data``; raises ``MalformedError`` for anything else.

    The shape is walked before the library sees it: no tags, no floats, nothing indefinite, no lengths that lie.
    """
    library = _cbor2()
    _walk(data)
    try:
        value = library.loads(data, allow_indefinite=False, allow_duplicate_keys=False, max_depth=MAX_DEPTH + 2)
        again = to_cbor(value)
    except (library.CBORError, ValueError, TypeError) as error:
        raise MalformedError(f"expected CBOR, got bytes that do not parse: {error}") from None
    if again != data:
        raise MalformedError("expected deterministic CBOR (RFC 8949, 4.2.1), got another spelling")
    return value


def _walk(data: bytes) -> None:
    at, items = 0, 0
    open_: list[int] = [1]  # how many values each container still expects
    while open_:
        if not open_[-1]:
            open_.pop()
            continue
        open_[-1] -= 1
        items += 1
        if at >= len(data) or items > MAX_ITEMS:
            raise MalformedError(f"expected a whole CBOR value of at most {MAX_ITEMS} parts, got more or less")
        major, small = data[at] >> 5, data[at] & 31
        at += 1
        if major == 7:
            if small != 22:  # true equals 1 in Python
                raise MalformedError("expected no CBOR floats and booleans here, got one")
            continue
        width = {24: 1, 25: 2, 26: 4, 27: 8}.get(small, 0)
        if major == 6 or small > 27 or at + width > len(data):
            raise MalformedError("expected CBOR without tags, indefinite lengths and gaps, got some")
        argument = int.from_bytes(data[at : at + width], "big") if width else small
        at += width
        if major in (2, 3):
            if argument > len(data) - at:
                raise MalformedError("expected a CBOR string of the length that it states, got less")
            at += argument
        elif major in (4, 5):
            if argument > MAX_ITEMS or len(open_) > MAX_DEPTH:
                raise MalformedError(f"expected CBOR at most {MAX_DEPTH} deep with short arrays, got more")
            open_.append(argument * (major - 3))
    if at != len(data):
        raise MalformedError(f"expected one CBOR value, got {len(data) - at} bytes after it")


def _cbor2() -> ModuleType:
    try:
        import cbor2
    except ImportError:
        raise InputError("expected the package cbor2 for COSE, got none; install licet[cose]") from None
    return cbor2
