"""A folder of this machine as a store: every file is written beside its place, synced and brought into it whole.

What may be replaced is renamed into its place. What is immutable is linked there, which fails where a file is already:
of two processes that write one name at once, one is told that it was not new, and the file is never another afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from registry.errors import StoreUnavailable
from registry.storage.store import FOREVER, FRESH, OCTETS

_AT_A_TIME: Final = 8
_PIECE: Final = 1 << 20
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class FolderStore:
    """The files below ``folder``. Media types and cache headers are those who serve them to say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def shown(self) -> str:
        """The folder."""
        return str(self.folder)

    async def create(self, name: str, content: bytes, *, media_type: str = OCTETS, cache: str = FOREVER) -> bool:
        """Put an immutable file in its place, durably; what is there already stays."""
        del media_type, cache
        return not await self.create_all([(name, content)])

    async def create_from(self, name: str, path: Path, *, media_type: str = OCTETS, cache: str = FOREVER) -> bool:
        """Let the file be found here too: by a second name where the disk has such, else copied."""
        del media_type, cache
        try:
            return await asyncio.to_thread(_linked, path, self.folder / name)
        except OSError as error:
            raise self._unavailable(error) from None

    async def create_all(self, files: Sequence[tuple[str, bytes]]) -> list[str]:
        """Put immutable files in their places; each folder is synced once, after all of its files."""
        try:
            return await asyncio.to_thread(self._create_all, files)
        except OSError as error:
            raise self._unavailable(error) from None

    def _create_all(self, files: Sequence[tuple[str, bytes]]) -> list[str]:
        paths = [self.folder / name for name, _ in files]
        absent = [not path.exists() for path in paths]
        folders = {path.parent for path, wanted in zip(paths, absent, strict=True) if wanted}
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)

        def put(place: int) -> bool:
            return absent[place] and create_whole(paths[place], files[place][1])

        with ThreadPoolExecutor(min(_AT_A_TIME, len(files) or 1)) as pool:  # the disk joins what is synced together
            new = list(pool.map(put, range(len(files))))
        for folder in sorted(folders):
            sync_folder(folder)
        return [name for (name, _), fresh in zip(files, new, strict=True) if not fresh]

    async def replace(self, name: str, content: bytes, *, media_type: str = OCTETS, cache: str = FRESH) -> None:
        """Put a file in its place, durably, its name too."""
        del media_type, cache
        await self._write(self.folder / name, content)

    async def read(self, name: str) -> bytes | None:
        """Return the whole file, None where there is none."""
        try:
            return await asyncio.to_thread((self.folder / name).read_bytes)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise self._unavailable(error) from None

    async def remove(self, name: str) -> None:
        """Take a file away, and its folder with it once that is empty; none is no error."""
        try:
            await asyncio.to_thread(self._remove, self.folder / name)
        except OSError as error:
            raise self._unavailable(error) from None

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        if path.parent != self.folder:
            with contextlib.suppress(OSError):  # not empty, or not there
                path.parent.rmdir()

    async def names(self, prefix: str) -> list[str]:
        """Return the names below the folder ``prefix``, sorted; what is half-written is left out."""
        try:
            return await asyncio.to_thread(self._names, prefix)
        except OSError as error:
            raise self._unavailable(error) from None

    def _names(self, prefix: str) -> list[str]:
        top = self.folder / prefix
        found = [path for path in top.rglob("*") if path.is_file() and not path.name.startswith(".")]
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    async def _write(self, path: Path, content: bytes) -> None:
        try:
            await asyncio.to_thread(_place, path, content)
        except OSError as error:
            raise self._unavailable(error) from None

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self.folder}: {error.strerror or error}")


def write_whole(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` at once and durably."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _staged(path, content) as staging:
        staging.replace(path)


def create_whole(path: Path, content: bytes) -> bool:
    """Whether ``path`` was not there and is ``content`` now, at once and durably; what is there already stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _staged(path, content) as staging:
        try:
            os.link(staging, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return _renamed(staging, path)
    return True


def sync_folder(folder: Path) -> None:
    """The names in ``folder`` are durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _staged(path: Path, content: bytes) -> Iterator[Path]:
    """Have ``content`` beside ``path``, durably, under a name that nobody else has, while the block lasts."""
    staging = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with staging.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield staging
    finally:
        staging.unlink(missing_ok=True)


def _linked(path: Path, place: Path) -> bool:
    if place.exists():
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, place)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS | {errno.EXDEV}:
            raise
        _copied(path, place)
    sync_folder(place.parent)
    return True


def _copied(path: Path, place: Path) -> None:
    staging = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    try:
        with path.open("rb") as source, staging.open("xb") as file:
            shutil.copyfileobj(source, file, _PIECE)
            file.flush()
            os.fsync(file.fileno())
        staging.replace(place)
    finally:
        staging.unlink(missing_ok=True)


def _renamed(staging: Path, path: Path) -> bool:
    """Do as a link does where the file system has none: one process at a time looks and renames."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return False
        staging.rename(path)
        return True
    finally:
        os.close(descriptor)


def _place(path: Path, content: bytes) -> None:
    write_whole(path, content)
    sync_folder(path.parent)
