"""Exact look-up finds every equal key and nothing else, however the keys are spread."""

from __future__ import annotations

import subprocess
import sys
import time
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import compiled
from licet.errors import MalformedError
from licet.index import Index, Keys, WorkRecord, exact, write_segments
from licet.index.container import map_file
from licet.index.exact import KeyTable, buckets, halves, joined, rising
from licet.index.segments import open_segment

# Halves out of a small pool: equal keys, equal first halves and neighbours are the rule.
HALVES = st.sampled_from([0, 1, 2, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1])
keys = st.lists(st.tuples(HALVES, HALVES), max_size=60)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([hi for hi, _ in pairs], np.uint64), np.array([lo for _, lo in pairs], np.uint64)


@given(keys, keys, st.booleans())
def test_finds_every_pair_of_equal_keys(
    stored: list[tuple[int, int]], asked: list[tuple[int, int]], table: bool
) -> None:
    stored.sort()
    hi, lo = columns(stored)
    found = KeyTable(hi, lo, buckets(hi) if table else None).find(*columns(asked))
    expected = [(q, p) for q, query in enumerate(asked) for p, key in enumerate(stored) if key == query]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


@given(keys, keys, st.integers(0, 3), st.booleans())
def test_a_compiled_loop_finds_what_numpy_finds(
    stored: list[tuple[int, int]], asked: list[tuple[int, int]], room: int, few: bool
) -> None:
    if not compiled.load():
        pytest.skip("without licet[fast] there are no loops")
    stored.sort()
    hi, lo = columns(stored)
    table = KeyTable(hi, lo, buckets(hi))
    expected = table.find(*columns(asked))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "_WORTH", 0)
        patch.setattr(exact, "_WORTH", 0)
        patch.setattr(exact, "_ROOM", room)  # of what does not fit numpy finds all
        assert exact._loops(len(asked)) is not None
        table._missed = len(stored) if few else 0  # as if few of many were found
        found = table.find(*columns(asked))
    assert [column.tolist() for column in found] == [column.tolist() for column in expected]


