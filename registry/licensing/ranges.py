"""Ranges of keys: what is in force for all keys that begin alike, for those who ask about one and do not tell it."""

from __future__ import annotations

from typing import Final

import msgspec

from licet.index import Index, ranges
from licet.index.container import Array
from licet.wire.licensing import RangeSize
from registry.errors import Invalid
from registry.licensing.asking import decided
from registry.services import Services

#: Asked again at every use, and answered by 304 as long as it says the same: no shared copy outlives a change.
CACHE: Final = "public, no-cache"


class Range(msgspec.Struct, frozen=True):
    """A range as it is sent; ``digest`` is that of what it says, whenever it says so."""

    body: bytes
    digest: str
    consent_version: int
    log_size: int


async def size(services: Services) -> RangeSize:
    """Return how many digits of a key are told at this moment; raises ``Unavailable`` without the primary."""
    keys, version, log_size = await decided(services, ranges.key_count)
    digits = ranges.digits_for(keys)
    return RangeSize(digits, keys, keys >> 4 * digits, version, log_size)


async def within(services: Services, prefix: str, known: str | None = None) -> Range:
    """Return the range of ``prefix``, without a body where ``known`` is its digest.

    Raises ``Invalid`` for a prefix of another length than is told now, ``Unavailable`` without the primary.
    """
    digits = "" if prefix == ranges.WHOLE else prefix

    def found(index: Index) -> tuple[dict[str, Array], str]:
        wanted = ranges.digits_for(ranges.key_count(index))
        if len(digits) != wanted or not ranges.is_prefix(digits):
            said = f"{wanted} hexadecimal digits, in lower case" if wanted else f"{ranges.WHOLE}: there are few keys"
            raise Invalid.field("path:prefix", said, prefix)
        columns = ranges.within(index, digits)
        return columns, ranges.fingerprint(columns)

    (columns, digest), version, log_size = await decided(services, found)
    body = b"" if digest == known else ranges.encoded(columns, version, log_size)
    return Range(body, digest, version, log_size)
