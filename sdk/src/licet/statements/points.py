"""Which 32 bytes are an Ed25519 public key that signatures may be held against.

Verification is that of RFC 8032 as OpenSSL does it: S below the group order, R compared byte for byte (so a
non-canonical R fails), the equation without the cofactor. On top of that, public keys must be canonical points of the
curve and not of small order: with those, one signature would hold for many messages. What stays as in OpenSSL: an R of
small order, and keys with a small-order component, which no list can name.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from licet.errors import MalformedError

# Field prime and curve constant of edwards25519 (RFC 8032, section 5.1).
_PRIME: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _PRIME) % _PRIME
# The y of the eight points of order 1, 2, 4 and 8. Their six other encodings (C2SP CCTV) have a y that is not below
# the prime, or x = 0 with the sign bit set; both fall under the checks on y, which leave the sign bit aside.
_SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)


def check_public(raw: bytes, field: str = "public") -> None:
    """Return only if these bytes are a public key in canonical form and not of small order: ``MalformedError``."""
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    if len(raw) != 32 or y >= _PRIME or y in _SMALL_ORDER_Y or not _on_curve(y):
        raise MalformedError(f"{field}: expected an Ed25519 public key in canonical form and not of small order")


@lru_cache(4096)
def _on_curve(y: int) -> bool:
    """Whether x² = (y² − 1) / (d·y² + 1) has a root, by Euler's criterion."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _PRIME) % _PRIME
    return pow(square, (_PRIME - 1) // 2, _PRIME) == 1
