"""Tiles: the paths and sizes of tlog-tiles, and proofs from stored tiles equal those from memory."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError, MalformedError, VerificationError
from licet.log import merkle, tiles
from licet.log.tiles import Tile, TileTree

LEAVES = b"".join(sha256(number.to_bytes(4, "big")).digest() for number in range(66_000))


def leaves(size: int) -> bytes:
    return LEAVES[: size * 32]


class Store:
    """Tiles by path, as a static server has them."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.size = 0

    def grow(self, size: int) -> None:
        written = tiles.extend(self.size, LEAVES[self.size * 32 : size * 32], self.read)
        assert [tile for tile, _ in written] == list(tiles.new_tiles(self.size, size))
        for tile, content in written:
            assert len(content) == tile.width * 32
            assert tile.path not in self.files, "a stored tile is never written again"
            self.files[tile.path] = content
        self.size = size

    def read(self, level: int, index: int, width: int) -> bytes:
        return self.files[tiles.tile_path(level, index, width)]


@pytest.fixture(scope="module")
def large() -> Store:
    store = Store()
    store.grow(300)
    store.grow(66_000)
    return store


@pytest.mark.parametrize(
    ("index", "width", "place"),
    [
        (0, 256, "000"),
        (5, 1, "005.p/1"),
        (999, 255, "999.p/255"),
        (1000, 256, "x001/000"),
        (1234067, 256, "x001/x234/067"),
        (1234067, 17, "x001/x234/067.p/17"),
        (10**9, 256, "x001/x000/x000/000"),
    ],
)
def test_paths_are_those_of_the_specification(index: int, width: int, place: str) -> None:
    assert tiles.tile_path(2, index, width) == f"tile/2/{place}"
    assert tiles.entries_path(index, width) == f"tile/entries/{place}"
    assert tiles.parse_path(f"tile/2/{place}") == (2, index, width)
    assert tiles.parse_path(f"tile/entries/{place}") == (None, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/1000",
        "tile/0/x000/001",
        "tile/0/x001/x000",
        "tile/0/001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/+1",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "tile/0/../../secret",
        "tile/data/000",
        "tile/0/" + "x999/" * 6 + "999",
        "tile/0/" + "x999/" * 2_000 + "999",
    ],
)
def test_every_other_path_is_malformed(path: str) -> None:
    with pytest.raises(MalformedError):
        tiles.parse_path(path)


def test_coordinates_that_cannot_be_have_no_path() -> None:
    for level, index, width in ((-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 2**60, 1), (0, 0, 0), (0, 0, 257)):
        with pytest.raises(InputError):
            tiles.tile_path(level, index, width)


def test_the_example_sizes_of_the_specification() -> None:
    everything = list(tiles.new_tiles(0, 70_000))
    full = [sum(tile.level == level and tile.width == 256 for tile in everything) for level in range(3)]
    partial = [tile for tile in everything if tile.width < 256]
    assert full == [273, 1, 0]
    assert partial == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles.new_tiles(0, 256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles.new_tiles(0, 0)) == list(tiles.new_tiles(70_000, 70_000)) == []


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=5, unique=True).map(sorted))
def test_growing_writes_each_tile_once_and_in_full(sizes: list[int]) -> None:
    store = Store()
    for size in sizes:
        store.grow(size)
        tree = TileTree(size, store.read)
        assert tree.root == merkle.root(leaves(size))
        frontier = merkle.Frontier.parse(tree.frontier().encode())
        frontier.append(b"\x00" * 32)
        assert frontier.root == merkle.root(leaves(size) + b"\x00" * 32)


@given(st.data())
def test_proofs_from_tiles_equal_proofs_from_memory(data: st.DataObject) -> None:
    size = data.draw(st.sampled_from([1, 2, 255, 256, 257, 511, 512, 700]))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    store = Store()
    store.grow(size)
    tree, memory = TileTree(size, store.read), merkle.Tree(leaves(size))
    assert tree.inclusion_proof(index) == memory.inclusion_proof(index)
    assert tree.consistency_proof(old) == memory.consistency_proof(old)
    assert tree.leaf(index) == memory.node(0, index)


def test_a_tree_of_three_levels_proves_any_leaf_and_any_growth(large: Store) -> None:
    tree, memory = TileTree(large.size, large.read), merkle.Tree(leaves(large.size))
    assert tree.root == memory.root
    for index in (0, 255, 256, 65_535, 65_536, 65_999, 40_000):
        proof = tree.inclusion_proof(index)
        assert proof == memory.inclusion_proof(index)
        merkle.verify_inclusion(tree.leaf(index), index, tree.size, proof, tree.root)
    for old in (1, 255, 256, 300, 65_536, 65_537, 65_999, 66_000):
        proof = tree.consistency_proof(old)
        assert proof == memory.consistency_proof(old)
        merkle.verify_consistency(old, tree.size, merkle.root(leaves(old)), tree.root, proof)
    for index in range(0, large.size, 256):  # more tiles than are kept
        assert tree.leaf(index) == LEAVES[index * 32 : index * 32 + 32]
    assert tree.root == memory.root


