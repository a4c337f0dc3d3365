"""A backup in one file: a base, its pieces sealed with the archive's key, in a zip that any tool lists.

It is of one moment, taken while the service runs, and holds the database alone: no key of the registry is in it. What
came after it is in the archive, and replaying brings it back.
"""

from __future__ import annotations

import asyncio
import os
import zipfile
from pathlib import Path
from typing import Final

from registry.archive import ArchiveKey, Manifest, Owner, new_base, take_base
from registry.archive.bases import Get, Progress, silent
from registry.archive.places import MANIFEST
from registry.archive.sealing import unseal
from registry.database import Database
from registry.errors import ArchiveError

_MOST_MEMBERS: Final = 1_000_000
# What the library raises for bytes that are no zip, or a damaged one.
_BROKEN: Final = (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError)


async def write_backup(
    database: Database, key: ArchiveKey, owner: Owner, path: Path, progress: Progress = silent
) -> Manifest:
    """Return what is in the backup at ``path``, whole and durable; an earlier file there is replaced by it at once.

    Raises ``ArchiveError`` where the file cannot be written.
    """
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as members:

                async def put(name: str, content: bytes) -> None:
                    await asyncio.to_thread(members.writestr, name, content)

                manifest = await take_base(database, key, owner, put, new_base(), progress)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        staging.replace(path)
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        staging.unlink(missing_ok=True)
    return manifest


def read_backup(path: Path, key: ArchiveKey, origin: str) -> tuple[Manifest, Get]:
    """Return what is in the backup at ``path``, and what finds its pieces.

    Raises ``ArchiveError`` that names the file: none, no backup, cut short, or of another registry.
    """
    try:
        with zipfile.ZipFile(path) as members:
            if len(members.infolist()) > _MOST_MEMBERS:
                raise ArchiveError(f"{path}: expected at most {_MOST_MEMBERS} pieces")
            content = _stored(path, members, MANIFEST)
    except FileNotFoundError:
        raise ArchiveError(f"{path}: expected a backup, found no file") from None
    except KeyError:
        raise ArchiveError(f"{path}: expected a whole backup, got one without its manifest") from None
    except _BROKEN as error:
        raise ArchiveError(f"{path}: expected a backup, got a file that is not one: {error}") from None
    manifest, _ = unseal(content, Manifest, key, origin, f"{path}/{MANIFEST}")

    async def get(name: str) -> bytes | None:
        return await asyncio.to_thread(_member, path, name)

    return manifest, get


def _member(path: Path, name: str) -> bytes | None:
    try:
        with zipfile.ZipFile(path) as members:
            return _stored(path, members, name)
    except KeyError:
        return None
    except _BROKEN as error:
        raise ArchiveError(f"{path}/{name}: {error}") from None


def _stored(path: Path, members: zipfile.ZipFile, name: str) -> bytes:
    """Return a piece as it was written: never compressed, so that none can be larger than the file."""
    if members.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ArchiveError(f"{path}/{name}: expected a piece that is stored as it is, got a compressed one")
    return members.read(name)
