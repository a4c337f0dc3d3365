"""The archive of a data folder: its store, and the key that opens it."""

from __future__ import annotations

from pathlib import Path

from licet import times
from registry.archive.keys import NAME, ArchiveKey
from registry.archive.places import BASES, CHANGES
from registry.errors import ArchiveError
from registry.storage import Store


async def open_key(folder: Path, store: Store) -> ArchiveKey:
    """Return the archive's key in ``folder``, made now for an archive that is empty.

    Raises ``ArchiveError`` where files are archived already: a new key would open none of them.
    """
    key = ArchiveKey.load(folder)
    if key is not None:
        return key
    if await store.names(CHANGES) or await store.names(BASES):
        raise ArchiveError(
            f"{store.shown} holds an archive, and {folder / NAME}, which opens it, is missing; put the file back from "
            f"where its copy is kept, or archive to an empty place"
        )
    return ArchiveKey.make(folder, times.now())
