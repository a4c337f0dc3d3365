"""What leaves the building: immutable tile files, the checkpoint, and the guard that remembers both.

Order, after the sequencer's COMMIT: guard, tiles and bundles, checkpoint. The guard lies outside of whatever is
backed up with the database, so a database that was restored from the past is noticed before it signs a second
history. Every file is written whole (temporary name, fsync, rename): a reader never sees half of one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import msgspec

from licet.canonical import from_base64, to_base64
from licet.errors import LicetError, MalformedError
from licet.log import checkpoint as checkpoints
from licet.log import note, tiles
from licet.log.merkle import HASH_SIZE
from registry.errors import NotFound, StartError

GUARD: Final = "guard.json"


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The largest tree that was ever let out: size and base64 root."""

    size: int
    root: str


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
    """Make the guard remember this tree, durably."""
    write_whole(folder / GUARD, msgspec.json.encode(Guard(size, to_base64(root))))
    _sync_folder(folder)


def write_checkpoint(log: Path, text: str) -> None:
    """Put the signed checkpoint into folder ``log``, durably and after everything that it covers."""
    write_whole(log / "checkpoint", text.encode())
    _sync_folder(log)


def published_checkpoint(log: Path, verifier: note.Verifier) -> checkpoints.Checkpoint | None:
    """Return the checkpoint that lies in folder ``log``, if one does; raises ``StartError`` if it is not this log's."""
    try:
        return checkpoints.open((log / "checkpoint").read_bytes(), verifier)
    except FileNotFoundError:
        return None
    except LicetError as error:
        raise StartError(f"{log / 'checkpoint'}: expected a checkpoint of this log, got another: {error}") from None


def write_tile(log: Path, path: str, content: bytes) -> None:
    """Put a tile or bundle in its place under ``log``; the partial ones before a full one go."""
    target = log / path
    if target.exists():
        return  # immutable: what is there is the same
    write_whole(target, content)
    if target.parent.suffix != ".p":
        shutil.rmtree(target.with_name(f"{target.name}.p"), ignore_errors=True)


def read_tile(log: Path, path: str) -> bytes:
    """Return the bytes of the tile or bundle at ``path``; a partial one is cut from the full one once that exists.

    Raises ``NotFound`` for a path that is no tile's, or a tile that does not exist.
    """
    try:
        level, index, width = tiles.parse_path(path)
    except MalformedError:
        raise NotFound("expected the path of a tile, such as tile/0/000.p/7") from None
    try:
        return (log / path).read_bytes()
    except FileNotFoundError:
        pass
    if width < tiles.WIDTH:
        full = tiles.entries_path(index) if level is None else tiles.tile_path(level, index)
        try:
            content = (log / full).read_bytes()
        except FileNotFoundError:
            raise NotFound("the log has no such tile") from None
        if level is None:
            return tiles.encode_bundle(tiles.decode_bundle(content)[:width])
        return content[: width * HASH_SIZE]
    raise NotFound("the log has no such tile")


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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
