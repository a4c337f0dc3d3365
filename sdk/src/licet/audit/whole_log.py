"""The whole log, rebuilt from its entries: nothing but the log's key and the published files is used.

What is found wrong between two signed checkpoints travels along as ``misconduct`` in the error's details: a document
that anybody can check (`licet.audit.misconduct`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import msgspec

from licet.audit.misconduct import Fork, SplitView
from licet.audit.rebuilt import START, Edge, Rebuilt, check_tile
from licet.canonical import to_base64
from licet.errors import LicetError, RollbackError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import merkle, policy, tiles
from licet.log.checkpoint import Checkpoint
from licet.statements.key_list import KeyList
from licet.statements.trust import RegistryKeys

Read = Callable[[str], bytes]  # a path below the log's address, such as tile/entries/000.p/7 → its bytes
Advance = Callable[[int], None]
_AHEAD: Final = 4  # files a reader that are asked for before they are needed


class Seen(msgspec.Struct, frozen=True):
    """A checkpoint known from before, with the signed note that it was read from, where it was kept."""

    checkpoint: Checkpoint
    note: str | None = None


class Verified(msgspec.Struct, frozen=True):
    """What was verified: the newest checkpoint and its note, and where another verification can go on from.

    ``entries`` were read this time, ``held_to`` checkpoints from before are of this very tree. ``keys`` are the
    registry's, if the published list of them was held to the entries.
    """

    newest: Checkpoint
    note: str
    edge: Edge
    entries: int
    held_to: int
    keys: RegistryKeys | None = None


def verify_log(
    read: Read, log: policy.AnyLog, seen: Checkpoint | None = None, advance: Advance = lambda _: None
) -> Checkpoint:
    """Return the newest checkpoint once `examine_log` found nothing wrong."""
    return examine_log(read, log, [Seen(seen)] if seen else [], advance=advance).newest


def examine_log(
    read: Read,
    log: policy.AnyLog,
    seen: Iterable[Seen] = (),
    *,
    start: Edge = START,
    rules: policy.Policy | None = None,
    listed: KeyList | None = None,
    readers: int = 1,
    advance: Advance = lambda _: None,
    reached: Callable[[Edge], None] = lambda edge: None,
) -> Verified:
    """Return what the published log is, once its entries give every published tile and the root of its checkpoint.

    Each checkpoint in ``seen`` must be of this very tree: those up to ``start`` by a consistency proof from the
    published tiles, the others on the way. Entries in front of ``start``, an edge that was verified before, are not
    read again. With ``rules``, the checkpoint must satisfy that policy; with ``listed``, the published list of the
    registry's keys, the entries about keys must be exactly those of the list. ``readers`` threads read ahead; more than
    one only if ``read`` may be called by several. ``reached`` hears, bundle by bundle, from where an interrupted call
    could go on: an edge counts only once a later call returns. Raises ``VerificationError`` with the first index, tile
    or size at which the log does not hold, ``RollbackError`` for a log that went back; with ``misconduct`` where two
    signed checkpoints contradict each other.
    """
    note = read(CHECKPOINT)
    newest = checkpoints.open(note, log)
    text = note.decode()
    if rules is not None:
        rules.check(note, log=log)
    known = _in_order(seen, newest, text, log)
    if start.size > newest.size:
        raise RollbackError(f"expected a log of at least {start.size} entries as seen before, got {newest.size}")
    old = [each for each in known if each.checkpoint.size < start.size]
    ahead = deque(each for each in known if each.checkpoint.size >= start.size)
    tree = Rebuilt(start)
    _hold(tree, ahead, newest, text, read, log)
    for bundle, full in _bundles(read, start.size, newest.size, readers):
        done = tree.size % tiles.WIDTH
        if done and merkle.joined(merkle.leaf_hash(each) for each in bundle[:done]) != tree.edge.tiles[0]:
            raise VerificationError(f"an entry before {tree.size} is not the one that was verified before: a fork")
        fresh = bundle[done:]
        at = 0
        while ahead and ahead[0].checkpoint.size < tree.size + len(fresh) - at:
            # The sizes that were seen end inside this bundle: stop there.
            upto = at + max(0, ahead[0].checkpoint.size - tree.size)
            tree.add(fresh[at:upto])
            at = upto
            _hold(tree, ahead, newest, text, read, log)
        finished = tree.add(fresh[at:])
        for tile, content in finished:
            check_tile(tile.path, full(tile.path), content)
        _hold(tree, ahead, newest, text, read, log)
        advance(len(fresh))
        reached(tree.edge)
    for tile, content in tree.begun():
        check_tile(tile.path, read(tile.path), content)
    if tree.root != newest.root:
        raise VerificationError(f"the {newest.size} entries do not give the root of the signed checkpoint")
    for each in old:
        _hold_by_proof(each, newest, text, read, log)
    keys = listed.hold(tree.edge.keys, newest.size) if listed is not None else None
    return Verified(newest, text, tree.edge, newest.size - start.size, len(known), keys)


CHECKPOINT: Final = "checkpoint"


def consistency(read: Read, log: policy.AnyLog, old: Checkpoint, new: Checkpoint) -> list[bytes]:
    """Return the proof that the log of ``new`` begins with that of ``old``, made from the published tiles.

    It holds by itself, whoever serves the tiles. Raises ``VerificationError`` where none can be made.
    """
    if old.origin != new.origin or old.origin != log.name:
        raise VerificationError(f"expected two checkpoints of {log.name}, got {old.origin} and {new.origin}")
    if old.size > new.size:
        raise VerificationError(f"expected the older checkpoint first, got sizes {old.size} and {new.size}")
    if old.size == 0:
        if old.root != merkle.EMPTY_ROOT:
            raise VerificationError("expected the root of the empty tree at size 0, got another")
        return []
    proof: list[bytes] = []
    if old.size < new.size:
        proof = _tree(read, new.size).consistency_proof(old.size)
    merkle.verify_consistency(old.size, new.size, old.root, new.root, proof)
    return proof


def hold_together(read: Read, log: policy.AnyLog, first: Seen, second: Seen) -> None:
    """Return only if the log at the smaller of both is the beginning of the log at the other.

    Raises ``VerificationError`` otherwise, with ``misconduct`` where both notes are there and the tiles show it.
    """
    older, newer = sorted((first, second), key=lambda each: each.checkpoint.size)
    if older.checkpoint.size == newer.checkpoint.size and older.checkpoint.root != newer.checkpoint.root:
        raise split_view(log, older, newer)
    if newer.note is None:
        consistency(read, log, older.checkpoint, newer.checkpoint)
    else:
        _hold_by_proof(older, newer.checkpoint, newer.note, read, log)


# -- against what was seen -----------------------------------------------------------------------------------------


def _in_order(seen: Iterable[Seen], newest: Checkpoint, text: str, log: policy.AnyLog) -> list[Seen]:
    """Return what was seen by size, a size once, having found two roots for one size and sizes beyond the newest."""
    by_size: dict[int, Seen] = {newest.size: Seen(newest, text)}
    known: dict[int, Seen] = {}
    for each in seen:
        if each.checkpoint.origin != newest.origin:
            raise VerificationError(f"expected the log {each.checkpoint.origin}, got {newest.origin}")
        other = by_size.setdefault(each.checkpoint.size, each)
        if other.checkpoint.root != each.checkpoint.root:
            raise split_view(log, other, each)
        known[each.checkpoint.size] = each
    largest = max(known, default=0)
    if largest > newest.size:
        raise RollbackError(
            f"expected a log of at least {largest} entries as seen before, got {newest.size}", size=newest.size
        )
    return [known[size] for size in sorted(known)]


def _hold(tree: Rebuilt, ahead: deque[Seen], newest: Checkpoint, text: str, read: Read, log: policy.AnyLog) -> None:
    while ahead and ahead[0].checkpoint.size == tree.size:
        each = ahead.popleft()
        root = tree.root
        if root != each.checkpoint.root:
            raise VerificationError(
                f"the first {tree.size} entries are not those that were seen before: a fork",
                size=tree.size,
                misconduct=_fork(log, each, newest, text, root, read),
            )


def _hold_by_proof(each: Seen, newest: Checkpoint, text: str, read: Read, log: policy.AnyLog) -> None:
    try:
        consistency(read, log, each.checkpoint, newest)
    except VerificationError:
        size = each.checkpoint.size
        root = _tree(read, newest.size).root_at(size)
        raise VerificationError(
            f"the first {size} entries are not those that were seen before: a fork",
            size=size,
            misconduct=_fork(log, each, newest, text, root, read),
        ) from None


def split_view(log: policy.AnyLog, first: Seen, second: Seen) -> VerificationError:
    """Return the error of two roots for one size, with the document of it where both notes are there."""
    size = first.checkpoint.size
    both = first.note is not None and second.note is not None
    found = SplitView(log.vkey, first.note or "", second.note or "") if both else None
    message = f"two roots for one size {size}: the log shows different trees"
    return VerificationError(message, size=size, misconduct=found)


def _fork(log: policy.AnyLog, older: Seen, newest: Checkpoint, text: str, root: bytes, read: Read) -> Fork | None:
    """Return the document of a fork: two roots for one size, of which the second follows from the newest checkpoint."""
    if older.note is None:
        return None
    try:
        proof = _tree(read, newest.size).consistency_proof(older.checkpoint.size)
        merkle.verify_consistency(older.checkpoint.size, newest.size, root, newest.root, proof)
    except LicetError:
        return None  # the tiles do not even give the newest root: nothing that others could check
    return Fork(log.vkey, older.note, text, to_base64(root), [to_base64(value) for value in proof])


def _tree(read: Read, size: int) -> tiles.TileTree:
    return tiles.TileTree(size, lambda level, index, width: read(tiles.tile_path(level, index, width)))


# -- reading ahead -------------------------------------------------------------------------------------------------


def _bundles(read: Read, start: int, size: int, readers: int) -> Iterator[tuple[Sequence[bytes], Read]]:
    """Yield the entry bundles from the one that holds ``start`` on, each with a reader of the tiles that it fills."""
    indices = range(start // tiles.WIDTH, -(-size // tiles.WIDTH))

    def fetch(index: int) -> tuple[Sequence[bytes], bytes | None]:
        width = min(tiles.WIDTH, size - index * tiles.WIDTH)
        bundle = tiles.decode_bundle(read(tiles.entries_path(index, width)), width)
        return bundle, read(tiles.tile_path(0, index)) if width == tiles.WIDTH else None

    for index, (bundle, level0) in zip(indices, _ahead(fetch, indices, readers), strict=True):
        own = tiles.tile_path(0, index) if level0 is not None else None
        yield bundle, lambda path, own=own, level0=level0: level0 if path == own else read(path)  # type: ignore[misc]


def _ahead(
    fetch: Callable[[int], tuple[Sequence[bytes], bytes | None]], indices: Sequence[int], readers: int
) -> Iterator[tuple[Sequence[bytes], bytes | None]]:
    if readers <= 1:
        yield from map(fetch, indices)
        return
    with ThreadPoolExecutor(readers) as pool:
        waiting: deque[Future[tuple[Sequence[bytes], bytes | None]]] = deque()
        try:
            for index in indices:
                waiting.append(pool.submit(fetch, index))
                if len(waiting) == readers * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