def test_an_older_size_reads_from_the_wider_tiles_of_a_newer_one() -> None:
    store = Store()
    store.grow(600)
    widest = {Tile(0, 0): 256, Tile(0, 1): 256, Tile(0, 2): 88, Tile(1, 0): 2}

    def read(level: int, index: int, width: int) -> bytes:
        return store.read(level, index, widest[Tile(level, index)])

    for size in (1, 256, 257, 400, 512, 600):
        tree = TileTree(size, read)
        assert tree.root == merkle.root(leaves(size))
        assert tree.inclusion_proof(size - 1) == merkle.inclusion_proof(leaves(size), size - 1)


def test_one_changed_bit_in_any_tile_on_the_way_shows(large: Store) -> None:
    honest = TileTree(large.size, large.read)
    for path in ("tile/0/156", "tile/1/000", "tile/1/001.p/1", "tile/0/257.p/208"):
        forged = large.files | {path: bytes([large.files[path][0] ^ 1]) + large.files[path][1:]}
        tree = TileTree(large.size, lambda *at, files=forged: files[tiles.tile_path(*at)])
        with pytest.raises(VerificationError):
            merkle.verify_inclusion(honest.leaf(40_000), 40_000, large.size, tree.inclusion_proof(40_000), honest.root)


@pytest.mark.parametrize("length", [0, 31, 32 * 43, 32 * 44 + 1, 32 * 257])
def test_a_tile_of_another_length_is_malformed(length: int) -> None:
    with pytest.raises(MalformedError):
        _ = TileTree(300, lambda *_: b"\x00" * length).root
    with pytest.raises(MalformedError):
        tiles.extend(300, [b"\x00" * 32], lambda *_: b"\x00" * length)


def test_proofs_outside_the_tree_are_input_errors(large: Store) -> None:
    tree = TileTree(300, large.read)
    for index in (-1, 300):
        with pytest.raises(InputError):
            tree.inclusion_proof(index)
        with pytest.raises(InputError):
            tree.leaf(index)
    for old in (0, 301):
        with pytest.raises(InputError):
            tree.consistency_proof(old)
    with pytest.raises(InputError):
        TileTree(-1, large.read)
    with pytest.raises(InputError):
        list(tiles.new_tiles(5, 4))
    with pytest.raises(InputError):
        tiles.extend(-1, [b"\x00" * 32], large.read)
    assert TileTree(0, large.read).root == merkle.EMPTY_ROOT


def test_a_tile_is_read_once_for_many_proofs(large: Store) -> None:
    reads: list[tuple[int, int, int]] = []

    def counting(level: int, index: int, width: int) -> bytes:
        reads.append((level, index, width))
        return large.read(level, index, width)

    tree = TileTree(large.size, counting)
    for index in range(1_024, 1_280):
        tree.inclusion_proof(index)
    assert len(reads) == len(set(reads)) <= 6


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_give_back_their_entries(entries: list[bytes]) -> None:
    data = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(data) == tiles.decode_bundle(data, len(entries)) == entries
    with pytest.raises(MalformedError):
        tiles.decode_bundle(data, len(entries) + 1)


def test_bundles_hold_whole_entries_within_limits() -> None:
    longest = b"\x01" * 65_535
    assert tiles.decode_bundle(tiles.encode_bundle([longest])) == [longest]
    for unfit in ([longest + b"\x01"], [], [b""] * 257):
        with pytest.raises(InputError):
            tiles.encode_bundle(unfit)
    for data in (b"", b"\x00", b"\x00\x02a", b"\x00\x01ab", b"\x00\x00" * 257):
        with pytest.raises(MalformedError):
            tiles.decode_bundle(data)


@given(st.binary(max_size=80))
def test_foreign_bundles_raise_only_malformed(data: bytes) -> None:
    try:
        entries = tiles.decode_bundle(data)
    except MalformedError:
        return
    assert tiles.encode_bundle(entries) == data


@given(st.text("tile/entrisx0123456789.p", max_size=30))
def test_foreign_paths_raise_only_malformed(path: str) -> None:
    try:
        level, index, width = tiles.parse_path(path)
    except MalformedError:
        return
    again = tiles.entries_path(index, width) if level is None else tiles.tile_path(level, index, width)
    assert again == path


@given(st.lists(st.integers(0, 200_000), min_size=2, max_size=4).map(sorted))
def test_steps_name_every_tile_that_one_leap_names(sizes: list[int]) -> None:
    steps = {tile for old, new in pairwise(sizes) for tile in tiles.new_tiles(old, new)}
    assert set(tiles.new_tiles(sizes[0], sizes[-1])) <= steps
