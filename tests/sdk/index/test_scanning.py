"""The near scan finds every pair within the radius, at its distance, and no other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import licet.index.scanning as module
from licet.errors import InputError
from licet.fingerprints.pdq import hamming
from licet.index.scanning import NearScan


def hashes(random: np.random.Generator, count: int, close: int = 0) -> np.ndarray:
    """Random hashes; with ``close``, variants of one with up to that many bits flipped."""
    if not close:
        return random.integers(0, 256, (count, 32), dtype=np.uint8)
    bits = np.unpackbits(np.full((count, 32), 0x5A, np.uint8), axis=1)
    for row in bits:
        row[random.choice(256, random.integers(0, close + 1), replace=False)] ^= 1
    return np.packbits(bits, axis=1)


def naive(stored: np.ndarray, queries: np.ndarray, radius: int) -> list[tuple[int, int, int]]:
    distance = hamming(queries[:, None], stored[None])
    return [(int(q), int(s), int(distance[q, s])) for q, s in np.argwhere(distance <= radius)]


@given(st.integers(0, 2**32), st.integers(0, 70), st.integers(0, 30), st.integers(0, 260), st.integers(1, 20))
def test_equals_all_pairs(seed: int, stored: int, queries: int, radius: int, block: int) -> None:
    random = np.random.default_rng(seed)
    left, right = hashes(random, stored, close=24), np.vstack((hashes(random, queries, close=24), hashes(random, 2)))
    with pytest.MonkeyPatch.context() as patch:
        # Blocks so small that every border is met.
        patch.setattr(module, "_STORED", block)
        patch.setattr(module, "_PAIRS", 3 * block)
        found = NearScan(left).pairs(right, radius)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == naive(left, right, radius)


def test_equals_all_pairs_at_its_real_block_size() -> None:
    random = np.random.default_rng(7)
    stored = np.vstack((hashes(random, 20_000), hashes(random, 40, close=20)))
    queries = np.vstack((hashes(random, 9), hashes(random, 9, close=20), stored[8190:8194]))
    found = NearScan(stored).pairs(queries)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == naive(stored, queries, 31)
    assert len(found[0]) > 100


def test_the_radius_is_inclusive() -> None:
    stored = np.zeros((1, 32), np.uint8)
    bits = np.zeros((2, 256), np.uint8)
    bits[0, :31] = bits[1, :32] = 1
    query, place, distance = NearScan(stored).pairs(np.packbits(bits, axis=1))
    assert (query.tolist(), place.tolist(), distance.tolist()) == ([0], [0], [31])


@pytest.mark.parametrize("shape", [(2, 31), (64,), (2, 4, 32)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="32 bytes"):
        NearScan(np.zeros(shape, np.uint8))
