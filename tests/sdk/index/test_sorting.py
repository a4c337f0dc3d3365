"""Compiled loops sort keys as plain numpy does, however they are spread: the same columns, byte for byte."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import compiled
from licet.index import exact, writing
from licet.index.exact import buckets, key_columns

U64 = npt.NDArray[np.uint64]
MANY = 30_000  # several parts, and so many words of a part that counting them is worth it
HALVES = st.sampled_from([0, 1, 2, 2**52 - 1, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1])


@pytest.fixture(autouse=True, scope="module")
def loops() -> None:
    if not compiled.load():
        pytest.skip("without licet[fast] there are no loops")


def both(hi: U64, lo: U64, work: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[Any], ...]:
    """Return the columns, once compiled loops and numpy were seen to make the same."""
    given: tuple[Any, ...] = hi.copy(), lo.copy(), work.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "_WORTH", 1)
        patch.setattr(exact, "_WORTH", 1)
        assert exact._sorting(len(hi)) is not None
        sorted_ones: tuple[Any, ...] = key_columns(hi, lo, work)
    assert [column.tolist() for column in (hi, lo, work)] == [column.tolist() for column in given]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "_sorting", lambda keys: None)
        plain: tuple[Any, ...] = key_columns(hi, lo, work)
    for one, other in zip(sorted_ones, plain, strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    assert np.array_equal(buckets(plain[0]), plain[3])
    return sorted_ones


@given(st.lists(st.tuples(HALVES, HALVES, st.integers(0, 3)), min_size=1, max_size=80))
def test_keys_out_of_a_small_pool(rows: list[tuple[int, int, int]]) -> None:
    hi, lo, work = zip(*rows, strict=True)
    columns = both(np.array(hi, np.uint64), np.array(lo, np.uint64), np.array(work, np.uint32))
    assert list(zip(*(column.tolist() for column in columns[:3]), strict=True)) == sorted(set(rows))


def spread(random: np.random.Generator) -> U64:
    return random.integers(0, 2**64, MANY, dtype=np.uint64)


def crowded(random: np.random.Generator) -> U64:
    """Most keys begin alike for 40 bits, between two that say that keys are spread."""
    hi = np.uint64(0xABCDE << 44) + random.integers(0, 2**24, MANY, dtype=np.uint64)
    hi[:2] = 0, 2**64 - 1
    return hi


def ground(random: np.random.Generator) -> U64:
    """Some ranges of many keys, and some of just as many as are sorted by moving them up, one more and one less."""
    hi = spread(random)
    for number, size in enumerate([500, 23, 24, 25, 26, 9_000]):
        hi[random.integers(0, MANY, size)] = np.uint64(number << 60) | random.integers(0, 7, size, dtype=np.uint64)
    return hi


def equal(random: np.random.Generator) -> U64:
    return np.full(MANY, random.integers(0, 2**64, dtype=np.uint64))


def two(random: np.random.Generator) -> U64:
    return np.uint64(2**63 - 1) + random.integers(0, 2, MANY, dtype=np.uint64)


def close(random: np.random.Generator) -> U64:
    """Fewer bits differ than there are for parts and what is counted within them."""
    return np.uint64(2**64 - 3000) + random.integers(0, 3000, MANY, dtype=np.uint64)


def timed(random: np.random.Generator) -> U64:
    """Ids that begin with the time, as those of works do."""
    moments = np.uint64(1_790_000_000_000) + (np.arange(MANY) // 5).astype(np.uint64)
    return moments << np.uint64(16) | random.integers(0, 1 << 12, MANY, dtype=np.uint64)


def rising(random: np.random.Generator) -> U64:
    return np.sort(spread(random))


def falling(random: np.random.Generator) -> U64:
    return np.sort(spread(random))[::-1].copy()


@pytest.mark.parametrize("made", [spread, crowded, ground, equal, two, close, timed, rising, falling])
@pytest.mark.parametrize("count", [MANY, 8191, 8192, 8193, 4096, 100, 7, 1])
@pytest.mark.parametrize("seconds", [2**64, 3])
def test_many_keys(made, count: int, seconds: int) -> None:
    random = np.random.default_rng(count)
    hi = made(random)[:count]
    lo = random.integers(0, seconds, count, dtype=np.uint64)
    both(hi, lo, random.integers(0, 5, count, dtype=np.uint32))


def test_rows_that_repeat_are_there_once() -> None:
    random = np.random.default_rng(7)
    hi, lo = random.integers(0, 2**64, (2, MANY // 2), dtype=np.uint64)
    work = random.integers(0, 9, MANY // 2, dtype=np.uint32)
    columns = both(np.tile(hi, 2), np.tile(lo, 2), np.tile(work, 2))
    assert [len(column) for column in columns[:3]] == [MANY // 2] * 3
    assert columns[3][-1] == MANY // 2


def test_columns_with_gaps_are_sorted_too() -> None:
    rows = np.random.default_rng(9).integers(0, 2**64, (MANY, 3), dtype=np.uint64)
    both(rows[:, 0], rows[::-1, 1], np.arange(2 * MANY, dtype=np.uint32)[::2])


def test_columns_that_may_not_be_written_are_sorted_too() -> None:
    random = np.random.default_rng(8)
    hi, lo = random.integers(0, 2**64, (2, MANY), dtype=np.uint64)
    work = np.arange(MANY, dtype=np.uint32)
    for column in (hi, lo, work):
        column.flags.writeable = False
    assert exact._sorting(MANY) is not None
    table = writing.key_table("url", hi, lo, work)
    assert list(table) == ["url.hi", "url.lo", "url.work", "url.bucket"]
    assert (table["url.hi"][1:] > table["url.hi"][:-1]).all()
    assert np.array_equal(hi[table["url.work"]], table["url.hi"])
    assert np.array_equal(lo[table["url.work"]], table["url.lo"])
