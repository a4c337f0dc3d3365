"""A published log, wherever its files lie: at the registry, on a static server, in a folder.

The checkpoint is read once and before all else, so that whatever is published ahead of a checkpoint (tiles, the list of
the registry's keys) is at least as new. A partial tile that is gone is cut from the full one, as tlog-tiles asks.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from licet.audit.whole_log import CHECKPOINT
from licet.errors import InputError, LicetError, ServiceError
from licet.log import tiles
from licet.log.merkle import HASH_SIZE
from licet.statements.key_list import KEYS, KeyList
from licet.statements.trust import Trust

Fetch = Callable[[str], bytes | None]  # a path below the log's address, such as tile/0/000 → its bytes, if it is there
MAX_FILE: Final = 32 << 20


class Mirror:
    """One look at a published log; ``shown`` names it in messages. As safe for threads as ``fetch`` is."""

    def __init__(self, fetch: Fetch, shown: str) -> None:
        self._fetch: Final = fetch
        self._shown: Final = shown
        self._checkpoint: bytes | None = None

    def read(self, name: str) -> bytes:
        """Return the file ``name``; raises ``ServiceError`` where it is not there."""
        if name == CHECKPOINT:
            if self._checkpoint is None:
                self._checkpoint = self._found(name)
            return self._checkpoint
        return self._found(name)

    def keys(self, trust: Trust | None) -> KeyList:
        """Return the published list of the registry's keys, signed by the root of ``trust`` if that is known.

        Raises as `KeyList.parse` does.
        """
        self.read(CHECKPOINT)
        return KeyList.parse(self._found(KEYS), trust)

    def _found(self, name: str) -> bytes:
        data = self._fetch(name)
        if data is None and ".p/" in name:
            data = self._cut(name)
        if data is None:
            raise ServiceError(f"{self._shown}/{name}: the published log has no such file")
        return data

    def _cut(self, name: str) -> bytes | None:
        level, index, width = tiles.parse_path(name)
        whole = self._fetch(tiles.entries_path(index) if level is None else tiles.tile_path(level, index))
        if whole is None:
            return None
        return tiles.encode_bundle(tiles.decode_bundle(whole)[:width]) if level is None else whole[: width * HASH_SIZE]


def in_folder(folder: Path) -> Mirror:
    """Return the log published in ``folder``, or in ``folder/log``; raises ``InputError`` if in neither."""
    base = next((each for each in (folder, folder / "log") if (each / CHECKPOINT).is_file()), None)
    if base is None:
        raise InputError(f"{folder}: expected a folder with a published log, checkpoint and all, got none")

    def fetch(name: str) -> bytes | None:
        path = base / name
        try:
            # A pipe would be waited for, and a device read, without end; a file may grow after it was looked at.
            if not stat.S_ISREG(path.stat().st_mode):
                raise ServiceError(f"{path}: expected a file, got a folder or a device")
            with path.open("rb") as file:
                data = file.read(MAX_FILE + 1)
            if len(data) > MAX_FILE:
                raise ServiceError(f"{path}: expected at most {MAX_FILE} bytes, got more")
            return data
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None

    return Mirror(fetch, str(base))


def at_address(get: Callable[[str], bytes], url: str) -> Mirror:
    """Return the log below ``/log`` at ``url``, read by ``get``, which raises our errors with the ``status``."""

    def fetch(name: str) -> bytes | None:
        try:
            return get(f"/log/{name}")
        except LicetError as error:
            if error.details.get("status") == 404:
                return None
            raise

    return Mirror(fetch, f"{url.rstrip('/')}/log")
