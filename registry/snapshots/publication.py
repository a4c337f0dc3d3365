"""Snapshots as files that anybody may read: with them alone, a mirror, bucket or CDN serves ``licet snapshot pull``.

::

    v1/registry                    who the registry is: its keys' statements
    snapshots/latest               the newest manifest that the published log has, and its receipt
    snapshots/segments/<digest>    the exact tier, for ever

Segments are made and read in a folder of the service's own, because they are mapped into memory, and because the near
tier goes to accounts only (semantics 27): it is never among these files. Segments come first, then who signs, then the
manifest that names them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from licet.index import Published
from licet.statements import envelope as envelopes
from licet.statements.kinds import SegmentRef
from registry import translog
from registry.accounts import profile
from registry.database import Connection
from registry.errors import Unavailable
from registry.services import Services
from registry.snapshots import queries
from registry.storage import FRESH, JSON

SEGMENTS: Final = "snapshots/segments"
LATEST: Final = "snapshots/latest"
REGISTRY: Final = "v1/registry"
LATEST_FOR: Final = "public, max-age=5"


def segments_folder(services: Services) -> Path:
    """Return where the service has the segments of every tier, each named by its digest."""
    return services.settings.data / "segments"


def segment_place(services: Services, digest: str) -> Path:
    """Return where the segment ``digest`` is, also while it still lies where a former release kept it (`move_in`)."""
    own, former = segments_folder(services) / digest, services.public / SEGMENTS / digest
    return former if former.exists() and not own.exists() else own


async def latest(conn: Connection) -> tuple[Published, str] | None:
    """Return the newest manifest with the receipt that it is in the published log, and its digest; None before one."""
    row = await conn.fetchrow(queries.PUBLISHED)
    receipt = await translog.receipt(conn, row["pending"]) if row else None
    if row is None or receipt is None:
        return None
    return Published(envelopes.parse(row["envelope"]), receipt), row["digest"].hex()


async def put_segments(services: Services, refs: Iterable[SegmentRef]) -> None:
    """The exact segments among ``refs`` are published, whole; raises ``StoreUnavailable``."""
    folder = segments_folder(services)
    for ref in refs:
        if ref.tier == "exact":
            await services.public_files.create_from(f"{SEGMENTS}/{ref.digest}", folder / ref.digest)


async def show(services: Services) -> None:
    """The newest manifest is among the published files, after what it needs; raises ``StoreUnavailable``."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        newest = await latest(conn)
        refs = await conn.fetch(queries.SEGMENTS_OF_PUBLISHED)
    if newest is None:
        return
    files, folder = services.public_files, segments_folder(services)
    for row in refs:  # mostly all are there; of a release before, and in another bucket than yesterday, none may be
        if (folder / row["digest"].hex()).is_file():
            await files.create_from(f"{SEGMENTS}/{row['digest'].hex()}", folder / row["digest"].hex())
    await show_registry(services, b"")
    await files.replace(LATEST, msgspec.json.encode(newest[0]), media_type=JSON, cache=LATEST_FOR)


async def show_registry(services: Services, shown: bytes) -> bytes:
    """Return what tells the registry's present keys from others; if it is not as ``shown``, they are published.

    Raises ``StoreUnavailable``.
    """
    info = await profile.registry_info(services)
    keys = msgspec.json.encode([each.envelope for each in info.keys])
    if keys != shown:  # their receipts change with every entry of the log, and prove the same
        await services.public_files.replace(REGISTRY, msgspec.json.encode(info), media_type=JSON, cache=FRESH)
    return keys


async def withdraw(services: Services, digests: Iterable[str]) -> None:
    """Segments that were forgotten are published no longer; raises ``StoreUnavailable``."""
    for digest in digests:
        await services.public_files.remove(f"{SEGMENTS}/{digest}")


async def move_in(services: Services) -> None:
    """Segments of a release that kept every tier among the public files are the service's own; the near tier alone so.

    Again has no effect.
    """
    old = services.public / SEGMENTS
    async with services.database.acquire() as conn:
        near = {row["digest"].hex() for row in await conn.fetch(queries.NEAR)}
    try:
        await asyncio.to_thread(_move_in, old, segments_folder(services), near)
    except OSError as error:
        raise Unavailable(f"{old}: segments cannot be moved: {error.strerror or error}") from None


def _move_in(old: Path, folder: Path, near: set[str]) -> None:
    if not old.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path in old.iterdir():
        if path.name.startswith(".segment-"):  # half of a segment, of either tier, whose writer was ended
            path.unlink()
            continue
        own = folder / path.name
        if path.name.startswith(".") or (own.exists() and path.name not in near):
            continue
        if not own.exists():
            staging = folder / f".{path.name}.moving"
            staging.unlink(missing_ok=True)
            try:
                os.link(path, staging)
            except OSError:
                shutil.copyfile(path, staging)
            staging.replace(own)
        if path.name in near:
            path.unlink()
