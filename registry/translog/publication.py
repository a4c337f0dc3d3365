"""What leaves the building: immutable tiles and bundles, the checkpoint, and the guard that remembers the largest tree.

Order, after the sequencer's COMMIT: guard, tiles and bundles, the list of the registry's keys, checkpoint. The guard
lies outside of whatever is backed up with the database, so a database that was restored from the past is noticed before
it signs a second history. A tile that is there already must be the same, byte for byte: another one is another history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from licet.canonical import from_base64, to_base64
from licet.errors import LicetError, MalformedError
from licet.log import checkpoint as checkpoints
from licet.log import tiles
from licet.log.keys import LogKeys
from licet.log.merkle import HASH_SIZE
from licet.statements.key_list import KEYS
from registry.errors import NotFound, StartError, StoreUnavailable
from registry.storage import FRESH, JSON, TEXT, Store, sync_folder, write_whole

GUARD: Final = "guard.json"
CHECKPOINT: Final = "checkpoint"
_NO_TILE: Final = "the log has no such tile"


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The largest tree that was ever let out: size and base64 root; and the data folder that the guard was written for.

    A guard that lies where it was written (`lies_where_written`) was not copied there.
    """

    size: int
    root: str
    place: str = ""


def read_guard(folder: Path) -> Guard:
    """Return the guard kept in data folder ``folder``, size 0 before there is one; raises ``StartError`` if broken."""
    path = folder / GUARD
    try:
        guard = msgspec.json.decode(path.read_bytes(), type=Guard)
        if guard.size < 0 or len(from_base64(guard.root, "root")) != HASH_SIZE:
            raise MalformedError("expected a size and a root")
    except FileNotFoundError:
        return Guard(0, "")
    except (OSError, msgspec.MsgspecError, LicetError) as error:
        raise StartError(f"{path}: expected the log's guard, got a file that is not one ({error})") from None
    return guard


def advance_guard(folder: Path, size: int, root: bytes) -> None:
    """Make the guard remember this tree, durably; raises ``StoreUnavailable`` where its disk refuses, and it stays."""
    try:
        write_whole(folder / GUARD, msgspec.json.encode(Guard(size, to_base64(root), _place(folder))))
        sync_folder(folder)
    except OSError as error:
        raise StoreUnavailable(
            f"{folder / GUARD}: cannot be written: {(error.strerror or 'no access').lower()}"
        ) from error


def lies_where_written(folder: Path) -> bool:
    """Return whether the guard in data folder ``folder`` was written there: neither it nor the folder is a copy."""
    return read_guard(folder).place == _place(folder)


def _place(folder: Path) -> str:
    """Return what a copy of the folder does not share, even under the same name on another machine."""
    try:
        machine = Path("/etc/machine-id").read_text().strip()
    except (OSError, ValueError):
        machine = ""
    # The root of a mounted volume has the same number everywhere; a folder in it rarely does.
    number = (folder / "keys").stat().st_ino if (folder / "keys").is_dir() else folder.stat().st_ino
    return hashlib.sha256(f"{machine}\n{folder.resolve()}\n{number}".encode()).hexdigest()


async def write_checkpoint(log: Store, text: str) -> None:
    """Put the signed checkpoint into its place, durably and after everything that it covers."""
    await log.replace(CHECKPOINT, text.encode(), media_type=TEXT, cache=FRESH)


async def write_keys(log: Store, content: bytes) -> None:
    """Put the list of the registry's key statements into its place, durably; the checkpoint that covers it follows.

    It changes as rarely as the keys, and has to be as fresh as the checkpoint, so it is one file, never kept by caches.
    """
    if await log.read(KEYS) != content:
        await log.replace(KEYS, content, media_type=JSON, cache=FRESH)


async def published_checkpoint(log: Store, log_keys: LogKeys) -> checkpoints.Checkpoint | None:
    """Return the checkpoint that is published in ``log``, if one is; raises ``StartError`` if it is not this log's."""
    text = await log.read(CHECKPOINT)
    if text is None:
        return None
    try:
        return checkpoints.open(text, log_keys)
    except LicetError as error:
        place = f"{log.shown}/{CHECKPOINT}"
        raise StartError(f"{place}: expected a checkpoint of this log, got another: {error}") from None


async def write_tiles(log: Store, files: Sequence[tuple[str, bytes]]) -> None:
    """Put tiles and bundles in their places.

    Raises ``StartError`` where another file is published already: the log has two histories; ``StoreUnavailable``.
    """
    contents = dict(files)
    for name in await log.create_all(files):
        there = await log.read(name)
        if there is None:
            raise StoreUnavailable(f"{log.shown}/{name}: it cannot be put there, as if it were there, and is not")
        if there != contents[name]:
            raise StartError(
                f"{log.shown}/{name}: another tile is published there than this database holds: "
                f"the log would have two histories"
            )


async def drop_partial(log: Store, path: str) -> None:
    """Take away the partial versions of the full tile or bundle at ``path``, which readers find in it."""
    for name in await log.names(f"{path}.p"):
        await log.remove(name)


async def read_tile(log: Store, path: str) -> bytes:
    """Return the bytes of the tile or bundle at ``path``; a partial one is cut from the full one once that exists.

    Raises ``NotFound`` for a path that is no tile's, or a tile that does not exist.
    """
    try:
        level, index, width = tiles.parse_path(path)
    except MalformedError:
        raise NotFound("expected the path of a tile, such as tile/0/000.p/7") from None
    content = await log.read(path)
    if content is not None:
        return content
    if width == tiles.WIDTH:
        raise NotFound(_NO_TILE)
    full = await log.read(tiles.entries_path(index) if level is None else tiles.tile_path(level, index))
    if full is None:
        raise NotFound(_NO_TILE)
    if level is None:
        return tiles.encode_bundle(tiles.decode_bundle(full)[:width])
    return full[: width * HASH_SIZE]