@pytest.mark.parametrize("crowd", [1, 3, 4, 5, 9, 700])
def test_a_compiled_loop_finds_each_place_of_keys_that_crowd(crowd: int) -> None:
    if not compiled.load():
        pytest.skip("without licet[fast] there are no loops")
    # Keys that begin alike, some of them several times, at both ends of the table and of a bucket, among others.
    random = np.random.default_rng(crowd)
    ends = np.array([0, 1, 2**63 - 1, 2**63, 2**64 - 1], np.uint64)
    hi = np.concatenate([np.repeat(ends, crowd), random.integers(0, 2**64, 3000, dtype=np.uint64)])
    lo = random.integers(0, max(2, crowd // 2), len(hi), dtype=np.uint64)
    order = np.lexsort((lo, hi))
    hi, lo = hi[order], lo[order]
    table = KeyTable(hi, lo, buckets(hi))
    asked = random.integers(0, len(hi), 70_000)  # more than are asked at once
    asked_lo = lo[asked] + random.integers(0, 2, len(asked), dtype=np.uint64)
    places: dict[tuple[int, int], list[int]] = {}
    for at, key in enumerate(zip(hi.tolist(), lo.tolist(), strict=True)):
        places.setdefault(key, []).append(at)
    wanted = zip(hi[asked].tolist(), asked_lo.tolist(), strict=True)
    expected = [(number, at) for number, key in enumerate(wanted) for at in places.get(key, ())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "_ROOM", len(expected))  # so that numpy has nothing to find
        found = table.find(hi[asked], asked_lo)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


@pytest.mark.parametrize("count", [5000, 4096, 4])
def test_after_many_that_were_not_there_the_same_is_found(count: int) -> None:
    if not compiled.load():
        pytest.skip("without licet[fast] there are no loops")
    random = np.random.default_rng(count)
    hi, lo = random.integers(0, 2**64, (2, count), dtype=np.uint64)
    order = rising(hi, lo)
    hi, lo = hi[order], lo[order]
    table = KeyTable(hi, lo, buckets(hi))
    strange = random.integers(0, 2**64, (2, 20_000), dtype=np.uint64)
    mixed = random.permutation(20_000 + count)
    asked_hi, asked_lo = np.concatenate([strange[0], hi])[mixed], np.concatenate([strange[1], lo])[mixed]
    first = table.find(asked_hi, asked_lo)
    assert not len(table._bitmap)
    assert not len(table.find(*strange)[0])
    then = table.find(asked_hi, asked_lo)
    assert 4 * count <= 64 * len(table._bitmap) <= max(8 * count, 64)  # at most a byte a key
    assert len(then[0]) == count
    assert all(np.array_equal(*each) for each in zip(first, then, strict=True))
    for _ in range(10):  # where most are there it only stands in the way
        table.find(np.tile(hi, 2000 // count + 1), np.tile(lo, 2000 // count + 1))
    assert 2 * table._missed < count


def test_a_compiled_loop_finds_keys_among_many() -> None:
    if not compiled.load():
        pytest.skip("without licet[fast] there are no loops")
    random = np.random.default_rng(3)
    hi, lo = random.integers(0, 2**64, (2, 50_000), dtype=np.uint64)
    order = rising(hi, lo)
    table = KeyTable(hi[order], lo[order], buckets(hi[order]))
    mixed = random.permutation(50_000)[:5000]
    strange = random.integers(0, 2**64, (2, 5000), dtype=np.uint64)
    query, place = table.find(np.concatenate([hi[mixed], strange[0]]), np.concatenate([lo[mixed], strange[1]]))
    assert query.tolist() == list(range(5000))
    assert np.array_equal(order[place], mixed)


LIES = """
import numpy as np
from licet import compiled
from licet.index.exact import KeyTable, buckets, _loops
assert compiled.load() and _loops(3000)
hi, lo = np.arange(8, dtype=np.uint64) << np.uint64(61), np.zeros(8, np.uint64)
bucket = buckets(hi)
table = KeyTable(hi, lo, bucket)
for lie in ([0, 2**32 - 1, 2**32 - 1], [2**32 - 1, 0, 1], [2**31, 2**32 - 1, 7]):
    bucket[4:7] = lie
    query, place = table.find(np.full(3000, 2**63, np.uint64), np.zeros(3000, np.uint64))
    assert (hi[place] == 2**63).all() and len(query) in (0, 3000)
"""


def test_a_mapped_file_that_is_changed_is_not_read_beyond_its_keys() -> None:
    if not compiled.load():
        pytest.skip("without licet[fast] there are no loops")
    ended = subprocess.run([sys.executable, "-c", LIES], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr  # else it read memory that is nobody's


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=20))
def test_halves_sort_as_the_bytes_do(values: list[bytes]) -> None:
    hi, lo = halves(np.frombuffer(b"".join(values), np.uint8).reshape(-1, 16))
    assert joined(hi, lo).tobytes() == b"".join(values)
    order = np.lexsort((lo, hi))
    assert [values[at] for at in order] == sorted(values)


@given(keys, st.integers(0, 60))
def test_keys_rise_and_equal_ones_by_what_follows(stored: list[tuple[int, int]], spread: int) -> None:
    # Beside keys out of a small pool some that begin all differently: those are ordered without comparing the rest.
    hi, lo = columns(stored + [(int.from_bytes(sha256(b"%d" % n).digest()[:8]), n) for n in range(spread)])
    then = np.arange(len(hi), dtype=np.uint32)[::-1] // 2
    assert np.array_equal(rising(hi, lo, then), np.lexsort((then, lo, hi)))
    assert np.array_equal(rising(hi, lo), np.lexsort((lo, hi)))


def test_ids_that_begin_with_the_time_are_told_apart_by_what_follows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    random, count = np.random.default_rng(5), 20_000
    milliseconds = np.uint64(1_790_000_000_000) + (np.arange(count) // 5).astype(np.uint64)
    hi = milliseconds << np.uint64(16) | np.uint64(0x7000) | random.integers(0, 1 << 12, count, np.uint64)
    lo = random.integers(0, 1 << 62, count, np.uint64) | np.uint64(1 << 63)
    mixed = random.permutation(count)
    wanted, lexsort, whole = np.lexsort((lo[mixed], hi[mixed])), np.lexsort, list[int]()

    def compared(by: tuple[np.ndarray, ...]) -> np.ndarray:
        whole.append(len(by[-1]))
        return lexsort(by)

    monkeypatch.setattr(np, "lexsort", compared)
    assert np.array_equal(rising(hi[mixed], lo[mixed]), wanted)
    assert sum(whole) < count // 100


def test_keys_from_the_first_to_the_last_there_is_rise() -> None:
    hi = np.array([2**64 - 1, 0, 2**63, 2**64 - 1, 0], np.uint64)
    lo = np.array([2**64 - 1, 2**64 - 1, 0, 0, 0], np.uint64)
    assert rising(hi, lo).tolist() == [4, 1, 2, 3, 0]
    assert rising(hi[[0, 3]], lo[[0, 3]]).tolist() == [1, 0]
    assert rising(hi[:0], lo[:0]).tolist() == []


@given(keys)
def test_sorted_means_that_look_ups_find(stored: list[tuple[int, int]]) -> None:
    hi, lo = columns(stored)
    ordered = sorted(stored)
    assert KeyTable(hi, lo).is_sorted() == (stored == ordered)
    assert KeyTable(hi, lo).is_sorted(unique=True) == (stored == ordered and len(set(stored)) == len(stored))


def test_a_crowded_bucket_is_searched_by_halving() -> None:
    # A thousand keys ground into one bucket, under ten thousand others and among queries that all go there.
    spread = np.frombuffer(b"".join(sha256(b"%d" % n).digest()[:8] for n in range(10_000)), "<u8").astype(np.uint64)
    hi = np.sort(np.concatenate((spread, np.full(500, 2**40, np.uint64), np.arange(500, dtype=np.uint64))))
    lo = np.arange(len(hi), dtype=np.uint64)
    table = KeyTable(hi, lo, buckets(hi))
    query, place = table.find(hi, lo)
    assert np.array_equal(query, np.arange(len(hi)))
    assert np.array_equal(place, np.arange(len(hi)))
    assert not len(table.find(hi, lo + np.uint64(1 << 20))[0])


THREE = np.array([1, 2**63, 2**63 + 1], np.uint64)


@pytest.mark.parametrize("bucket", [[0], [1, 2, 3], [0, 4, 3], [0, 2], [0, 1, 2, 3], [0, 2, 1, 3, 3], []])
def test_a_bucket_table_that_does_not_fit_is_refused(bucket: list[int]) -> None:
    with pytest.raises(MalformedError, match="bucket"):
        KeyTable(THREE, THREE, np.array(bucket, np.uint32))


def test_a_bucket_table_that_fits_but_lies_is_told_by_the_full_check() -> None:
    assert KeyTable(THREE, THREE, np.array([0, 1, 1, 3, 3], np.uint32)).is_sorted()
    assert not KeyTable(THREE, THREE, np.array([0, 0, 1, 3, 3], np.uint32)).is_sorted()


def test_a_hundred_thousand_works_are_all_found(tmp_path, capsys) -> None:
    count = 100_000
    digests = [sha256(b"%d" % number).digest() for number in range(count)]
    records = (
        WorkRecord(
            work=number.to_bytes(16, "big"), account=bytes(16), terms=b"", level=0, sha256=digest, pixels=digest[::-1]
        )
        for number, digest in enumerate(digests)
    )
    start = time.perf_counter()
    [exact] = write_segments(records, tmp_path)
    written = time.perf_counter()
    segment = open_segment(map_file(tmp_path / exact.digest))
    index = Index([segment])
    opened = time.perf_counter()
    file = np.frombuffer(b"".join(digest[:16] for digest in digests), np.uint8).reshape(-1, 16)
    works = [index.lookup(Keys(10_000, file=file[at : at + 10_000]), "exact").work for at in range(0, count, 10_000)]
    looked = time.perf_counter()
    segment.check()
    assert np.array_equal(np.concatenate(works), np.arange(count))
    absent = file.copy()
    absent[:, 15] ^= 1
    assert not len(index.lookup(Keys(count, file=absent, pixels=file), "exact"))
    with capsys.disabled():
        print(
            f"\n  {count} works: written in {written - start:.2f} s, opened in {1000 * (opened - written):.1f} ms, "
            f"{count / (looked - opened) / 1e6:.1f} million keys/s in batches of 10,000 (all found)"
        )
