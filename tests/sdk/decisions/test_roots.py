"""One root, whoever hashed which of the leaves, and in how many pieces."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.decisions.roots import PieceBuilder, RootBuilder, RootPiece
from licet.errors import InputError
from licet.log import merkle

LEAVES = 140_001
RUN = 1 << 16


@lru_cache(maxsize=1)
def leaves() -> tuple[bytes, str]:
    """Leaf hashes, and the root over them all at once."""
    hashes = b"".join(sha256(number.to_bytes(4, "big")).digest() for number in range(LEAVES))
    return hashes, merkle.root(hashes).hex()


def piece(first: int, end: int, step: int) -> RootPiece:
    """What somebody makes of the leaves from ``first`` to ``end``, handed in by ``step`` of them."""
    builder = PieceBuilder(first)
    for at in range(first, end, step):
        builder.add(leaves()[0][32 * at : 32 * min(at + step, end)])
    return builder.piece


EDGES = st.sampled_from((0, 1, RUN - 1, RUN, RUN + 1, 2 * RUN, LEAVES - 1, LEAVES))


@settings(max_examples=6)
@given(st.lists(EDGES | st.integers(0, LEAVES), max_size=5), st.integers(20_000, LEAVES))
def test_pieces_cut_anywhere_make_the_root_over_all_leaves(cuts, step):
    ends = [0, *sorted(cuts), LEAVES]
    made = [piece(first, end, step) for first, end in reversed(list(pairwise(ends)))]
    builder = RootBuilder()
    for each in reversed(made):
        builder.append(each)
    assert builder.size == LEAVES
    assert builder.root == leaves()[1]


def test_a_piece_of_many_leaves_is_small():
    found = piece(5, LEAVES, LEAVES)
    assert found.size == LEAVES - 5
    # 5, 6, 8, 16 … 32768: up to the first run; one run; 131072, 139264 …: what the number of leaves behind it has bits.
    assert len(found.nodes) == 32 * (15 + 1 + (LEAVES - 2 * RUN).bit_count())


def test_leaves_may_follow_pieces():
    builder = RootBuilder()
    builder.append(piece(0, 70_000, 70_000))
    builder.add(leaves()[0][32 * 70_000 : 32 * 139_000])
    builder.append(piece(139_000, LEAVES, 600))
    assert builder.root == leaves()[1]


@pytest.mark.parametrize("first", [0, 99, 101])
def test_a_piece_that_does_not_follow_is_refused(first):
    builder = RootBuilder()
    builder.append(piece(0, 100, 100))
    with pytest.raises(InputError, match="leaves from 100 on"):
        builder.append(PieceBuilder(first).piece)


def test_a_piece_that_is_not_the_subtrees_of_its_leaves_is_refused():
    whole = piece(0, 100, 100)
    builder = RootBuilder()
    with pytest.raises(InputError, match="nodes: expected 3 hashes of 32 bytes, got 64 bytes"):
        builder.append(whole._replace(nodes=whole.nodes[32:]))
    assert builder.size == 0
