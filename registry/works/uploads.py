"""Uploads: a picture comes in, fingerprints, features and a thumbnail stay for a day, the file does not stay at all.

Decoding runs in processes that can do nothing else (``licet.fingerprints.bounded``), few at a time and under limits: a
picture can cost eighteen bytes of memory a pixel, and what it says of itself is not believed. A few kilobytes can hold
a hundred million pixels, so pixels are counted beside bytes, accounts take turns, and of large pictures one is decoded
at a time: a place is always left for small ones.
"""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import Awaitable, Callable, Iterable
from hashlib import sha256
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from licet.errors import MalformedError, PictureError
from licet.fingerprints.bounded import Decoders
from licet.fingerprints.containers import read_container
from licet.fingerprints.decode import PictureLimits
from licet.fingerprints.picture import Fingerprint
from licet.fingerprints.text import MAX_BYTES, fingerprint_text
from registry.database import Connection
from registry.errors import Invalid, TooLarge
from registry.services import Services
from registry.works import beside, features, queries, thumbnails
from registry.works.beside import Beside
from registry.works.intake import sha256_of
from registry.works.turns import Turns

BODY_LIMIT: Final = 64 << 20
MAX_PIXELS: Final = 100_000_000
LARGE: Final = 25_000_000  # pixels, from which on a picture is decoded alone among its like
MAX_SECONDS: Final = 20.0  # of processor time for one picture
_AT_ONCE: Final = 2
_NO_ORIENTATIONS: Final = bytes(256)

T = TypeVar("T")


class _Turns:
    """Who decodes next: any picture, and before that any large one."""

    def __init__(self) -> None:
        self.any, self.large = Turns(_AT_ONCE), Turns(_AT_ONCE - 1)


_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = weakref.WeakKeyDictionary()


class Seen(NamedTuple):
    """What the service itself saw of a picture: fingerprint, and the PDQ in eight orientations (256 bytes)."""

    fingerprint: Fingerprint
    orientations: bytes


class _Examined(NamedTuple):
    seen: Seen
    beside: Beside


async def _uncounted(_: int) -> None: ...


async def keep_upload(
    services: Services,
    account: UUID,
    named: str,
    data: bytes,
    spend: Callable[[int], Awaitable[None]] = _uncounted,
    *,
    text: bool = False,
) -> Fingerprint:
    """Return the service's fingerprint of ``data``, kept for ``account`` until it registers the work or a day is over.

    ``named`` is the SHA-256 that the caller put into the address. ``spend`` counts the pixels that the picture claims,
    before one is decoded. Raises ``Invalid`` for another digest, ``TooLarge``, what ``spend`` does, and
    ``PictureError`` for what cannot be decoded. Sending the same again has no second effect. What is called ``text`` is
    read as one: it has no pixels and no thumbnail.
    """
    if text:
        return await _keep_text(services, account, named, data)
    largest = min(BODY_LIMIT, services.settings.upload_bytes)
    if len(data) > largest:
        raise TooLarge(f"expected a picture of at most {largest} bytes, got {len(data)}")
    wanted = sha256_of(named)
    limits = PictureLimits(max_bytes=largest, max_pixels=MAX_PIXELS, max_seconds=MAX_SECONDS)
    got, pixels = await asyncio.to_thread(_claimed, data, wanted, limits)
    if got != wanted:
        raise Invalid.field("sha256", f"{got.hex()}, the digest of the body", named)
    await spend(pixels)
    seen, made = await _in_turn(account, pixels, functools.partial(_examined, data, limits))
    if seen.fingerprint.sha256 != got.hex():
        raise PictureError("expected the fingerprint of this picture, got that of another", why="crashed")
    ttl = services.settings.upload_ttl
    fingerprint = msgspec.json.encode(seen.fingerprint).decode()
    async with services.database.transaction() as conn:
        await conn.execute(queries.KEEP_UPLOAD, account, wanted, fingerprint, seen.orientations, ttl)
        await thumbnails.put(conn, account, wanted, made.thumbnail, ttl)
        await features.put(conn, account, wanted, made.features, ttl)
    return seen.fingerprint


