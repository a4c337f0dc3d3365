"""Tiles (C2SP tlog-tiles): the tree as immutable files of 256 hashes, and the entries beside them.

Tile ``(level, index)`` holds the nodes of tree level ``8·level`` from ``256·index`` on; only full subtrees
have a place in a tile. Tiles come from wherever the caller reads them and prove nothing by themselves:
what is computed from them counts once its root is that of a signed checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from licet.errors import InputError, MalformedError
from licet.log import merkle
from licet.log.merkle import HASH_SIZE, MAX_SIZE

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
MAX_LEVEL: Final = 63
MAX_ENTRY: Final = 65_535

ReadTile = Callable[[int, int, int], bytes]
"""``read(level, index, width)`` returns the first ``width`` hashes of that tile, or a wider version of it."""

_KEPT_TILES: Final = 256
_PATH: Final = re.compile(
    r"tile/(?P<level>0|[1-9]\d?|entries)/(?P<index>(?:x\d{3}/)*\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?",
    re.ASCII,
)


class Tile(msgspec.Struct, frozen=True, order=True):
    """Which tile, and how many of its 256 hashes are there."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where the tile is served, below the log's prefix."""
        return tile_path(self.level, self.index, self.width)


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Return ``tile/<level>/<index>[.p/<width>]``. Raises ``InputError`` for a tile that cannot be."""
    if not 0 <= level <= MAX_LEVEL:
        raise InputError(f"expected a tile level between 0 and {MAX_LEVEL}, got {level}")
    return f"tile/{level}/{_place(index, width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """Return ``tile/entries/<index>[.p/<width>]``. Raises ``InputError`` for a bundle that cannot be."""
    return f"tile/entries/{_place(index, width)}"


def parse_path(path: str) -> tuple[int | None, int, int]:
    """Return (level, index, width) of a tile's path; for an entry bundle the level is None.

    Raises ``MalformedError`` for every other spelling, so one tile has one path.
    """
    match = _PATH.fullmatch(path) if len(path) <= 64 else None
    if match:
        level = None if match["level"] == "entries" else int(match["level"])
        index, width = int(match["index"].replace("x", "").replace("/", "")), int(match["width"] or WIDTH)
        try:
            canonical = entries_path(index, width) if level is None else tile_path(level, index, width)
        except InputError:
            canonical = ""
        if canonical == path:
            return level, index, width
    raise MalformedError(f"expected the path of a tile, got {path!r:.80}")


def new_tiles(old_size: int, new_size: int) -> Iterator[Tile]:
    """Yield the tiles that a log which grew from ``old_size`` to ``new_size`` must store, level by level.

    Tiles that were full before are left out; a tile that is still partial comes in its new width only.
    The entry bundles to store are those with the index and width of the tiles at level 0.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise InputError(f"expected 0 <= old size <= new size, got {old_size} and {new_size}")
    level, old, new = 0, old_size, new_size
    while new:
        if old < new:
            for index in range(old // WIDTH, (new + WIDTH - 1) // WIDTH):
                yield Tile(level, index, min(WIDTH, new - index * WIDTH))
        level, old, new = level + 1, old >> HEIGHT, new >> HEIGHT


def extend(old_size: int, leaf_hashes: bytes | Iterable[bytes], read_tile: ReadTile) -> list[tuple[Tile, bytes]]:
    """Return the tiles of `new_tiles`, with content, of a log that appends ``leaf_hashes`` to ``old_size``.

    Reads at most one partial tile a level. Raises ``MalformedError`` for a tile of another length.
    """
    hashes = merkle.joined(leaf_hashes)
    if not 0 <= old_size <= MAX_SIZE - len(hashes) // HASH_SIZE:
        raise InputError(f"expected an old size that leaves room below 2^63, got {old_size}")
    written: list[tuple[Tile, bytes]] = []
    level, old = 0, old_size
    while hashes:
        first, begun = divmod(old, WIDTH)
        if begun:
            hashes = _read(read_tile, level, first, begun) + hashes
        full: list[bytes] = []
        for offset in range(0, len(hashes), WIDTH * HASH_SIZE):
            content = hashes[offset : offset + WIDTH * HASH_SIZE]
            tile = Tile(level, first + offset // (WIDTH * HASH_SIZE), len(content) // HASH_SIZE)
            written.append((tile, content))
            if tile.width == WIDTH:
                full.append(merkle.root(content))
        level, old, hashes = level + 1, old >> HEIGHT, b"".join(full)
    return written


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Return up to 256 entries, each behind its length as uint16 big-endian.

    Raises ``InputError`` for an entry over 65,535 bytes, for none and for too many.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise InputError(f"expected an entry of at most {MAX_ENTRY} bytes, got {len(entry)}")
        parts += len(entry).to_bytes(2, "big"), entry
    if not 0 < len(parts) <= 2 * WIDTH:
        raise InputError(f"expected 1 to {WIDTH} entries in a bundle, got {len(parts) // 2}")
    return b"".join(parts)


def decode_bundle(data: bytes, width: int | None = None) -> list[bytes]:
    """Return the entries of a bundle, exactly ``width`` where that is given, else 1 to 256.

    Raises ``MalformedError`` for bytes that end inside an entry and for another number of entries.
    """
    entries: list[bytes] = []
    at, end = 0, len(data)
    while at < end - 1 and len(entries) < WIDTH:
        start = at + 2
        at = start + (data[at] << 8 | data[at + 1])
        entries.append(data[start:at])
    if at != end:
        raise MalformedError(f"expected a bundle that ends with its entry {len(entries)}, got other bytes")
    if not entries or (width is not None and len(entries) != width):
        raise MalformedError(f"expected {width or 'some'} entries in the bundle, got {len(entries)}")
    return entries


class TileTree:
    """A tree of ``size`` leaves read from tiles: its root and any proof, a few tiles each.

    Tiles are kept, the latest 256 of them, so many proofs of one tree cost little more than one.
    """

    __slots__ = ("_read_tile", "_tiles", "size")

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        """Read nothing yet. ``read_tile`` may raise whatever its storage raises; it passes through."""
        if not 0 <= size <= MAX_SIZE:
            raise InputError(f"expected a tree size between 0 and 2^63-1, got {size}")
        self.size: Final = size
        self._read_tile = read_tile
        self._tiles: dict[tuple[int, int], merkle.Tree] = {}

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        return self._range_root(0, self.size)

    def root_at(self, size: int) -> bytes:
        """Return the root over the first ``size`` leaves, from the same tiles."""
        if not 0 <= size <= self.size:
            raise InputError(f"expected a size of at most {self.size}, got {size}")
        return self._range_root(0, size)

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash at ``index``."""
        merkle.check_leaf(index, self.size)
        return self._full_node(0, index)

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return the proof that leaf ``index`` is in the tree. Raises ``InputError`` outside the tree."""
        merkle.check_leaf(index, self.size)
        return [self._node(level, at) for level, at in merkle.inclusion_path(index, self.size)]

    def consistency_proof(self, old: int) -> list[bytes]:
        """Return the proof that the tree extends its first ``old`` leaves (at least one)."""
        merkle.check_sizes(old, self.size)
        if old == self.size:
            return []
        (level, at), *path = merkle.consistency_path(old, self.size)
        return [self._node(*where) for where in ([(level, at), *path] if at else path)]

    def frontier(self) -> merkle.Frontier:
        """Return the tree's right edge, to append to."""
        return merkle.Frontier(self.size, self._full_nodes(0, self.size))

    def _node(self, level: int, index: int) -> bytes:
        start, end = index << level, (index + 1) << level
        return self._full_node(level, index) if end <= self.size else self._range_root(start, self.size)

    def _range_root(self, start: int, end: int) -> bytes:
        return merkle.fold_right(self._full_nodes(start, end))

    def _full_nodes(self, start: int, end: int) -> list[bytes]:
        nodes: list[bytes] = []
        while start < end:
            level = (end - start).bit_length() - 1
            nodes.append(self._full_node(level, start >> level))
            start += 1 << level
        return nodes

    def _full_node(self, level: int, index: int) -> bytes:
        tile_level, within = divmod(level, HEIGHT)
        tile_index, at = divmod(index, WIDTH >> within)
        tile = self._tiles.get((tile_level, tile_index))
        if tile is None:
            width = min(WIDTH, (self.size >> (HEIGHT * tile_level)) - tile_index * WIDTH)
            tile = merkle.Tree(_read(self._read_tile, tile_level, tile_index, width))
            if len(self._tiles) >= _KEPT_TILES:
                del self._tiles[next(iter(self._tiles))]
            self._tiles[tile_level, tile_index] = tile
        return tile.node(within, at)


def _read(read_tile: ReadTile, level: int, index: int, width: int) -> bytes:
    data = read_tile(level, index, width)
    if len(data) % HASH_SIZE or not width * HASH_SIZE <= len(data) <= WIDTH * HASH_SIZE:
        raise MalformedError(f"{tile_path(level, index, width)}: expected {width * HASH_SIZE} bytes, got {len(data)}")
    return data[: width * HASH_SIZE]


def _place(index: int, width: int) -> str:
    if not 0 <= index <= MAX_SIZE // WIDTH:
        raise InputError(f"expected a tile index between 0 and 2^55-1, got {index}")
    if not 0 < width <= WIDTH:
        raise InputError(f"expected a tile width between 1 and {WIDTH}, got {width}")
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    suffix = "" if width == WIDTH else f".p/{width}"
    return "/".join([f"x{part}" for part in parts[:-1]] + parts[-1:]) + suffix
