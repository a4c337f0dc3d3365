"""Uploads: a picture comes in, its fingerprints and a thumbnail stay for a day, the file does not stay at all.

Decoding runs in a thread, few at a time and under the limits of the decoder: a picture can cost eighteen bytes of
memory a pixel, and what it says of itself is not believed.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from licet.fingerprints.decode import PictureLimits
from licet.fingerprints.picture import Fingerprint, examine_picture
from registry.database import Connection
from registry.errors import Invalid, TooLarge
from registry.services import Services
from registry.works import queries, thumbnails
from registry.works.intake import sha256_of

BODY_LIMIT: Final = 64 << 20
MAX_PIXELS: Final = 100_000_000
_AT_ONCE: Final = 2

_decoders: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = weakref.WeakKeyDictionary()


class Seen(NamedTuple):
    """What the service itself saw of a picture: fingerprint, and the PDQ in eight orientations (256 bytes)."""

    fingerprint: Fingerprint
    orientations: bytes


class _Examined(NamedTuple):
    digest: bytes
    seen: Seen | None = None
    thumbnail: bytes = b""


async def keep_upload(services: Services, account: UUID, named: str, data: bytes) -> Fingerprint:
    """Return the service's fingerprint of ``data``, kept for ``account`` until it registers the work or a day is over.

    ``named`` is the SHA-256 that the caller put into the address. Raises ``Invalid`` for another, ``TooLarge``, and
    ``PictureError`` for what cannot be decoded. Sending the same again has no second effect.
    """
    largest = min(BODY_LIMIT, services.settings.upload_bytes)
    if len(data) > largest:
        raise TooLarge(f"expected a picture of at most {largest} bytes, got {len(data)}")
    wanted = sha256_of(named)
    # Shielded: whoever hangs up does not make room for another while the thread still decodes.
    got, seen, thumbnail = await asyncio.shield(_in_turn(data, wanted, largest))
    if seen is None:
        raise Invalid.field("sha256", f"{got.hex()}, the digest of the body", named)
    ttl = services.settings.upload_ttl
    fingerprint = msgspec.json.encode(seen.fingerprint).decode()
    async with services.database.transaction() as conn:
        await conn.execute(queries.KEEP_UPLOAD, account, wanted, fingerprint, seen.orientations, ttl)
        await thumbnails.put(conn, account, wanted, thumbnail, ttl)
    return seen.fingerprint


async def _in_turn(data: bytes, wanted: bytes, largest: int) -> _Examined:
    async with _decoders.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE)):
        return await asyncio.to_thread(_examined, data, wanted, largest)


async def uploads_of(conn: Connection, account: UUID, digests: Iterable[bytes]) -> dict[str, Seen]:
    """Return what was seen of those of ``digests`` that ``account`` uploaded lately, by hex digest."""
    rows = await conn.fetch(queries.UPLOADS, account, list(digests))
    return {
        row["sha256"].hex(): Seen(msgspec.json.decode(row["fingerprint"], type=Fingerprint), row["orientations"])
        for row in rows
    }


async def forget_uploads(services: Services) -> None:
    """Remove the fingerprints and thumbnails of uploads whose time is over and that became no work."""
    async with services.database.acquire() as conn:
        await conn.execute(queries.FORGET_UPLOADS)
        await conn.execute(queries.FORGET_THUMBNAILS)


def _examined(data: bytes, wanted: bytes, largest: int) -> _Examined:
    got = sha256(data).digest()
    if got != wanted:
        return _Examined(got)
    examined, picture = examine_picture(data, PictureLimits(max_bytes=largest, max_pixels=MAX_PIXELS))
    seen = Seen(examined.fingerprint, examined.orientations.tobytes())
    return _Examined(got, seen, thumbnails.rendered(picture.rgb))
