"""Cosignatures (C2SP tlog-cosignature): that somebody else watched a log grow up to one checkpoint, and when.

Two algorithms: Ed25519 (type 0x04), whose message is the whole checkpoint behind two lines, and ML-DSA-44 (0x06, FIPS
204), whose message names cosigner, time, origin, size and root. Both put the time in front of the signature, so a line
by the same key over the same checkpoint differs from one second to the next. A log may also sign with ML-DSA-44 itself
(tlog-checkpoint, "Signatures").
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from licet import times
from licet.canonical import from_base64, to_base64
from licet.errors import InputError, MalformedError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import note

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

ED25519_COSIGNATURE: Final = 0x04
MLDSA44: Final = 0x06
SEED_SIZE: Final = 32
MAX_TIME: Final = 2**63 - 1

_TIME_SIZE: Final = 8
MLDSA44_PUBLIC_SIZE: Final = 1312
_PUBLIC_SIZE: Final = {ED25519_COSIGNATURE: 32, MLDSA44: MLDSA44_PUBLIC_SIZE}
_SIGNATURE_SIZE: Final = {ED25519_COSIGNATURE: 64, MLDSA44: 2420}
_LABEL: Final = b"subtree/v1\n\x00"
_MAX_NAME: Final = 255

LACKING: Final = "this machine's cryptography has no ML-DSA-44 (a newer `cryptography` or its OpenSSL brings it)"

Clock = Callable[[], int]
"""Seconds since the Epoch."""


def ed25519_message(time: int, text: str) -> bytes:
    """Return what an Ed25519 cosigner signs ("Ed25519 signed message"): header, time and the whole checkpoint."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def mldsa44_message(name: str, time: int, checkpoint: checkpoints.Checkpoint) -> bytes:
    """Return what an ML-DSA-44 cosigner signs ("ML-DSA-44 signed message"), start zero: the whole tree.

    Raises ``MalformedError`` for a cosigner's name or an origin that has more than 255 bytes.
    """
    cosigner, origin = name.encode(), checkpoint.origin.encode()
    for what, value in (("cosigner's name", cosigner), ("origin", origin)):
        if not 0 < len(value) <= _MAX_NAME:
            raise MalformedError(f"{what}: expected 1 to {_MAX_NAME} bytes, got {len(value)}")
    return b"".join(
        (
            _LABEL,
            bytes([len(cosigner)]),
            cosigner,
            time.to_bytes(8, "big"),
            bytes([len(origin)]),
            origin,
            bytes(8),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def time_of(line: note.Signature) -> int:
    """Return the seconds since the Epoch that a cosignature states; ``MalformedError`` if it is too short for one.

    The signature covers the time: it counts once the line was verified.
    """
    if len(line.value) <= _TIME_SIZE:
        raise MalformedError(f"expected a cosignature with a time, got {len(line.value)} bytes")
    return int.from_bytes(line.value[:_TIME_SIZE], "big")


class Verifier:
    """A cosigner's public key of one algorithm under a name; also the log's own key where that is ML-DSA-44."""

    __slots__ = ("_ed25519", "_mldsa44", "algorithm", "key_id", "name", "public_key")

    def __init__(self, name: str, algorithm: int, public_key: bytes) -> None:
        """Take 32 bytes (RFC 8032) or 1,312 (FIPS 204). Raises ``MalformedError`` for another length or algorithm."""
        if not note.is_key_name(name) or len(name.encode()) > _MAX_NAME:
            raise MalformedError(f"expected a key name without spaces and plus, got {name!r:.80}")
        if algorithm not in _PUBLIC_SIZE:
            raise MalformedError(f"expected a cosignature key of type 0x04 or 0x06, got type 0x{algorithm:02x}")
        if len(public_key) != _PUBLIC_SIZE[algorithm]:
            expected = _PUBLIC_SIZE[algorithm]
            raise MalformedError(f"expected a public key of {expected} bytes, got {len(public_key)}")
        self.name: Final = name
        self.algorithm: Final = algorithm
        self.public_key: Final = bytes(public_key)
        self.key_id: Final = note.key_id(name, algorithm, self.public_key)
        self._ed25519: Ed25519PublicKey | None = None
        self._mldsa44: MLDSA44PublicKey | None = None
        if algorithm == MLDSA44:
            self._mldsa44 = _mldsa44_public(self.public_key)
        else:
            self._ed25519 = Ed25519PublicKey.from_public_bytes(self.public_key)

    @classmethod
    def from_vkey(cls, text: str) -> Verifier:
        """Return the key that ``name+hex(key id)+base64(type ‖ public key)`` writes down, of type 0x04 or 0x06.

        Raises ``MalformedError`` for another shape, an id that is not the key's, or another type.
        """
        name, stated, algorithm, public_key = split_vkey(text)
        verifier = cls(name, algorithm, public_key)
        _check_id(verifier, stated)
        return verifier

    @property
    def vkey(self) -> str:
        """The text that `from_vkey` reads."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.algorithm]) + self.public_key)}"

    def verify(self, text: str, value: bytes) -> None:
        """Return only if ``value`` is this key's cosignature over the checkpoint ``text``.

        Raises ``VerificationError`` where it is not, ``MalformedError`` for text that is no checkpoint.
        """
        if len(value) != _TIME_SIZE + _SIGNATURE_SIZE[self.algorithm]:
            expected = _TIME_SIZE + _SIGNATURE_SIZE[self.algorithm]
            raise VerificationError(
                f"the cosignature by {self.name}: expected {expected} bytes, got {len(value)}", name=self.name
            )
        time, signature = int.from_bytes(value[:_TIME_SIZE], "big"), value[_TIME_SIZE:]
        if time > MAX_TIME:
            raise VerificationError(
                f"the cosignature by {self.name}: expected a time below 2^63, got {time}", name=self.name
            )
        checkpoint = checkpoints.parse(text, extensions=True)
        try:
            if self._mldsa44 is not None:
                self._mldsa44.verify(signature, mldsa44_message(self.name, time, checkpoint))
            elif self._ed25519 is not None:
                self._ed25519.verify(signature, ed25519_message(time, text))
        except InvalidSignature:
            raise VerificationError(f"the cosignature by {self.name} does not hold", name=self.name) from None


class Signer:
    """A cosigner's private key of one algorithm under a name."""

    __slots__ = ("_clock", "_ed25519", "_mldsa44", "verifier")

    def __init__(self, name: str, algorithm: int, seed: bytes, clock: Clock | None = None) -> None:
        """Take the 32-byte private key of RFC 8032, or the 32-byte seed of FIPS 204; ``clock`` is for tests.

        Raises ``MalformedError`` for another length or algorithm.
        """
        if len(seed) != SEED_SIZE:
            raise MalformedError(f"expected a private key of {SEED_SIZE} bytes, got {len(seed)}")
        if algorithm not in _PUBLIC_SIZE:
            raise MalformedError(f"expected a cosignature key of type 0x04 or 0x06, got type 0x{algorithm:02x}")
        self._ed25519: Ed25519PrivateKey | None = None
        self._mldsa44: MLDSA44PrivateKey | None = None
        if algorithm == MLDSA44:
            self._mldsa44 = _mldsa44_private(seed)
            public = self._mldsa44.public_key().public_bytes_raw()
        else:
            self._ed25519 = Ed25519PrivateKey.from_private_bytes(seed)
            public = self._ed25519.public_key().public_bytes_raw()
        self._clock: Final = clock or _now
        self.verifier: Final = Verifier(name, algorithm, public)

    @property
    def name(self) -> str:
        """The name that its signature lines carry."""
        return self.verifier.name

    def sign(self, text: str) -> note.Signature:
        """Return this key's line for the checkpoint ``text``, at the time that the clock says.

        Raises ``MalformedError`` for text that is no checkpoint and ``InputError`` for a clock before the Epoch.
        """
        time = self._clock()
        if not 0 < time <= MAX_TIME:
            raise InputError(f"expected a clock after the Epoch, got {time}: set this machine's clock right")
        checkpoint = checkpoints.parse(text, extensions=True)
        signature = b""
        if self._mldsa44 is not None:
            signature = self._mldsa44.sign(mldsa44_message(self.name, time, checkpoint))
        elif self._ed25519 is not None:
            signature = self._ed25519.sign(ed25519_message(time, text))
        value = time.to_bytes(_TIME_SIZE, "big") + signature
        return note.Signature(self.verifier.name, self.verifier.key_id, value)


def log_verifier(text: str) -> note.Verifier | Verifier:
    """Return the key of a log that the vkey ``text`` writes down: Ed25519 (0x01), or one of a cosignature's types.

    Raises ``MalformedError`` as ``from_vkey`` does.
    """
    _, _, algorithm, _ = split_vkey(text)
    return note.Verifier.from_vkey(text) if algorithm == note.ED25519 else Verifier.from_vkey(text)


def split_vkey(text: str) -> tuple[str, str, int, bytes]:
    """Return (name, stated key id, type, public key) of a vkey, none of it checked against the rest."""
    name, _, rest = text.partition("+")
    stated, _, material = rest.partition("+")
    data = from_base64(material, "verifier key")
    if len(data) < 2:
        raise MalformedError(f"verifier key: expected name+id+base64, got {text!r:.80}")
    return name, stated, data[0], data[1:]


def cosignatures(data: bytes | str, verifiers: Iterable[note.NoteVerifier]) -> tuple[note.Signature, ...]:
    """Return the lines of the note ``data`` that are by ``verifiers`` and hold; all others are passed over.

    A line that a known key did not sign refuses the whole (`note.verify`): ``VerificationError``.
    """
    parsed = note.parse(data)
    known = tuple(verifiers)
    if not any((line.name, line.key_id) == (each.name, each.key_id) for line in parsed.signatures for each in known):
        return ()
    return note.verify(data, known).signatures


@functools.cache
def supported() -> bool:
    """Whether this machine's cryptography has ML-DSA-44; where it has not, such lines are passed over."""
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(SEED_SIZE))
    except (ImportError, UnsupportedAlgorithm):
        return False
    return True


def _check_id(verifier: Verifier, stated: str) -> None:
    if stated != verifier.key_id.hex():
        raise MalformedError(f"verifier key: expected id {verifier.key_id.hex()}, got {stated!r:.20}")


def _mldsa44_public(data: bytes) -> MLDSA44PublicKey:
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        return mldsa.MLDSA44PublicKey.from_public_bytes(data)
    except (ImportError, UnsupportedAlgorithm):
        raise _lacking() from None
    except ValueError as error:
        raise MalformedError(f"expected a usable ML-DSA-44 public key, got one that is not: {error}") from None


def _mldsa44_private(seed: bytes) -> MLDSA44PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        return mldsa.MLDSA44PrivateKey.from_seed_bytes(seed)
    except (ImportError, UnsupportedAlgorithm):
        raise _lacking() from None
    except ValueError as error:
        raise MalformedError(f"expected a usable ML-DSA-44 private key, got one that is not: {error}") from None


def _lacking() -> MalformedError:
    return MalformedError(f"{LACKING}: expected an Ed25519 key here, got one of ML-DSA-44")


def _now() -> int:
    return int(times.now().timestamp())
