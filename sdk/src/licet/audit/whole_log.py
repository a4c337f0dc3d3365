"""The whole log, rebuilt from its entries: nothing but the pinned key and the published files is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from licet.errors import VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import entry as entries
from licet.log import merkle, note, tiles
from licet.log.checkpoint import Checkpoint

Read = Callable[[str], bytes]  # a path below the log's address, such as tile/entries/000.p/7 → its bytes
Advance = Callable[[int], None]


def verify_log(
    read: Read, log: note.NoteVerifier, seen: Checkpoint | None = None, advance: Advance = lambda _: None
) -> Checkpoint:
    """Return the newest checkpoint once the published entries give exactly its root.

    ``seen`` is the largest checkpoint known from before: the log must still contain it, unchanged. Entry times must
    not decrease. Raises ``VerificationError`` with the first index or size at which the log does not hold.
    """
    newest = checkpoints.open(read("checkpoint"), log)
    if seen is not None and seen.origin != newest.origin:
        raise VerificationError(f"expected the log {seen.origin}, got {newest.origin}")
    if seen is not None and newest.size < seen.size:
        raise VerificationError(f"expected a log of at least {seen.size} entries as seen before, got {newest.size}")
    frontier = merkle.Frontier()
    time = ""
    for index, data in _entries(read, newest.size, advance):
        if seen is not None and index == seen.size and frontier.root != seen.root:
            raise VerificationError(f"the first {seen.size} entries are not those that were seen before: a fork")
        entry = entries.parse(data)
        if entry.time < time:
            raise VerificationError(f"entry {index}: its time {entry.time} is before that of the entry in front of it")
        time = entry.time
        frontier.append(merkle.leaf_hash(data))
    if seen is not None and seen.size == newest.size and seen.root != newest.root:
        raise VerificationError(f"two roots for one size {seen.size}: the log shows different trees")
    if frontier.root != newest.root:
        raise VerificationError(f"the {newest.size} entries do not give the root of the signed checkpoint")
    return newest


def _entries(read: Read, size: int, advance: Advance) -> Iterator[tuple[int, bytes]]:
    for start in range(0, size, tiles.WIDTH):
        width = min(tiles.WIDTH, size - start)
        bundle = tiles.decode_bundle(read(tiles.entries_path(start // tiles.WIDTH, width)), width)
        yield from enumerate(bundle, start)
        advance(width)
