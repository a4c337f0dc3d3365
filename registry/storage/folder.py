"""A folder of this machine as a store: every file is written beside its place, synced and renamed into it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from registry.errors import StoreUnavailable
from registry.storage.store import FOREVER, FRESH, OCTETS

_AT_A_TIME: Final = 8


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
        path = self.folder / name
        if await asyncio.to_thread(path.exists):
            return False
        await self._write(path, content)
        return True

    async def create_all(self, files: Sequence[tuple[str, bytes]]) -> list[str]:
        """Put immutable files in their places; each folder is synced once, after all of its files."""
        try:
            return await asyncio.to_thread(self._create_all, files)
        except OSError as error:
            raise self._unavailable(error) from None

    def _create_all(self, files: Sequence[tuple[str, bytes]]) -> list[str]:
        there: list[str] = []
        fresh: list[tuple[Path, bytes]] = []
        for name, content in files:
            path = self.folder / name
            if path.exists():
                there.append(name)
            else:
                fresh.append((path, content))
        folders = {path.parent for path, _ in fresh}
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_AT_A_TIME) as pool:  # the disk joins what is synced together
            for _ in pool.map(lambda file: write_whole(*file), fresh):
                pass
        for folder in sorted(folders):
            sync_folder(folder)
        return there

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
        return await asyncio.to_thread(self._names, prefix)

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
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with staging.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        staging.replace(path)
    except OSError:
        staging.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """The names in ``folder`` are durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _place(path: Path, content: bytes) -> None:
    write_whole(path, content)
    sync_folder(path.parent)
