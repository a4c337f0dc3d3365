"""Thumbnails: a small picture of a work whose file was sent, made anew from its pixels, for its owner's eyes alone.

It is encoded from what was decoded (``rendering``), so nothing else that the file holds (metadata, profiles, what hides
behind its end) can be in it. It lies in the database beside the upload, so that any process serves it; it is kept with
the work and goes with the upload's day or the work's withdrawal. Of a work by fingerprint alone there never is one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from registry.database import Connection
from registry.errors import NotFound
from registry.services import Services
from registry.works import queries

MEDIA_TYPE: Final = "image/webp"
_LOSSY: Final = struct.Struct("<HH")


class Thumbnail(NamedTuple):
    """The bytes of a WEBP, and a name that changes with them."""

    content: bytes
    tag: str


async def put(conn: Connection, account: UUID, digest: bytes, content: bytes, ttl: timedelta) -> None:
    """Keep the thumbnail of the file with ``digest`` for ``ttl``, or as long as the work that it is registered as."""
    await conn.execute(queries.KEEP_THUMBNAIL, account, digest, content, ttl)


async def settle(conn: Connection, account: UUID, digests: Sequence[bytes]) -> None:
    """Let the thumbnails of files with these digests stay: they are works now."""
    await conn.execute(queries.SETTLE_THUMBNAILS, account, digests)


async def sizes(conn: Connection, account: UUID, works: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return width and height of the thumbnails that those of ``works`` have which are ``account``'s."""
    rows = await conn.fetch(queries.THUMBNAIL_HEADS, account, list(works))
    found = ((row["id"], size_of(bytes(row["head"]))) for row in rows)
    return {work: size for work, size in found if size is not None}


def size_of(head: bytes) -> tuple[int, int] | None:
    """Return width and height that the first 30 bytes of a WEBP state (RFC 9649), None for what is none."""
    if len(head) < 30 or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    if head[12:16] == b"VP8 ":
        width, height = _LOSSY.unpack_from(head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return None


async def thumbnail_of(services: Services, account: UUID, work: UUID) -> Thumbnail:
    """Return the thumbnail of a work of ``account``; raises ``NotFound`` where there is none that it may see."""
    async with services.database.acquire() as conn:
        content: bytes | None = await conn.fetchval(queries.THUMBNAIL, account, work)
    if content is None:
        raise NotFound("there is no thumbnail of such a work of yours: only of works whose picture was sent")
    return Thumbnail(content, sha256(content).hexdigest()[:32])