async def looked_at(
    services: Services, who: UUID, data: bytes, spend: Callable[[int], Awaitable[None]] = _uncounted
) -> tuple[Fingerprint, bytes]:
    """Return the fingerprint of a picture and the features with which parts of works are asked for; none is kept.

    ``who`` takes turns with those who register. Raises what `keep_upload` does.
    """
    largest = min(BODY_LIMIT, services.settings.upload_bytes)
    if len(data) > largest:
        raise TooLarge(f"expected a picture of at most {largest} bytes, got {len(data)}")
    limits = PictureLimits(max_bytes=largest, max_pixels=MAX_PIXELS, max_seconds=MAX_SECONDS)
    container = await asyncio.to_thread(read_container, data, limits.max_pixels)
    await spend(container.pixels)

    def look() -> tuple[Fingerprint, bytes]:
        examined, asked = _lookers(limits).examine(data)
        return examined.fingerprint, asked

    return await _in_turn(who, container.pixels, look)


async def _keep_text(services: Services, account: UUID, named: str, data: bytes) -> Fingerprint:
    if len(data) > MAX_BYTES:
        raise TooLarge(f"expected a text of at most {MAX_BYTES} bytes, got {len(data)}")
    wanted, got = sha256_of(named), sha256(data)
    if got.digest() != wanted:
        raise Invalid.field("sha256", f"{got.hexdigest()}, the digest of the body", named)
    made = await asyncio.to_thread(fingerprint_text, data)
    ttl = services.settings.upload_ttl
    async with services.database.transaction() as conn:
        fingerprint = msgspec.json.encode(made).decode()
        await conn.execute(queries.KEEP_UPLOAD, account, wanted, fingerprint, _NO_ORIENTATIONS, ttl)
    return made


async def _in_turn(account: UUID, pixels: int, look: Callable[[], T]) -> T:
    turns = _turns.setdefault(asyncio.get_running_loop(), _Turns())
    taken = [turns.large] if pixels > LARGE else []
    for each in taken:
        await each.take(account)
    try:
        await turns.any.take(account)
    except BaseException:
        for each in taken:
            each.give()
        raise
    # Shielded: whoever hangs up does not make room for another while the thread still decodes.
    return await asyncio.shield(_decoding([*taken, turns.any], look))


async def _decoding(taken: list[Turns], look: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(look)
    finally:
        for each in taken:
            each.give()


async def uploads_of(conn: Connection, account: UUID, digests: Iterable[bytes]) -> dict[str, Seen]:
    """Return what was seen of those of ``digests`` that ``account`` uploaded lately, by hex digest."""
    rows = await conn.fetch(queries.UPLOADS, account, list(digests))
    return {
        row["sha256"].hex(): Seen(msgspec.json.decode(row["fingerprint"], type=Fingerprint), row["orientations"])
        for row in rows
    }


async def forget_uploads(services: Services) -> None:
    """Remove the fingerprints, thumbnails and features of uploads whose time is over and that became no work."""
    async with services.database.acquire() as conn:
        await conn.execute(queries.FORGET_UPLOADS)
        await conn.execute(queries.FORGET_THUMBNAILS)
        await conn.execute(queries.FORGET_FEATURES)


def _claimed(data: bytes, wanted: bytes, limits: PictureLimits) -> tuple[bytes, int]:
    """Return the digest of ``data`` and, where it is the one that is wanted, how many pixels its header declares."""
    got = sha256(data).digest()
    if got != wanted:
        return got, 0
    container = read_container(data, limits.max_pixels)
    return got, container.pixels


def _examined(data: bytes, limits: PictureLimits) -> _Examined:
    examined, said = _decoders(limits).examine(data)
    try:
        made = beside.read(said)
    except MalformedError as error:
        raise PictureError(error.message, why="crashed") from None
    return _Examined(Seen(examined.fingerprint, examined.orientations.tobytes()), made)


@functools.cache
def _decoders(limits: PictureLimits) -> Decoders:
    return Decoders(limits, most=_AT_ONCE, beside="registry.works.beside:made", iscc=True)


@functools.cache
def _lookers(limits: PictureLimits) -> Decoders:
    return Decoders(limits, most=1, beside="licet.derivative.extracting:asked_bytes", iscc=True)
