"""The join finds what the scan finds, and what all pairs are: no pair more, none less, each once."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import licet.index.joining as module
from licet.errors import InputError
from licet.fingerprints.pdq import hamming
from licet.index.scanning import NearScan

pytest.importorskip("numba")

Hashes = np.ndarray

# The 16 bits that become each chunk, counted from the lowest of the first byte.
ROWS, CHUNKS = np.arange(16), np.arange(16)[:, None]
COEFFICIENTS = 16 * ROWS + (5 * ROWS + CHUNKS) % 16
PLACES = 8 * (31 - COEFFICIENTS // 8) + COEFFICIENTS % 8


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Compile outside of any test's time."""
    module.kernels()


def flipped(hashes: Hashes, random: np.random.Generator, most: int, chunks: list[int] | None = None) -> Hashes:
    """Copies with 0 to ``most`` bits flipped, of those that become these chunks after the permutation."""
    among = np.arange(256) if chunks is None else PLACES[chunks].reshape(-1)
    bits = np.unpackbits(hashes, axis=1, bitorder="little")
    for row in bits:
        row[random.choice(among, random.integers(0, min(most, len(among)) + 1), replace=False)] ^= 1
    return np.packbits(bits, axis=1, bitorder="little")


def naive(stored: Hashes, queries: Hashes, radius: int) -> list[tuple[int, int, int]]:
    distance = hamming(queries[:, None], stored[None])
    return [(int(q), int(s), int(distance[q, s])) for q, s in np.argwhere(distance <= radius)]


def listed(pairs: tuple[Hashes, ...]) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in pairs), strict=True))


@given(
    st.integers(0, 2**32),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 31),
    st.lists(st.integers(0, 15), min_size=2, unique=True),
    st.integers(1, 50),
)
def test_join_scan_and_all_pairs_agree(
    seed: int, stored: int, queries: int, radius: int, chunks: list[int], batch: int
) -> None:
    random = np.random.default_rng(seed)
    # Few different hashes, far and near, so that buckets are crowded and distances lie around the radius.
    pool = random.integers(0, 256, (4, 32), dtype=np.uint8)
    left = flipped(pool[random.integers(0, 4, stored)], random, 20, chunks)
    right = flipped(pool[random.integers(0, 4, queries)], random, 24, chunks)
    left.flags.writeable = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_QUERIES", batch)
        patch.setattr(module, "_ROOM", 3)  # so that there is too little room at first
        found = module.NearJoin(left).pairs(right, radius)
    assert listed(found) == naive(left, right, radius) == listed(NearScan(left).pairs(right, radius))
    assert [column.dtype for column in found] == [np.int64, np.int64, np.int16]


def test_every_way_to_share_out_31_bits_among_the_chunks_is_found() -> None:
    random = np.random.default_rng(3)
    stored = random.integers(0, 256, (1, 32), dtype=np.uint8)
    bits = []
    for _ in range(3000):
        # Random shares, as even as it goes and very uneven: cuts of 31 into 16, turned around the ring.
        cuts = np.sort(random.integers(0, 32, 15) if random.random() < 0.5 else np.arange(2, 32, 2)[:15])
        shares = np.roll([b - a for a, b in pairwise([0, *cuts.tolist(), 31])], random.integers(16))
        row = np.zeros(256, np.uint8)
        for chunk, share in enumerate(np.minimum(shares, 16).tolist()):
            row[random.choice(PLACES[chunk], share, replace=False)] = 1
        bits.append(row)
    queries = stored ^ np.packbits(np.stack(bits), axis=1, bitorder="little")
    assert listed(module.NearJoin(stored).pairs(queries)) == naive(stored, queries, 31)
    assert len(module.NearJoin(stored).pairs(queries)[0]) == 3000


def test_a_chunk_has_one_bit_of_each_row_and_column_of_the_transform() -> None:
    single = np.packbits(np.eye(256, dtype=np.uint8), axis=1, bitorder="little")
    moved = np.ascontiguousarray(module.NearJoin(single)._permuted().T).view(np.uint8)
    place = np.unpackbits(moved, axis=1, bitorder="little").argmax(axis=1)
    assert np.argsort(place).reshape(16, 16).tolist() == PLACES.tolist()
    assert all(sorted(chunk % 16) == sorted(chunk // 16) == [*range(16)] for chunk in COEFFICIENTS)


def test_crowded_buckets_and_equal_hashes_are_found_once_each() -> None:
    stored = np.full((300, 32), 0x5A, np.uint8)
    queries = np.vstack((stored[:2], stored[:1] ^ np.uint8(1)))
    found = module.NearJoin(stored).pairs(queries)
    assert listed(found) == [(q, s, 32 if q == 2 else 0) for q in range(2) for s in range(300)]


def test_threads_that_ask_at_once_get_the_same() -> None:
    random = np.random.default_rng(5)
    stored = random.integers(0, 256, (20_000, 32), dtype=np.uint8)
    queries = flipped(stored[:500], random, 40)
    join, answers = module.NearJoin(stored), {}

    def ask(name: int) -> None:
        answers[name] = listed(join.pairs(queries))

    threads = [threading.Thread(target=ask, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert all(answer == listed(NearScan(stored).pairs(queries)) for answer in answers.values())


@pytest.mark.parametrize("shape", [(2, 31), (64,), (2, 4, 32)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="32 bytes"):
        module.NearJoin(np.zeros(shape, np.uint8))
    with pytest.raises(InputError, match="32 bytes"):
        module.NearJoin(np.zeros((1, 32), np.uint8)).pairs(np.zeros(shape, np.uint8))


def test_a_radius_that_it_cannot_promise_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 31, got 32"):
        module.NearJoin(np.zeros((1, 32), np.uint8)).pairs(np.zeros((1, 32), np.uint8), 32)
    assert not len(module.NearJoin(np.zeros((1, 32), np.uint8)).pairs(np.zeros((1, 32), np.uint8), -1)[0])
